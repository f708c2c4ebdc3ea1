// Brings the parts of the page to a place: base, view, conversation, viewer. A place comes from the
// address, or from what the reader chose. Knows the order of things, draws nothing.

import { documentPath, getJson } from "./api.js";
import { CLOSED } from "./address.js";
import { NAMES } from "./tabs.js";

const ELSEWHERE = { ...CLOSED, view: null, query: null, incident: null, within: null };
const lastItem = (kbId) => `kb.conversation.${kbId}`;

export class Navigation {
  #parts;
  #turn = 0;
  #named = new Map(); // thread of an address -> id of the conversation that began there

  // parts: {address, bases, ask, conversations, documents, incidents, search, setup, tabs, uploads, viewer, watches,
  // notices,
  // frame(base, missingId)}
  constructor(parts) {
    this.#parts = parts;
  }

  // The place that the address names; without a base, where the reader was last.
  async start() {
    const { address, bases } = this.#parts;
    if (!address.place.base && bases.home) address.amend(placeIn(bases.home.id));
    await this.show(address.place);
  }

  // A base, with the conversation that this tab last had in it.
  async openBase(base) {
    this.#parts.address.go({ ...ELSEWHERE, ...placeIn(base?.id ?? null) });
    await this.show(this.#parts.address.place);
  }

  // A conversation of another base.
  async openElsewhere(kbId, conversation) {
    this.#parts.address.go({ ...ELSEWHERE, base: kbId, conversation });
    await this.show(this.#parts.address.place);
  }

  // Another conversation of a base; null begins one. One of a base that was left stays there.
  async openConversation(kbId, conversation) {
    if (kbId !== this.#parts.bases.chosen?.id) return;
    this.#parts.address.go({ ...ELSEWHERE, base: kbId, conversation });
    await this.show(this.#parts.address.place);
  }

  openView(name) {
    const { address, tabs } = this.#parts;
    address.go({ view: name === "ask" ? null : name, incident: null, within: null });
    tabs.choose(name);
    this.#fill(address.place);
  }

  // One incident, or with null the list: of the base, or of one document. What the viewer has open
  // stays beside it.
  openIncident(incident, within, change = {}) {
    const { address, tabs } = this.#parts;
    address.go({ ...change, view: "incidents", incident, within });
    tabs.choose("incidents");
    this.#fill(address.place);
  }

  // What a view shows besides the thread; it says itself what goes wrong.
  #fill({ view, query, incident, within }) {
    const { ask, incidents, search, setup, watches } = this.#parts;
    if (!view || view === "ask") return ask.showTeaching();
    if (view === "search") return search.show(query);
    if (view === "incidents") return incidents.show(incident, within);
    if (view === "watches") return watches.show();
    if (view === "setup") return setup.show();
    return null;
  }

  // Looks for words in the base; Back leads to what was looked for before.
  async openSearch(query) {
    this.#parts.address.go({ ...CLOSED, view: "search", query });
    await this.show(this.#parts.address.place);
  }

  // The conversation on the page has this id now.
  remember(kbId, conversation) {
    const { address, bases, conversations } = this.#parts;
    sessionStorage.setItem(lastItem(kbId), conversation);
    if (kbId !== bases.chosen?.id) return;
    this.#named.set(address.thread, conversation);
    address.amend({ conversation });
    conversations.choose(conversation);
  }

  // Shows a place; one that is shown already stays as it is. A later call wins.
  async show(asked) {
    const turn = (this.#turn += 1);
    const { bases, frame, tabs } = this.#parts;
    const place = this.#withName(asked);
    const base = place.base ? await bases.find(place.base) : null;
    if (turn !== this.#turn) return;
    if (base === null || base.id !== bases.chosen?.id) await this.#enter(base);
    if (turn !== this.#turn) return;
    frame(base, base ? null : place.base);
    tabs.choose(NAMES.includes(place.view) ? place.view : "ask");
    tabs.enable(base !== null);
    if (!base) return;
    await this.#openThread(base, place.conversation);
    await this.#fill(place);
    if (turn !== this.#turn) return;
    if (place.answer) this.#parts.ask.showAnswer(place.answer);
    if (turn === this.#turn) await this.#openViewer(base, place);
  }

  // An entry of the history from before its conversation had an id.
  #withName(place) {
    const { address } = this.#parts;
    const name = place.conversation ? null : this.#named.get(address.thread);
    if (!name) return place;
    address.amend({ conversation: name });
    return address.place;
  }

  async #enter(base) {
    const { ask, bases, conversations, documents, incidents, notices, search, setup, uploads, viewer, watches } = this.#parts;
    viewer.close();
    bases.choose(base);
    notices.enter(base?.id ?? null);
    uploads.enter(base?.id ?? null);
    if (!base) await ask.open(null, null);
    search.enter(base?.id ?? null);
    incidents.enter(base?.id ?? null);
    watches.enter(base?.id ?? null);
    setup.enter(base?.id ?? null);
    documents.choose(base);
    conversations.enter(base?.id ?? null);
  }

  async #openThread(base, conversation) {
    const { ask, conversations } = this.#parts;
    conversations.choose(conversation);
    if (conversation) sessionStorage.setItem(lastItem(base.id), conversation);
    else sessionStorage.removeItem(lastItem(base.id));
    await ask.open(base, conversation);
  }

  async #openViewer(base, { quote, document: documentId }) {
    const { address, ask, viewer } = this.#parts;
    const wanted = quote ?? documentId;
    if (!wanted) viewer.close();
    if (!wanted || wanted === viewer.shownId) return;
    const cited = quote && ask.find(quote);
    if (cited) return viewer.openCitation(base.id, cited.view, cited.citation, cited.view.markOf(cited.citation.id));
    const doc = documentId && (await getJson(documentPath(base.id, documentId)).catch(() => null));
    if (doc?.revision) viewer.openDocument(base.id, doc, null);
    else address.amend(CLOSED); // what the address names is not there any more
  }
}

const placeIn = (kbId) => ({ base: kbId, conversation: kbId && sessionStorage.getItem(lastItem(kbId)) });
