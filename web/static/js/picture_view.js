// A page as a picture with its cited words lit: fetched with headers, shown at a zoom, scrolled to
// the words, its text over it to be selected. Knows one picture; which page and why is the viewer's business.

import { documentPath, getBlob } from "./api.js";
import { el } from "./dom.js";
import { PageWords } from "./page_words.js";

const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const SCALE = 2; // pixels per point: sharp at the width of the panel
const DETAIL_SCALE = 3; // once zoomed in past DETAIL_ZOOM
const DETAIL_ZOOM = 1.5;
const MIN_SCALE = 0.25;
const MARGIN = 40; // pixels of paper below the words

export class PictureView {
  #image = el("img", { class: "page-picture", alt: "", decoding: "async" });
  #zoom = 1;
  #place = null;
  #shownScale = SCALE;
  #words = new PageWords();
  #sheet = el("div", { class: "page-sheet" }, this.#image, this.#words.element);
  element = el("div", { class: "picture-frame" }, this.#sheet);

  // place: {kbId, documentId, revision, pageNumber, boxes, label}. Throws ApiError.
  async show(place, signal) {
    this.#place = place;
    this.#words.clear();
    await this.#load(signal);
    this.#scrollToWords();
    await this.#words.show(place, signal);
  }

  get zoomText() {
    return `${Math.round(this.#zoom * 100)} %`;
  }

  canZoom(step) {
    return ZOOMS[ZOOMS.indexOf(this.#zoom) + step] !== undefined;
  }

  // step: +1 or -1. Fetches a sharper picture when the zoom needs one.
  async zoom(step, signal) {
    const before = this.#scale;
    this.#zoom = ZOOMS[ZOOMS.indexOf(this.#zoom) + step];
    this.#sheet.style.width = `${this.#zoom * 100}%`;
    if (this.#place && this.#scale > before) await this.#load(signal);
    this.#scrollToWords();
  }

  get #scale() {
    return this.#zoom > DETAIL_ZOOM ? DETAIL_SCALE : SCALE;
  }

  clear() {
    URL.revokeObjectURL(this.#image.src);
    this.#image.removeAttribute("src");
    this.#image.alt = "";
    this.#words.clear();
    this.#place = null;
  }

  async #load(signal) {
    const { label } = this.#place;
    this.element.setAttribute("aria-busy", "true");
    try {
      const blob = await this.#fetch(this.#scale, signal);
      const before = this.#image.src;
      this.#image.src = URL.createObjectURL(blob);
      this.#image.alt = label;
      await this.#image.decode();
      if (before) URL.revokeObjectURL(before);
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  // A page too large to be drawn that sharp is fetched at half the scale, and half again.
  async #fetch(scale, signal) {
    const { kbId, documentId, revision, pageNumber, boxes } = this.#place;
    const query = { revision, scale, boxes: boxes.map((box) => box.join(",")).join(";") };
    try {
      const blob = await getBlob(`${documentPath(kbId, documentId)}/pages/${pageNumber}.png`, query, signal);
      this.#shownScale = scale;
      return blob;
    } catch (error) {
      if (error.code !== "picture_too_large" || scale / 2 < MIN_SCALE) throw error;
      return this.#fetch(scale / 2, signal);
    }
  }

  // Boxes count from the bottom of the page in points, the picture from the top in pixels. On a
  // turned page the guess is off; the words are lit all the same.
  #scrollToWords() {
    const scroller = this.element.parentElement;
    const boxes = this.#place?.boxes ?? [];
    if (!scroller || !boxes.length || !this.#image.naturalHeight) {
      scroller?.scrollTo(0, 0);
      return;
    }
    const shown = this.#image.clientHeight / (this.#image.naturalHeight / this.#shownScale);
    const top = this.#image.clientHeight - Math.max(...boxes.map((box) => box[3])) * shown;
    const left = Math.min(...boxes.map((box) => box[0])) * shown;
    const bottom = this.#image.clientHeight - Math.min(...boxes.map((box) => box[1])) * shown;
    const isWithHead = bottom + MARGIN < scroller.clientHeight; // the words are seen without scrolling
    scroller.scrollTo({ top: isWithHead ? 0 : Math.max(0, top - scroller.clientHeight / 3), left: Math.max(0, left - 24) });
  }
}
