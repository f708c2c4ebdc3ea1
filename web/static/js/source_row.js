// A quote as one line of a list: which document, on which pages, its words. Opens it when chosen.

import { el } from "./dom.js";
import { t } from "./i18n/i18n.js";

/** @param {Api["CitationBody"]} citation */
export function sourceRow(citation, onCite) {
  return el("li", {},
    el("button", { type: "button", class: "source", "data-citation": citation.id, onclick: (event) => onCite(citation, event.currentTarget) },
      el("span", { class: `mark mark-${citation.status}` }, String(citation.number)),
      el("span", { class: "source-text" },
        el("span", { class: "source-title" }, el("bdi", {}, citation.title), el("span", { class: "meta" }, pagesText(citation))),
        el("q", { class: "source-quote" }, citation.cited_text))));
}

/** @param {Api["CitationBody"]} citation */
export function pagesText({ source }) {
  const numbers = [...new Set((source.pages ?? []).map((page) => page.page_number))];
  return numbers.length ? t("on_pages", { count: numbers.length, pages: numbers.join(", ") }) : "";
}
