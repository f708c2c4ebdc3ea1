// What the list of documents shows: totals by status as filters, a tag, a part of the name, the
// order. Draws them and tells what the reader chose; knows no network.

import { byId, clear, debounce, el, icon, redraw, show } from "./dom.js";
import { Folders } from "./folders.js";
import { t } from "./i18n/i18n.js";

const STATUSES = ["processing", "pending", "ready", "partial", "failed"];
const COLUMNS = ["name", "size_bytes", "updated_at"]; // those that can be sorted by
const FIRST_DOWN = new Set(["size_bytes", "updated_at"]); // the largest and the latest first
const TYPING_MS = 250;

/** @typedef {{name_contains: string, status: string, tag: string, label: string, folder: string, sort: string}} Wanted */

/** @type {Wanted} */
export const EVERY = { name_contains: "", status: "", tag: "", label: "", folder: "", sort: "name" };

/** @type {(wanted: Wanted) => boolean} */
export const isNarrowed = (wanted) => Boolean(wanted.name_contains || wanted.tag || wanted.label || wanted.folder);

// What is said in the place of an empty list.
/** @param {Wanted} wanted */
export function emptyParts(wanted) {
  const isAll = !isNarrowed(wanted) && !wanted.status;
  const text = wanted.name_contains ? t("filter_none", { name: wanted.name_contains }) : t(isAll ? "documents_none" : "filter_nothing");
  return [el("p", {}, text), ...(isAll ? [el("p", { class: "meta" }, t("documents_none_more"))] : [])];
}

export class ListHead {
  #choose;
  #folders;

  // `choose(change)`: the reader wants another list
  constructor(choose) {
    this.#choose = choose;
    this.#folders = new Folders(byId("folders"), choose);
    const type = debounce(() => choose({ name_contains: byId("document-filter").value.trim() }), TYPING_MS);
    byId("document-filter").addEventListener("input", type);
  }

  clear() {
    byId("document-filter").value = "";
    byId("list-summary").textContent = "";
    clear(byId("status-filters"));
  }

  /** @param {string} kbId @param {Wanted} wanted @param {Record<string, number>} totals @param {boolean} isAnything */
  draw(kbId, wanted, totals, isAnything) {
    const present = STATUSES.filter((status) => totals[status] > 0);
    const text = present.map((status) => t(`count_${status}`, { count: totals[status] })).join(" · ");
    if (byId("list-summary").textContent !== text) byId("list-summary").textContent = text;
    show(byId("list-head"), isAnything);
    byId("documents-top").classList.toggle("is-compact", isAnything);
    this.#drawFilters(wanted, totals, present);
    this.#drawOrder(wanted.sort);
    this.#folders.follow(kbId, wanted.folder, JSON.stringify(isNarrowed(wanted) ? null : totals), isAnything);
  }

  /** @param {Wanted} wanted */
  #drawFilters(wanted, totals, present) {
    const total = present.reduce((sum, status) => sum + totals[status], 0);
    const named = wanted.status && !present.includes(wanted.status) ? [...present, wanted.status] : present;
    const chip = (status, label) =>
      el("button", { type: "button", class: `filter-chip chip-${status || "all"}`, "aria-pressed": String(wanted.status === status), "data-key": status || "all", onclick: () => this.#choose({ status }) }, label);
    const mark = (name) => wanted[name] && el("button", { type: "button", class: "filter-chip", "data-key": name, "aria-label": t(`filter_${name}_remove`, { [name]: wanted[name] }), onclick: () => this.#choose({ [name]: "" }) }, el("bdi", {}, wanted[name]), icon("close"));
    redraw(byId("status-filters"),
      chip("", t("count_all", { count: total })),
      ...named.map((status) => chip(status, t(`count_${status}`, { count: totals[status] ?? 0 }))),
      ...["tag", "label", "folder"].map(mark).filter(Boolean));
  }

  #drawOrder(sort) {
    const isDown = sort.startsWith("-");
    const current = sort.replace("-", "");
    for (const column of COLUMNS) {
      const head = byId(`column-${column}`);
      const isCurrent = column === current;
      head.setAttribute("aria-sort", isCurrent ? (isDown ? "descending" : "ascending") : "none");
      const other = FIRST_DOWN.has(column) ? `-${column}` : column;
      const next = isCurrent ? (isDown ? column : `-${column}`) : other;
      head.firstElementChild.onclick = () => this.#choose({ sort: next });
    }
  }
}
