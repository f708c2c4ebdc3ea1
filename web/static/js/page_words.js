// The words of a page laid over its picture, so that they can be selected and copied. Knows the call
// that tells where they stand; the picture is not its business.

import { documentPath, getJson } from "./api.js";
import { el } from "./dom.js";

const FONT = "sans-serif";
const SAMPLE = 100; // pixels: at this size widths are measured
const TALL = 2; // a line so much higher than wide runs down the page

export class PageWords {
  #measure = document.createElement("canvas").getContext("2d");
  element = el("div", { class: "page-words", "aria-hidden": "true" }); // readers of the screen have the text view

  // place: {kbId, documentId, revision, pageNumber}. Without words nothing can be selected.
  async show({ kbId, documentId, revision, pageNumber }, signal) {
    this.clear();
    try {
      /** @type {Api["PageWordsBody"]} */
      const page = await getJson(`${documentPath(kbId, documentId)}/pages/${pageNumber}/words`, { revision }, signal);
      if (!signal.aborted && page.width && page.height) this.element.replaceChildren(...page.lines.map((line) => this.#line(line, page)));
    } catch (error) {
      if (!signal.aborted) console.info(`words of the page: ${error.message}`);
    }
  }

  clear() {
    this.element.replaceChildren();
  }

  // Sizes are shares of the picture, so that the words grow with it; a line is stretched to its box.
  #line({ text, box }, page) {
    const [left, top, width, height] = shownBox(box, page);
    const sheetWidth = page.rotation % 180 ? page.height : page.width;
    const sheetHeight = page.rotation % 180 ? page.width : page.height;
    const isTall = height > TALL * width && text.length > 1;
    const [along, across] = isTall ? [height, width] : [width, height];
    this.#measure.font = `${SAMPLE}px ${FONT}`;
    const natural = (this.#measure.measureText(text).width / SAMPLE) * across || along;
    const line = el("span", { dir: "auto" }, text);
    Object.assign(line.style, {
      left: `${(100 * left) / sheetWidth}%`,
      top: `${(100 * top) / sheetHeight}%`,
      fontSize: `${(100 * across) / sheetWidth}cqw`,
      writingMode: isTall ? "vertical-rl" : "",
      transform: isTall ? `scaleY(${along / natural})` : `scaleX(${along / natural})`,
    });
    return line;
  }
}

// [left, top, width, height] in points on the page as it is shown, of a box on the unrotated page.
function shownBox([x0, y0, x1, y1], { width, height, rotation }) {
  const turned = {
    90: [y0, x0, y1, x1],
    180: [width - x1, y0, width - x0, y1],
    270: [height - y1, width - x1, height - y0, width - x0],
  }[rotation] ?? [x0, height - y1, x1, height - y0];
  return [turned[0], turned[1], turned[2] - turned[0], turned[3] - turned[1]];
}
