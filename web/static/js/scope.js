// In what the next question is asked: documents, labels, tags, kinds of happening, days. Chips above the question box, kept by
// base in the browser until they are taken away. Knows the shape of filters; the dialog picks.

import { all, el, icon } from "./dom.js";
import { keepScope, scopeOf } from "./drafts.js";
import { codeText, formatDate, onLanguage, t } from "./i18n/i18n.js";
import { pickScope } from "./scope_dialog.js";

// `since`, `until`: days on which it happened; `from`, `to`: on which a document was changed.
// `bases`: asked as well, each by itself.
/** @typedef {{documents: {id: string, name: string}[], bases: {id: string, name: string}[], tags: string[], labels: string[], kinds: string[], since: string, until: string, from: string, to: string}} Chosen */

/** @type {Chosen} */
export const NOTHING = { documents: [], bases: [], tags: [], labels: [], kinds: [], since: "", until: "", from: "", to: "" };
const DAYS = ["since", "until", "from", "to"];

export class Scope {
  #kbId = null;
  /** @type {Chosen} */
  #chosen = NOTHING;

  // `guard(run)`: runs an action and reports its error
  constructor(guard) {
    for (const button of all(document, "[data-scope-button]")) button.addEventListener("click", () => guard(() => this.#pick()));
    onLanguage(() => this.#draw());
    addEventListener("labelchange", (event) => this.#rename(/** @type {CustomEvent} */ (event).detail));
  }

  enter(kbId) {
    this.#kbId = kbId;
    this.#chosen = { ...NOTHING, ...(kbId ? scopeOf(kbId) : null) };
    this.#draw();
  }

  // Ask only these documents from now on.
  /** @param {{id: string, name: string}[]} docs */
  only(docs) {
    this.#set({ ...NOTHING, documents: docs.map(({ id, name }) => ({ id, name })) });
  }

  // Further bases that are asked.
  get bases() {
    return this.#chosen.bases;
  }

  // The filters of a call, undefined when everything is asked.
  get filters() {
    const { documents, tags, labels, kinds, since, until, from, to } = this.#chosen;
    const filters = {
      ...(documents.length ? { document_ids: documents.map(({ id }) => id) } : {}),
      ...(tags.length ? { tags } : {}),
      ...(labels.length ? { labels } : {}),
      ...(kinds.length ? { kind: kinds } : {}),
      ...(since ? { time_from: since } : {}),
      ...(until ? { time_to: until } : {}),
      ...(from ? { date_from: from } : {}),
      ...(to ? { date_to: to } : {}),
    };
    return Object.keys(filters).length ? filters : undefined;
  }

  async #pick() {
    const picked = await pickScope(this.#kbId, this.#chosen);
    if (picked) this.#set(picked);
  }

  // A label that is asked by has another name now; null: it is gone.
  #rename({ kbId, before, after }) {
    const { labels } = this.#chosen;
    if (kbId !== this.#kbId || !labels.includes(before)) return;
    this.#set({ ...this.#chosen, labels: labels.map((label) => (label === before ? after : label)).filter(Boolean) });
  }

  #set(chosen) {
    this.#chosen = chosen;
    if (this.#kbId) keepScope(this.#kbId, this.filters || chosen.bases.length ? chosen : null);
    this.#draw();
    dispatchEvent(new Event("scopechange"));
  }

  // Where one asks and where one searches: the same chips.
  #draw() {
    for (const place of all(document, "[data-scope]")) this.#drawIn(place);
  }

  #drawIn(place) {
    const { documents, bases, tags, labels, kinds } = this.#chosen;
    const further = bases.map((base) => this.#chip(base.name, { bases: bases.filter((other) => other.id !== base.id) }));
    const chips = [
      ...documents.map((doc) => this.#chip(doc.name, { documents: documents.filter((other) => other.id !== doc.id) })),
      ...labels.map((label) => this.#chip(t("scope_label", { label }), { labels: labels.filter((other) => other !== label) })),
      ...tags.map((tag) => this.#chip(t("scope_tag", { tag }), { tags: tags.filter((other) => other !== tag) })),
      ...kinds.map((kind) => this.#chip(codeText("happening", kind), { kinds: kinds.filter((other) => other !== kind) })),
      ...DAYS.filter((name) => this.#chosen[name]).map((name) => this.#chip(t(`scope_${name}`, { day: formatDate(this.#chosen[name]) }), { [name]: "" })),
    ];
    const all = chips.length > 1 ? [el("button", { type: "button", class: "quiet-button", onclick: () => this.#leave(NOTHING) }, t("scope_all"))] : [];
    const head = chips.length ? [el("span", { class: "meta" }, t("scope_only"))] : [];
    place.replaceChildren(...head, ...chips, ...all, ...(further.length ? [el("span", { class: "meta" }, t("scope_also"))] : []), ...further);
  }

  // The chip goes with its words; the keyboard stays where chips are, or goes back to the box.
  #leave(change) {
    this.#set({ ...this.#chosen, ...change });
    const places = all(document, "[data-scope] button, #question, #search-box");
    places.find((place) => place.checkVisibility())?.focus();
  }

  #chip(text, without) {
    return el("button", { type: "button", class: "filter-chip", "aria-label": t("scope_remove", { what: text }), title: text, onclick: () => this.#leave(without) },
      el("bdi", { class: "chip-text" }, text), icon("close"));
  }
}
