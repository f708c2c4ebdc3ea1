// Beside an open document: the incident that it tells of, with facts, where documents differ, times and
// incidents like it. Read when it is opened, and once an incident. Knows the calls.

import { basePath, getJson } from "./api.js";
import { el, focused, icon, show } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";
import { similarList } from "./incident_list.js";
import { briefView, headOf } from "./incident_view.js";

const MAX_SIMILAR = 5;

export class ViewerFacts {
  #on;
  #kbId = "";
  /** @type {Api["IncidentBody"][]} */
  #items = []; // the incidents that what is open tells of
  #number = null; // of the one that is shown
  #isOpen = false;
  /** @type {Map<number, {incident: Api["WholeIncidentBody"], similar: Api["SimilarIncidentBody"][]}>} */
  #known = new Map();
  button = el("button", { type: "button", class: "quiet-button", "aria-controls": "viewer-facts", hidden: true, onclick: () => this.#toggle() });
  link = el("span"); // the way to the whole incident, or to the list of several
  panel = el("section", { class: "viewer-facts", id: "viewer-facts", tabindex: "0", hidden: true });

  // on: {open(fact, facts): the reader wants to see its words, go(number): another incident}
  constructor(on) {
    this.#on = on;
  }

  // The viewer was closed: what was read may be old when it is opened again.
  forget() {
    this.#known.clear();
  }

  // The keyboard goes to what has this key, where it is there.
  focus(key) {
    const place = /** @type {HTMLElement | null} */ (this.panel.querySelector(`[data-key="${CSS.escape(key ?? "")}"]`));
    place?.focus();
  }

  // What is open now tells of these; `number`: of which one, null where that is not known.
  /** @param {string} kbId @param {Api["IncidentBody"][]} items @param {number | null} number */
  follow(kbId, items, number) {
    if (kbId !== this.#kbId) this.#known.clear();
    this.#kbId = kbId;
    const isKept = items.some((item) => item.number === this.#number);
    this.#items = items;
    if (!isKept) this.#number = number ?? items[0]?.number ?? null;
    show(this.button, items.length > 0);
    this.#show();
  }

  #toggle() {
    this.#isOpen = !this.#isOpen;
    this.#show();
  }

  async #show() {
    const isShown = this.#isOpen && this.#items.length > 0;
    this.button.setAttribute("aria-expanded", String(isShown));
    this.button.replaceChildren(icon("incident"), t("viewer_facts"));
    this.panel.setAttribute("aria-label", t("viewer_facts"));
    show(this.panel, isShown);
    if (!isShown) return;
    try {
      await this.#load();
      this.#draw();
    } catch (error) {
      this.panel.replaceChildren(this.link, el("p", { class: "notice notice-bad", role: "alert" }, errorText(error)));
    }
  }

  async #load() {
    const number = this.#number;
    if (this.#known.has(number)) return;
    const path = `${basePath(this.#kbId)}/incidents/${number}`;
    const [incident, { items: similar }] = await Promise.all([getJson(path), getJson(`${path}/similar`, { limit: MAX_SIMILAR })]);
    this.#known.set(number, { incident, similar });
  }

  #draw() {
    const found = this.#known.get(this.#number);
    if (!found) return;
    const key = this.panel.contains(focused()) ? focused().dataset.key : null;
    const { incident, similar } = found;
    const on = { open: (fact) => this.#on.open(fact, incident.facts) };
    this.panel.replaceChildren(this.link, ...this.#choice(), ...briefView(incident, on), similarList(similar, (number) => this.#on.go(number)) || "");
    if (key) this.focus(key);
  }

  // Which of several incidents of a document is shown.
  #choice() {
    if (this.#items.length < 2) return [];
    const choose = (event) => {
      this.#number = Number(event.currentTarget.value);
      this.#show();
    };
    const options = this.#items.map((item) => el("option", { value: String(item.number), selected: item.number === this.#number }, headOf(item)));
    return [el("select", { "aria-label": t("incident_show_of"), "data-key": "choice", onchange: choose }, options)];
  }
}
