// Search without asking: passages that match, each with its words lit, why it was found and where it
// stands. Knows the search call; the viewer shows a passage.

import { basePath, sendJson } from "./api.js";
import { announce, byId, el } from "./dom.js";
import { errorText, formatNumber, onLanguage, t } from "./i18n/i18n.js";
import { lightWords } from "./lit_words.js";
import { pagesText } from "./source_row.js";

const TOP = 20;
const LEGS = ["lexical", "dense", "rerank"];

export class Search {
  #kbId = null;
  #query = "";
  #turn = 0;
  /** @type {Api["SearchBody"]} */
  #found = null;
  #error = null;
  #hooks;

  // hooks: {filters(), searched(query), open(view, quote, button)}: the filters in force; another query
  // stands in the address; the page of a passage
  constructor(hooks) {
    this.#hooks = hooks;
    byId("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const query = byId("search-box").value.trim();
      if (query) hooks.searched(query);
    });
    onLanguage(() => this.#draw());
    addEventListener("scopechange", () => this.#load());
  }

  enter(kbId) {
    this.#kbId = kbId;
    this.#query = "";
    this.#found = null;
    this.#error = null;
    byId("search-box").value = "";
    this.#draw();
  }

  // Shows the passages for a query; the one that is shown stays.
  async show(query) {
    if (!query || query === this.#query) return;
    this.#query = query;
    byId("search-box").value = query;
    await this.#load();
  }

  async #load() {
    if (!this.#query) return;
    const turn = (this.#turn += 1);
    const list = byId("search-results");
    list.setAttribute("aria-busy", "true");
    try {
      const found = await sendJson("POST", `${basePath(this.#kbId)}/search`, { query: this.#query, top_k: TOP, filters: this.#hooks.filters() });
      if (turn !== this.#turn) return;
      this.#found = found;
      this.#error = null;
      announce(t("search_found", { count: found.items.length }));
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#found = null;
      this.#error = error;
    } finally {
      if (turn === this.#turn) list.removeAttribute("aria-busy");
    }
    this.#draw();
  }

  // The passages in the shape of citations: what the viewer steps through. `nameOf`, `markOf` and
  // `setCurrent` as of AnswerView; a passage of a search has no address of its own.
  #view() {
    const citations = this.#found.items.map((item, index) => ({ ...quoteOf(item), number: index + 1, answer: { start: index, end: index } }));
    return {
      citations,
      nameOf: (citation) => citation.id,
      markOf: (id) => byId("search-results").querySelector(`[data-citation="${CSS.escape(id)}"]`),
      setCurrent: (id) => {
        for (const button of byId("search-results").querySelectorAll("[data-citation]")) {
          button.toggleAttribute("data-current", button.dataset.citation === id);
        }
      },
    };
  }

  #draw() {
    const list = byId("search-results");
    if (this.#error) return list.replaceChildren(el("li", { class: "notice notice-bad", role: "alert" }, errorText(this.#error)));
    if (!this.#found) return list.replaceChildren(el("li", { class: "meta" }, t("search_how")));
    if (!this.#found.items.length) return list.replaceChildren(el("li", {}, t("search_none", { words: this.#query })));
    const view = this.#view();
    const rows = this.#found.items.map((item, index) => this.#row(item, view, view.citations[index]));
    list.replaceChildren(...rows);
  }

  /** @param {Api["HitBody"]} item */
  #row(item, view, quote) {
    return el("li", { class: "hit" },
      el("button", { type: "button", class: "source", "data-citation": quote.id, onclick: (event) => this.#hooks.open(view, quote, event.currentTarget) },
        el("span", { class: "mark mark-nearest" }, String(quote.number)),
        el("span", { class: "source-text" },
          el("span", { class: "source-title" }, el("bdi", {}, item.title), item.document_name === item.title ? "" : el("span", { class: "meta" }, el("bdi", {}, item.document_name)), el("span", { class: "meta" }, pagesText(quote))),
          el("span", { class: "hit-text", dir: "auto" }, lightWords(item.text.replace(/\n\s*\n/gu, "\n"), this.#query)))),
      el("details", { class: "hit-why" }, el("summary", {}, t("search_why")), whyOf(item)));
  }
}

/** @param {Api["HitBody"]} item @returns {any} */
const quoteOf = (item) => ({
  id: `hit${item.chunk_id}`,
  document_id: item.document_id,
  revision: item.revision,
  title: item.title,
  document_name: item.document_name,
  cited_text: item.text,
  source: { start: item.span.start, end: item.span.end, pages: item.pages },
  answer: { start: 0, end: 0 },
  status: "nearest",
});

// By which leg, and at which place of it: "its words: 2nd (score 11.3)".
/** @param {Api["HitBody"]} item */
function whyOf({ ranks, scores }) {
  const round = (value) => formatNumber(Number(Number(value).toFixed(3)));
  const rows = LEGS.filter((leg) => typeof ranks[leg] === "number").map((leg) =>
    el("li", {}, t(`leg_${leg}`), " — ", t("leg_place", { rank: ranks[leg], score: round(scores[leg] ?? 0) })));
  return el("ul", { class: "meta" }, rows);
}
