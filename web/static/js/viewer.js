// The viewer: a side panel on wide screens, a modal dialog on narrow ones. Steps through the quotes
// of an answer and the pages of a document. Knows where it stands; pictures and text draw themselves.

import { documentPath, getJson } from "./api.js";
import { byId, focused } from "./dom.js";
import { quotesOf } from "./fact_words.js";
import { errorText, onLanguage, t } from "./i18n/i18n.js";
import { FindInside } from "./find_inside.js";
import { PictureView } from "./picture_view.js";
import { SidePanel } from "./side_panel.js";
import { stopOf, stopsOf } from "./stops.js";
import { TextView } from "./text_view.js";
import { ViewerBar } from "./viewer_bar.js";
import { ViewerFacts } from "./viewer_facts.js";

const NO_PICTURE = "page_has_no_picture";
const GONE = "document_not_found";

export class Viewer {
  #dialog = byId("viewer");
  #panel = new SidePanel(byId("viewer"), () => this.#closed());
  #picture = new PictureView();
  #text = new TextView();
  #withoutPictures = new Set(); // document ids
  #loading = new AbortController();
  #facts = new ViewerFacts({ open: (fact, facts) => this.#openFact(fact, facts), go: (number) => this.#openIncidents(number) });
  #bar = null;
  #kbId = "";
  #stops = [];
  #index = 0;
  #page = null;
  #numPages = null;
  #wantsText = false;
  #opener = null;
  #answer = null; // whose quotes are shown
  #hooks;

  // hooks: {quoted(name), closed(name)}: what the viewer shows, or showed, told when that changes;
  // {incidents(kbId, number, within, isBeside)}: the reader wants to see what is told here
  constructor(hooks) {
    this.#hooks = hooks;
    onLanguage(() => this.#panel.isOpen && this.#rebuild());
  }

  // `answer`: an AnswerView; its marks follow the quote that is shown.
  openCitation(kbId, answer, citation, opener) {
    const stops = stopsOf(answer.citations);
    this.#open(kbId, stops, Math.max(0, stops.findIndex((stop) => stop.citation.id === citation.id)), opener, answer);
  }

  openDocument(kbId, doc, opener) {
    this.#open(kbId, [stopOf(doc)], 0, opener, null);
  }

  // The words of a fact that stands beside; the keyboard stays there.
  #openFact(fact, facts) {
    const { key } = focused().dataset;
    this.#hooks.closed(this.#name);
    const view = quotesOf(facts);
    this.openCitation(this.#kbId, view, view.citations.find(({ id }) => id === `fact${fact.id}`), this.#opener);
    this.#facts.focus(key);
  }

  // Takes what is new of the document that is open.
  /** @param {Api["DocumentBody"][]} docs */
  follow(docs) {
    const { documentId, revision } = this.#stop ?? {};
    const doc = docs.find((listed) => listed.id === documentId && listed.revision?.sha256 === revision);
    if (doc && this.#panel.isOpen) this.#bar.showDocument(doc, this.#stop.citation !== null);
  }

  // Something was deleted in a base: what is open may be gone, or may belong to it.
  async recheck(kbId) {
    if (!this.#panel.isOpen || kbId !== this.#kbId) return;
    const stop = this.#stop;
    const isGone = (error) => error.code === GONE && stop === this.#stop && this.#fail(error);
    await getJson(documentPath(kbId, stop.documentId)).catch(isGone);
  }

  // The name of what is open: a quote's, a document's id, or null.
  get shownId() {
    return this.#panel.isOpen ? this.#name : null;
  }

  get #name() {
    return this.#stop.citation ? this.#answer.nameOf(this.#stop.citation) : this.#stop.documentId;
  }

  close() {
    this.#panel.close();
  }

  #open(kbId, stops, index, opener, answer) {
    this.#answer?.setCurrent(null);
    this.#kbId = kbId;
    this.#stops = stops;
    this.#opener = opener;
    this.#answer = answer;
    this.#wantsText = false;
    this.#go(index);
    this.#rebuild();
    this.#panel.open();
    this.#bar.title.focus({ preventScroll: true });
  }

  #closed() {
    this.#loading.abort();
    this.#picture.clear();
    this.#facts.forget();
    const again = this.#stop.citation && this.#answer.markOf(this.#stop.citation.id);
    (this.#opener?.isConnected ? this.#opener : again)?.focus();
    this.#answer?.setCurrent(null);
    this.#hooks.closed(this.#name);
  }

  get #stop() {
    return this.#stops[this.#index];
  }

  get #showsText() {
    return this.#wantsText || this.#page === null || this.#withoutPictures.has(this.#stop.documentId);
  }

  #rebuild() {
    this.#bar = new ViewerBar({
      close: () => this.close(),
      quote: (step) => this.#stops[this.#index + step] && this.#goAndLoad(this.#index + step),
      page: (step) => this.#turn(step),
      zoom: (step) => this.#picture.canZoom(step) && this.#load((signal) => this.#picture.zoom(step, signal)),
      mode: () => {
        this.#wantsText = !this.#wantsText;
        this.#show();
      },
      incidents: (number) => this.#openIncidents(number),
      facts: this.#facts,
      find: new FindInside({
        find: (words) => this.#text.find(this.#place, words, this.#loading.signal),
        show: (span) => this.#showText(span, true),
      }).element,
    });
    this.#dialog.replaceChildren(...this.#bar.elements);
    this.#loadStop();
  }

  #go(index) {
    this.#index = index;
    this.#page = this.#stop.pageNumber;
    this.#numPages = null;
  }

  #goAndLoad(index) {
    this.#go(index);
    this.#loadStop();
    if (this.#stop.citation) this.#hooks.quoted(this.shownId);
  }

  #loadStop() {
    this.#answer?.setCurrent(this.#stop.citation.id);
    this.#bar.showLabels([]);
    this.#show();
    this.#countPages(this.#stop);
    this.#bar.incidents.follow(this.#kbId, this.#stop);
  }

  // On a narrow screen the incident takes the place of the viewer.
  #openIncidents(number) {
    const { documentId } = this.#stop;
    const { isBeside } = this.#panel;
    this.#hooks.incidents(this.#kbId, number, number ? null : documentId, isBeside);
    if (!isBeside) this.close();
  }

  #turn(step) {
    const page = this.#page + step;
    if (page < 1 || this.#numPages === null || page > this.#numPages) return;
    this.#page = page;
    this.#show();
  }

  // The number of pages is known for the current revision only; an older one shows its cited pages.
  async #countPages(stop) {
    const doc = /** @type {Api["DocumentBody"]} */ (await getJson(documentPath(this.#kbId, stop.documentId)).catch(() => null));
    if (stop !== this.#stop || doc?.revision?.sha256 !== stop.revision) return;
    this.#numPages = doc.revision.num_pages || null;
    this.#bar.showDocument(doc, this.#stop.citation !== null);
    this.#updateBar();
  }

  #updateBar() {
    this.#bar.update({
      ...this.#stop, // title, name, citation
      index: this.#index,
      numStops: this.#stops.length,
      page: this.#page,
      numPages: this.#numPages,
      isText: this.#showsText,
      canShowPicture: this.#page !== null && !this.#withoutPictures.has(this.#stop.documentId),
      picture: this.#picture,
      isLit: this.#showsText || (this.#page === this.#stop.pageNumber && this.#stop.boxes.length > 0),
    });
  }

  async #show() {
    const stop = this.#stop;
    const place = this.#place;
    if (this.#showsText) return this.#showText(stop);
    const boxes = this.#page === stop.pageNumber ? stop.boxes : [];
    const label = t(boxes.length ? "picture_lit" : "picture_plain", { page: this.#page, title: stop.title, text: stop.citation?.cited_text ?? "" });
    this.#bar.body.replaceChildren(this.#picture.element);
    await this.#load((signal) => this.#picture.show({ ...place, pageNumber: this.#page, boxes, label }, signal));
  }

  get #place() {
    const { documentId, revision } = this.#stop;
    return { kbId: this.#kbId, documentId, revision };
  }

  // The text with these words lit: a quote's, or what was looked for inside.
  async #showText({ start, end }, isWanted = this.#wantsText) {
    this.#wantsText = isWanted;
    this.#bar.body.replaceChildren(this.#text.element);
    await this.#load((signal) => this.#text.show({ ...this.#place, start, end }, signal));
  }

  #fail(error) {
    this.#loading.abort();
    this.#bar.body.replaceChildren();
    this.#bar.showProblem(error.code === GONE ? t("cited_deleted") : errorText(error));
  }

  // Runs one load, giving up the one before; a missing picture turns the document to text.
  async #load(run) {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#bar.showProblem(null);
    this.#updateBar();
    try {
      await run(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.code !== NO_PICTURE) return this.#fail(error);
      this.#withoutPictures.add(this.#stop.documentId);
      await this.#show();
    }
    if (!signal.aborted) this.#updateBar();
  }
}
