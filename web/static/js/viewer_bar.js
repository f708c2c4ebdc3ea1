// The head of the viewer: title, quote and page steppers, zoom, the quote itself. Draws what it is
// told; every button is a callback.

import { el, iconButton, show } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { IncidentLink } from "./incident_link.js";
import { labelChip } from "./labels.js";
import { methodText } from "./source_row.js";

// A pair of buttons with the place between them, such as "‹ Quote 2 of 5 ›".
class Stepper {
  #label = el("span", { class: "stepper-label" });

  constructor(symbols, labels, onStep) {
    this.back = iconButton(symbols[0], labels[0], () => onStep(-1));
    this.forward = iconButton(symbols[1], labels[1], () => onStep(1));
    this.element = el("div", { class: "stepper" }, this.back, this.#label, this.forward);
  }

  set(label, canGoBack, canGoForward) {
    this.#label.textContent = label;
    // aria-disabled keeps the focus where it is at the last step; the callback ignores the press.
    this.back.setAttribute("aria-disabled", String(!canGoBack));
    this.forward.setAttribute("aria-disabled", String(!canGoForward));
  }
}

export class ViewerBar {
  title = el("h2", { class: "viewer-title", id: "viewer-title", tabindex: "-1" });
  quote = el("blockquote", { class: "viewer-quote", dir: "auto" });
  method = el("p", { class: "meta viewer-method" });
  labels = el("p", { class: "viewer-labels", hidden: true });
  vectors = el("p", { class: "meta viewer-vectors", hidden: true });
  body = el("div", { class: "viewer-body", tabindex: "0", role: "region", "aria-label": t("viewer_body") });
  problem = el("p", { class: "notice notice-bad", role: "alert", hidden: true });

  // on: {close(), quote(step), page(step), zoom(step), mode(), incidents(number)}, `find`: what looks for words inside,
  // and `facts`: what is told beside
  constructor(on) {
    this.quotes = new Stepper(["left", "right"], [t("quote_previous"), t("quote_next")], on.quote);
    this.pages = new Stepper(["left", "right"], [t("page_previous"), t("page_next")], on.page);
    this.zooms = new Stepper(["zoom_out", "zoom_in"], [t("zoom_out"), t("zoom_in")], on.zoom);
    this.mode = el("button", { type: "button", class: "quiet-button mode-button", onclick: on.mode });
    this.incidents = new IncidentLink(on.incidents, (kbId, items, number) => on.facts.follow(kbId, items, number));
    on.facts.link = this.incidents.element;
    const close = iconButton("close", t("viewer_close"), on.close);
    this.elements = [
      el("header", { class: "viewer-head" },
        el("div", { class: "viewer-top" }, this.title, close),
        el("div", { class: "viewer-tools" }, this.quotes.element, this.pages.element, this.zooms.element, on.facts.button, on.find, this.mode),
        this.labels,
        this.quote,
        this.method,
        this.vectors),
      this.problem,
      el("div", { class: "viewer-main" }, this.body, on.facts.panel),
    ];
  }

  // state: {title, name of the file, citation, index, numStops, page, numPages, isText, canShowPicture, picture, isLit}
  // `isLit`: the quote is lit below and need not be said above.
  update(state) {
    const { citation, index, numStops, page, numPages, isText, picture } = state;
    const isNamed = state.name && state.name !== state.title;
    this.title.replaceChildren(el("bdi", {}, state.title), isNamed ? el("bdi", { class: "meta" }, state.name) : "");
    this.quotes.set(t("quote_place", { index: index + 1, count: numStops }), index > 0, index < numStops - 1);
    show(this.quotes.element, citation !== null);
    const pageLabel = numPages ? t("page_of", { page, total: numPages }) : t("page_number", { page });
    this.pages.set(pageLabel, page > 1, numPages !== null && page < numPages);
    show(this.pages.element, !isText && page !== null);
    this.zooms.set(picture.zoomText, picture.canZoom(-1), picture.canZoom(1));
    show(this.zooms.element, !isText);
    this.mode.textContent = t(isText ? "show_picture" : "show_text");
    this.mode.title = t(isText ? "show_picture_label" : "show_text_label");
    show(this.mode, state.canShowPicture);
    this.quote.textContent = citation?.cited_text ?? "";
    show(this.quote, citation !== null && !state.isLit);
    this.method.textContent = methodText(citation);
    show(this.method, Boolean(methodText(citation)));
  }

  // What is known of the document that is open; whether all of its vectors are made is not told beside a quote.
  /** @param {Api["DocumentBody"]} doc */
  showDocument({ vectors, labels }, isQuote) {
    const isPending = vectors === "pending" && !isQuote;
    this.vectors.textContent = isPending ? t("vectors_pending") : "";
    show(this.vectors, isPending);
    this.showLabels(labels);
  }

  /** @param {Api["LabelMark"][]} labels */
  showLabels(labels) {
    this.labels.replaceChildren(...labels.map((label) => labelChip(label)));
    show(this.labels, labels.length > 0);
  }

  showProblem(text) {
    this.problem.textContent = text ?? "";
    show(this.problem, Boolean(text));
  }
}
