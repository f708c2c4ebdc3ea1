// Knowledge bases: the list in the sidebar, creating, renaming, deleting. Knows which base is chosen;
// going to another one is the business of `open`.

import { basePath, getJson, sendJson } from "./api.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { announce, byId, el, isInView, redraw, show } from "./dom.js";
import { forgetBase } from "./drafts.js";
import { formatNumber, onLanguage, t } from "./i18n/i18n.js";
import { isAdmin, rightsIn } from "./rights.js";

const LAST_ITEM = "kb.last_base";
const PAGE_SIZE = 100;
const GONE = "kb_not_found";

export class Bases {
  #open;
  #guard;
  #cursor = null;
  #goneIds = new Set();
  /** @type {Api["KnowledgeBaseBody"][]} */
  items = [];
  /** @type {Api["KnowledgeBaseBody"]} */
  chosen = null;

  // `open(base or null)` goes there; `guard(run)` runs an action and reports its error.
  constructor(open, guard) {
    this.#open = open;
    this.#guard = guard;
    byId("new-base").addEventListener("click", () => this.#guard(() => this.create()));
    byId("rename-base").addEventListener("click", () => this.#guard(() => this.rename()));
    byId("delete-base").addEventListener("click", () => this.#guard(() => this.remove()));
    byId("more-bases").addEventListener("click", () => this.#guard(() => this.#loadMore()));
    onLanguage(() => this.render());
    // Conversations that come later leave the list less room.
    new ResizeObserver(() => this.#chosenRow?.scrollIntoView({ block: "nearest" })).observe(byId("base-list"));
  }

  async load() {
    this.items = [];
    this.#cursor = null;
    await this.#loadMore();
  }

  // The base with this id, whether or not the list has come to it; null when there is none.
  async find(id) {
    const found = this.items.find((base) => base.id === id);
    if (found || this.#goneIds.has(id)) return found ?? null;
    const base = await getJson(basePath(id)).catch((error) => {
      if (error.code !== GONE) throw error;
      return null;
    });
    if (base && !this.items.some((item) => item.id === base.id)) this.items.unshift(base);
    return base;
  }

  // Where to begin: the base used last, or else the first.
  get home() {
    const last = localStorage.getItem(LAST_ITEM);
    return this.items.find((base) => base.id === last) ?? this.items[0] ?? null;
  }

  get demo() {
    return this.items.find((base) => base.name.toLowerCase() === "demo") ?? null;
  }

  choose(base) {
    this.chosen = base;
    rightsIn(base?.id ?? null);
    if (base) localStorage.setItem(LAST_ITEM, base.id);
    this.render();
    this.#chosenRow?.scrollIntoView({ block: "nearest" });
  }

  isGone(id) {
    return this.#goneIds.has(id);
  }

  // It was deleted, here or elsewhere.
  forget(id) {
    this.#goneIds.add(id);
    this.items = this.items.filter((base) => base.id !== id);
    forgetBase(id);
    this.render();
  }

  // Reads the first part of the list again: bases and counts may have changed elsewhere.
  async refresh() {
    /** @type {Api["ListBody_KnowledgeBaseBody_"]} */
    const page = await getJson("kb", { limit: PAGE_SIZE });
    const fresh = new Map(page.items.map((base) => [base.id, base]));
    const known = this.#cursor === null && page.next_cursor === null
      ? this.items.filter((base) => fresh.has(base.id) || base.id === this.chosen?.id)
      : this.items;
    const kept = new Set(known.map((base) => base.id));
    const others = page.items.filter((base) => !kept.has(base.id) && !this.#goneIds.has(base.id));
    this.items = [...known.map((base) => fresh.get(base.id) ?? base), ...others];
    this.chosen = fresh.get(this.chosen?.id) ?? this.chosen;
    this.render();
  }

  // A base as it is now, told beside its documents.
  /** @param {Api["KnowledgeBaseBody"]} base */
  take(base) {
    const known = this.items.find((item) => item.id === base.id);
    if (known && JSON.stringify(known) !== JSON.stringify(base)) this.#replace(base);
  }

  async create() {
    const made = await askTexts({
      title: t("base_new"),
      fields: [
        { name: "name", label: t("base_name"), isRequired: true, hint: t("base_name_hint") },
        { name: "description", label: t("base_description") },
      ],
      confirm: t("create"),
      submit: ({ name, description }) => sendJson("POST", "kb", description ? { name, description } : { name }),
    });
    if (!made) return;
    this.items.unshift(made);
    announce(t("base_created", { name: made.name }));
    await this.#open(made);
  }

  async rename() {
    const base = this.chosen;
    const changed = await askTexts({
      title: t("base_rename"),
      fields: [
        ...(isAdmin() ? [{ name: "name", label: t("base_name"), value: base.name, isRequired: true }] : []),
        { name: "description", label: t("base_description"), value: base.description },
      ],
      confirm: t("save"),
      submit: (values) => sendJson("PATCH", basePath(base.id), values),
    });
    if (changed) this.#replace(changed);
  }

  // `change()` resolves to the base with what it masks now, null when dismissed.
  async mask(change) {
    const changed = await change();
    if (!changed) return;
    this.#replace(changed);
    announce(t("masking_saved"));
  }

  async remove() {
    const shown = this.chosen;
    const base = (await getJson(basePath(shown.id))) ?? shown;
    const isGone = await confirmLoss({
      title: t("base_delete_title", { name: base.name }),
      losses: [
        t("loss_documents", { count: base.num_documents }),
        t("loss_passages", { count: base.num_chunks }),
        t("loss_conversations"),
      ],
      confirm: t("base_delete"),
      submit: () => sendJson("DELETE", basePath(base.id)),
    });
    if (!isGone) return;
    const isLeft = base.id !== this.chosen?.id;
    this.forget(base.id);
    announce(t("base_deleted", { name: base.name }));
    if (isLeft) return;
    await this.#open(this.items[0] ?? null);
    byId("main").focus();
  }

  async #loadMore() {
    /** @type {Api["ListBody_KnowledgeBaseBody_"]} */
    const page = await getJson("kb", { cursor: this.#cursor, limit: PAGE_SIZE });
    const known = new Set(this.items.map((base) => base.id));
    this.items.push(...page.items.filter((base) => !known.has(base.id)));
    this.#cursor = page.next_cursor;
    this.render();
  }

  #replace(base) {
    this.items = this.items.map((item) => (item.id === base.id ? base : item));
    if (this.chosen?.id === base.id) this.chosen = base;
    this.render();
  }

  get #chosenRow() {
    return byId("base-list").querySelector("[aria-current]");
  }

  // The chosen base stays in view where it is: the list may come after it, in another order.
  render() {
    const isSeen = isInView(this.#chosenRow, byId("base-list"));
    redraw(byId("base-list"), ...this.items.map((base) => this.#row(base)));
    if (isSeen) this.#chosenRow?.scrollIntoView({ block: "nearest" });
    show(byId("more-bases"), this.#cursor !== null);
    show(byId("base-actions"), this.chosen !== null);
    this.#renderHead();
  }

  #renderHead() {
    const base = this.chosen;
    byId("base-name").textContent = base?.name ?? t("welcome_title");
    const counts = base && `${t("num_documents", { count: base.num_documents })} · ${t("num_passages", { count: base.num_chunks })}`;
    byId("base-counts").textContent = counts ?? t("welcome_short");
    byId("base-description").textContent = base?.description ?? "";
    byId("base-description").title = base?.description ?? "";
    document.title = base ? `${base.name} · kb-service` : "kb-service";
  }

  #row(base) {
    const isChosen = base.id === this.chosen?.id;
    const open = { type: "button", class: "base-row", title: base.name, "data-key": base.id, "aria-current": isChosen ? "true" : null, onclick: () => this.#open(base) };
    return el("li", {},
      el("button", open,
        el("span", { class: "base-row-name", dir: "auto" }, base.name),
        el("span", { class: "base-row-count" }, formatNumber(base.num_documents), el("span", { class: "visually-hidden" }, ` ${t("documents_word", { count: base.num_documents })}`))));
  }
}
