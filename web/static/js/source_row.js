// A quote as one line of a list: which document, on which pages, its words. Opens it when chosen.

import { el } from "./dom.js";
import { formatDate, t } from "./i18n/i18n.js";

/** @param {Api["CitationBody"]} citation */
export function sourceRow(citation, onCite) {
  return el("li", {},
    el("button", { type: "button", class: "source", "data-citation": citation.id, "data-key": `source ${citation.id}`, onclick: (event) => onCite(citation, event.currentTarget) },
      el("span", { class: `mark mark-${citation.status}` }, String(citation.number)),
      el("span", { class: "source-text" },
        el("span", { class: "source-title" }, el("bdi", {}, citation.title), nameOf(citation), el("span", { class: "meta" }, pagesText(citation)), methodOf(citation)),
        lineOf(citation),
        el("q", { class: "source-quote" }, citation.cited_text))));
}

/** @param {Api["CitationBody"]} citation */
export const documentHead = (citation) => el("p", { class: "source-title" }, el("bdi", {}, citation.title), nameOf(citation));

/** @param {Api["CitationBody"]} citation */
export const lineOf = ({ document_line: line }) => (line ? el("span", { class: "meta source-line" }, el("bdi", {}, line)) : null);

// By what documents of one title are told apart: the name of the file, unless it is the title, and
// the date of the paper.
/** @param {Api["CitationBody"]} citation */
function nameOf({ title, document_name: name, document_date: day }) {
  const parts = [name === title ? "" : name, day ? formatDate(day) : ""].filter(Boolean);
  return parts.map((part) => el("span", { class: "meta" }, el("bdi", {}, part)));
}

/** @param {Api["CitationBody"]} citation */
function methodOf(citation) {
  const text = methodText(citation);
  return text ? el("span", { class: "meta" }, text) : null;
}

// "read from a picture, 0.97"; nothing for words of a text, and for answers from before it was told.
/** @param {Api["CitationBody"] | null} citation */
export function methodText(citation) {
  return citation?.method === "ocr" ? t("read_from_picture", { confidence: citation.confidence.toFixed(2) }) : "";
}

/** @param {Api["CitationBody"]} citation */
export function pagesText({ source }) {
  const numbers = [...new Set((source.pages ?? []).map((page) => page.page_number))];
  return numbers.length ? t("on_pages", { count: numbers.length, pages: numbers.join(", ") }) : "";
}
