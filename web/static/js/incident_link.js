// The way from words of a document to the incident that they tell of: a button that is there when there
// is one. Knows the call that finds it.

import { basePath, getJson } from "./api.js";
import { el, icon, show } from "./dom.js";
import { t } from "./i18n/i18n.js";

const MAX_SEEN = 20;

export class IncidentLink {
  #turn = 0;
  #number = null; // of the one incident; null while there are several
  element;

  #found;

  // `onOpen(number)`: null for several; `found(kbId, items, number)`: what is told of by what is open
  constructor(onOpen, found) {
    this.#found = found;
    this.element = el("button", { type: "button", class: "quiet-button incident-link", "data-key": "whole", hidden: true, onclick: () => onOpen(this.#number) });
  }

  // What is open now: cited words tell of one incident, a document may tell of several.
  async follow(kbId, { documentId, revision, citation, start, end }) {
    const turn = (this.#turn += 1);
    const span = citation ? { start, end } : {};
    const found = await getJson(`${basePath(kbId)}/incidents`, { document: documentId, revision, ...span, limit: MAX_SEEN }).catch(() => null);
    if (turn !== this.#turn) return;
    /** @type {Api["IncidentBody"][]} */
    const items = found?.items ?? [];
    const ofRow = citation && items.find(({ records }) => records.some((told) => told.document_id === documentId && told.record > 0));
    this.#number = ofRow?.number ?? (items.length === 1 ? items[0].number : null);
    this.element.replaceChildren(icon("incident"), t(this.#number ? "incident_whole" : "incident_show_of"));
    show(this.element, items.length > 0);
    this.#found(kbId, items, this.#number);
  }
}
