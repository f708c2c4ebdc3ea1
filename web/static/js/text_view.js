// The stored text around a citation, the cited words marked: for documents without pictures and for
// readers who prefer text. Knows the text call; keeps the last text it read.

import { documentPath, getJson } from "./api.js";
import { el } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { around, unsurePieces } from "./spans.js";

const MARGIN = 1500; // code points shown on each side at first
const GROWTH = 4;

export class TextView {
  #key = "";
  #text = "";
  #unsure = []; // spans of what OCR is unsure of
  element = el("div", { class: "text-frame" });

  // place: {kbId, documentId, revision, start, end}. Throws ApiError.
  async show(place, signal) {
    const { kbId, documentId, revision } = place;
    const key = `${kbId}/${documentId}/${revision}`;
    if (key !== this.#key) {
      /** @type {Api["TextBody"]} */
      const { text, unsure } = await getJson(`${documentPath(kbId, documentId)}/text`, { revision }, signal);
      this.#text = text;
      this.#unsure = unsure;
      this.#key = key;
    }
    this.#draw(place, MARGIN);
    const mark = this.element.querySelector("mark");
    if (mark) mark.scrollIntoView({ block: "center" });
    else this.element.parentElement?.scrollTo(0, 0);
  }

  #pieces(start, end) {
    return unsurePieces(this.#text, start, end, this.#unsure).map(({ text, isUnsure }) =>
      isUnsure ? el("span", { class: "unsure", title: t("unsure_words") }, text) : text);
  }

  #draw({ start, end }, margin) {
    const { from, to, isStart, isEnd } = around(this.#text, start, end, margin);
    const more = (isWhole) => {
      if (isWhole) return "";
      const grow = () => this.#draw({ start, end }, margin * GROWTH);
      return el("button", { type: "button", class: "quiet-button", onclick: grow }, t("show_more_text"));
    };
    this.element.replaceChildren(
      more(isStart),
      el("p", { class: "stored-text", dir: "auto" }, 
        this.#pieces(from, start), end > start ? el("mark", {}, this.#pieces(start, end)) : "", this.#pieces(end, to)),
      more(isEnd));
  }
}
