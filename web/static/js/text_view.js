// The stored text around a place, the words lit: for documents without pictures, for readers who
// prefer text, for what is found inside. Rows of a table stand as a table, the cited one lit. Knows the
// text call; keeps the last text it read.

import { documentPath, getJson } from "./api.js";
import { el, isOneWord } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { around, slicer, unsurePieces } from "./spans.js";
import { blocksIn, placesOf } from "./text_blocks.js";

const MARGIN = 1500; // code points shown on each side at first
const GROWTH = 4;
const MAX_PLACES = 500; // of what is looked for inside

export class TextView {
  #key = "";
  #text = "";
  #unsure = []; // spans of what OCR is unsure of
  element = el("div", { class: "text-frame" });

  // place: {kbId, documentId, revision, start, end}. Throws ApiError.
  async show(place, signal) {
    await this.#load(place, signal);
    this.#draw(place, MARGIN);
    const mark = this.element.querySelector("mark, .is-lit");
    if (mark) mark.scrollIntoView({ block: "center" });
    else this.element.parentElement?.scrollTo(0, 0);
  }

  // Where the words stand in the document of a place: [{start, end}], in order. Throws ApiError.
  async find(place, words, signal) {
    await this.#load(place, signal);
    return placesOf(this.#text, words, MAX_PLACES);
  }

  async #load({ kbId, documentId, revision }, signal) {
    const key = `${kbId}/${documentId}/${revision}`;
    if (key === this.#key) return;
    /** @type {Api["TextBody"]} */
    const { text, unsure } = await getJson(`${documentPath(kbId, documentId)}/text`, { revision }, signal);
    this.#text = text;
    this.#unsure = unsure;
    this.#key = key;
  }

  #pieces(start, end) {
    return unsurePieces(this.#text, start, end, this.#unsure).map(({ text, isUnsure }) =>
      isUnsure ? el("span", { class: "unsure", title: t("unsure_words") }, text) : text);
  }

  // text[start:end] with what of it is lit.
  #lit(start, end, lit) {
    const [from, to] = [Math.max(start, lit.start), Math.min(end, lit.end)];
    if (from >= to) return this.#pieces(start, end);
    return [...this.#pieces(start, from), el("mark", {}, this.#pieces(from, to)), ...this.#pieces(to, end)];
  }

  #draw(lit, margin) {
    const { from, to, isStart, isEnd } = around(this.#text, lit.start, lit.end, margin);
    const more = (isWhole) => {
      if (isWhole) return "";
      const grow = () => this.#draw(lit, margin * GROWTH);
      return el("button", { type: "button", class: "quiet-button", onclick: grow }, t("show_more_text"));
    };
    const blocks = blocksIn(slicer(this.#text)(from, to), from).map((block) =>
      block.kind === "table" ? this.#table(block, lit) : el("p", { class: "stored-text", dir: "auto" }, this.#lit(block.start, block.end, lit)));
    this.element.replaceChildren(more(isStart), ...blocks, more(isEnd));
  }

  #table({ names, rows }, lit) {
    const cut = slicer(this.#text);
    const row = ({ start, end, cells }) =>
      el("tr", { class: start < lit.end && lit.start < end ? "is-lit" : null }, cells.map((cell) => el("td", { class: cell && isOneWord(cut(cell.start, cell.end).trim()) ? "keep" : null }, cell ? this.#lit(cell.start, cell.end, lit) : "")));
    return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("document_table") },
      el("table", {}, el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows.map(row))));
  }
}
