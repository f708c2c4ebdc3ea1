// What happened, each once: the list of a base, or one incident whole. Knows the calls of incidents and
// what a person may set right; drawing is the business of incident_view and incident_list.

import { basePath, getJson, sendJson } from "./api.js";
import { askTexts } from "./dialogs.js";
import { announce, byId, clear, el, icon, redraw } from "./dom.js";
import { oneLine, quotesOf, recordName, valueText } from "./fact_words.js";
import { codeText, errorText, onLanguage, t } from "./i18n/i18n.js";
import { incidentTable, similarList } from "./incident_list.js";
import { incidentView } from "./incident_view.js";

const PAGE_SIZE = 50;
const NUM_SIMILAR = 5;
const GONE = "incident_not_found";

/** @typedef {{kbId: string, number: number | null, within: string | null}} Shown */

export class Incidents {
  /** @type {Shown} */
  #shown = { kbId: null, number: null, within: null };
  /** @type {{items: Api["IncidentBody"][], cursor: string | null, name: string} | null} */
  #list = null;
  /** @type {Api["WholeIncidentBody"] | null} */
  #incident = null;
  /** @type {Api["SimilarIncidentBody"][]} */
  #similar = [];
  #undone = null; // the record that was taken apart last, and its own incident
  #error = null;
  #hooks;

  // hooks: {guard(run), open(view, quote, button), go(number or null, within)}
  constructor(hooks) {
    this.#hooks = hooks;
    onLanguage(() => this.#draw());
  }

  enter(kbId) {
    this.#shown = { kbId, number: null, within: null };
    this.#clear();
  }

  // Shows one incident, or the list: of the base, or of the document `within`. What is shown stays.
  async show(number, within) {
    const asked = number ? Number(number) : null;
    const { kbId } = this.#shown;
    const isShown = asked === this.#shown.number && within === this.#shown.within && (this.#list || this.#incident);
    if (isShown) return;
    this.#shown = { kbId, number: asked, within };
    this.#clear();
    await this.#load();
    if (asked && !byId("panel-incidents").hidden) byId("incident-title")?.focus({ preventScroll: true });
  }

  // Documents have changed: what is shown is read again; else it is when it is shown next.
  async refresh() {
    if (!this.#list && !this.#incident) return;
    if (byId("panel-incidents").hidden) {
      this.#clear();
      this.#shown = { ...this.#shown, number: null, within: null };
    } else await this.#load();
  }

  // The incident that cited words tell of: a row's own before its document's; null for none.
  async numberOf(kbId, { document_id: id, revision, source }) {
    /** @type {Api["IncidentListBody"]} */
    const { items } = await getJson(`${basePath(kbId)}/incidents`, { document: id, revision, start: source.start, end: source.end, limit: 20 });
    const ofRow = items.find(({ records }) => records.some((told) => told.document_id === id && told.record > 0));
    return (ofRow ?? items[0])?.number ?? null;
  }

  #clear() {
    this.#list = null;
    this.#incident = null;
    this.#similar = [];
    this.#undone = null;
    this.#error = null;
    clear(byId("incidents"));
  }

  async #load() {
    const shown = this.#shown;
    const place = byId("incidents");
    place.setAttribute("aria-busy", "true");
    try {
      if (shown.number) await this.#loadOne(shown);
      else await this.#loadList(shown);
      if (shown === this.#shown) this.#error = null;
    } catch (error) {
      if (shown !== this.#shown) return;
      this.#error = error;
    }
    if (shown !== this.#shown) return;
    place.removeAttribute("aria-busy");
    this.#draw();
  }

  /** @param {Shown} shown */
  async #loadOne(shown) {
    const path = `${basePath(shown.kbId)}/incidents/${shown.number}`;
    const [incident, similar] = await Promise.all([getJson(path), getJson(`${path}/similar`, { limit: NUM_SIMILAR })]);
    if (shown !== this.#shown) return;
    this.#incident = incident;
    this.#similar = similar.items;
  }

  /** @param {Shown} shown */
  async #loadList(shown, cursor = null) {
    /** @type {Api["IncidentListBody"]} */
    const page = await getJson(`${basePath(shown.kbId)}/incidents`, { document: shown.within, cursor, limit: PAGE_SIZE });
    if (shown !== this.#shown) return;
    const before = cursor ? this.#list.items : [];
    const items = [...before, ...page.items];
    const named = items.flatMap(({ records }) => records).find((told) => told.document_id === shown.within);
    this.#list = { items, cursor: page.next_cursor, name: named?.document_name ?? "" };
  }

  #draw() {
    redraw(byId("incidents"), ...this.#parts());
  }

  #parts() {
    const all = () => this.#hooks.go(null, null);
    if (this.#error) {
      const said = this.#error.code === GONE ? t("incident_gone") : errorText(this.#error);
      return [el("p", { class: "notice notice-bad", role: "alert" }, said), el("p", {}, el("button", { type: "button", class: "plain-button", onclick: all }, t("incidents_all")))];
    }
    if (this.#incident) return [this.#undoLine(), ...incidentView(this.#incident, this.#actions(all)), similarList(this.#similar, (number) => this.#hooks.go(number, null))].filter(Boolean);
    return this.#list ? this.#listParts(this.#list) : [];
  }

  #listParts({ items, cursor, name }) {
    const { within } = this.#shown;
    const chip = within ? el("p", {}, el("button", { type: "button", class: "filter-chip", "aria-label": t("scope_remove", { what: name }), onclick: () => this.#hooks.go(null, null) }, el("bdi", {}, name || within), icon("close"))) : "";
    const more = cursor ? el("button", { type: "button", class: "plain-button load-more", "data-key": "more", onclick: () => this.#hooks.guard(() => this.#loadMore(cursor)) }, t("load_more")) : "";
    if (!items.length) return [chip, el("p", { class: "list-empty" }, t("incidents_none"))].filter(Boolean);
    return [chip, incidentTable(items, (number) => this.#hooks.go(number, null)), more].filter(Boolean);
  }

  async #loadMore(cursor) {
    await this.#loadList(this.#shown, cursor);
    this.#draw();
  }

  #actions(all) {
    const { kbId } = this.#shown;
    const act = (run) => (...given) => this.#hooks.guard(() => run(...given));
    const change = (fact, value) => sendJson("PATCH", `${basePath(kbId)}/facts/${fact.id}`, { value });
    return {
      all,
      open: (fact, button) => this.#open(fact, button),
      correct: act((fact) => this.#correct(fact, change)),
      takeBack: act(async (fact) => {
        await change(fact, null);
        announce(t("fact_is_back"));
        await this.#load();
      }),
      unlink: act((record) => this.#unlink(kbId, record)),
      link: act((record) => this.#link(kbId, record)),
    };
  }

  /** @param {Api["FactBody"]} fact */
  async #correct(fact, change) {
    const done = await askTexts({
      title: t("fact_correct_title", { field: codeText("field", fact.field) }),
      intro: t("fact_correct_intro", { words: oneLine(fact.value) }),
      fields: [{ name: "value", label: t("fact_means"), value: fact.correction ? fact.text : valueText(fact), isRequired: true, hint: t("fact_correct_hint") }],
      confirm: t("save"),
      submit: ({ value }) => change(fact, value),
    });
    if (!done) return;
    announce(t("fact_is_corrected"));
    await this.#load();
  }

  // The viewer steps through what the incident states.
  #open(fact, button) {
    const { facts } = this.#incident;
    const view = quotesOf(facts);
    this.#hooks.open(view, view.citations[facts.findIndex(({ id }) => id === fact.id)], button);
  }

  /** @param {Api["RecordBody"]} record */
  async #unlink(kbId, record) {
    await sendJson("DELETE", linkPath(kbId, record));
    this.#undone = { record, number: await numberOfRecord(kbId, record) };
    announce(t("record_is_apart", { name: recordName(record) }));
    await this.#load();
  }

  async #link(kbId, record) {
    await sendJson("POST", linkPath(kbId, record));
    this.#undone = null;
    announce(t("record_is_linked", { name: recordName(record) }));
    const back = await numberOfRecord(kbId, record);
    if (back && back !== this.#shown.number) this.#hooks.go(back, null);
    else await this.#load();
  }

  #undoLine() {
    if (!this.#undone) return "";
    const { record, number } = this.#undone;
    const { kbId } = this.#shown;
    const open = number ? el("button", { type: "button", class: "quiet-button", onclick: () => this.#hooks.go(number, null) }, t("incident_open")) : "";
    return el("p", { class: "notice notice-plain undo-line", role: "status" }, el("span", {}, t("record_is_apart", { name: recordName(record) })),
      el("button", { type: "button", class: "quiet-button", onclick: () => this.#hooks.guard(() => this.#link(kbId, record)) }, t("record_link")), open);
  }
}

const linkPath = (kbId, { document_id: id, record }) => `${basePath(kbId)}/records/${encodeURIComponent(id)}/${record}/link`;

/** @param {string} kbId @param {Api["RecordBody"]} record */
async function numberOfRecord(kbId, { document_id: id, record }) {
  /** @type {Api["IncidentListBody"]} */
  const { items } = await getJson(`${basePath(kbId)}/incidents`, { document: id, limit: 1000 });
  return items.find(({ records }) => records.some((told) => told.document_id === id && told.record === record))?.number ?? null;
}
