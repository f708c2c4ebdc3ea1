// Knowledge bases: the list in the sidebar, choosing, creating, renaming, deleting.
// Knows which base is chosen; what happens then is the business of `onChosen`.

import { basePath, getJson, sendJson } from "./api.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { announce, byId, el, show } from "./dom.js";
import { formatNumber, onLanguage, t } from "./i18n/i18n.js";

const LAST_ITEM = "kb.last_base";
const PAGE_SIZE = 100;

export class Bases {
  #onChosen;
  #guard;
  #cursor = null;
  items = [];
  chosen = null;

  // `onChosen(base or null)` shows it; `guard(run)` runs an action and reports its error.
  constructor(onChosen, guard) {
    this.#onChosen = onChosen;
    this.#guard = guard;
    byId("new-base").addEventListener("click", () => this.#guard(() => this.create()));
    byId("rename-base").addEventListener("click", () => this.#guard(() => this.#rename()));
    byId("delete-base").addEventListener("click", () => this.#guard(() => this.#delete()));
    byId("more-bases").addEventListener("click", () => this.#guard(() => this.#loadMore()));
    addEventListener("hashchange", () => this.#followAddress());
    onLanguage(() => this.render());
  }

  // Loads the list and chooses: the address first, then the last one used, then the first.
  async load() {
    this.items = [];
    this.#cursor = null;
    await this.#loadMore();
    const wanted = [addressed(), localStorage.getItem(LAST_ITEM)];
    const found = wanted.map((id) => this.items.find((base) => base.id === id)).find(Boolean);
    await this.choose(found ?? (await this.#fetchAddressed()) ?? this.items[0] ?? null);
  }

  get demo() {
    return this.items.find((base) => base.is_demo || base.name.toLowerCase() === "demo") ?? null;
  }

  async choose(base) {
    this.chosen = base;
    if (base) {
      localStorage.setItem(LAST_ITEM, base.id);
      if (addressed() !== base.id) history.replaceState(null, "", `#base=${encodeURIComponent(base.id)}`);
    }
    this.render();
    await this.#onChosen(base);
  }

  // Reads the counts of the chosen base again.
  async refreshChosen() {
    if (!this.chosen) return;
    this.#replace(await getJson(basePath(this.chosen.id)));
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
    await this.choose(made);
  }

  async #rename() {
    const base = this.chosen;
    const changed = await askTexts({
      title: t("base_rename"),
      fields: [
        { name: "name", label: t("base_name"), value: base.name, isRequired: true },
        { name: "description", label: t("base_description"), value: base.description },
      ],
      confirm: t("save"),
      submit: (values) => sendJson("PATCH", basePath(base.id), values),
    });
    if (changed) this.#replace(changed);
  }

  async #delete() {
    const base = (await getJson(basePath(this.chosen.id))) ?? this.chosen;
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
    this.items = this.items.filter((item) => item.id !== base.id);
    announce(t("base_deleted", { name: base.name }));
    history.replaceState(null, "", "#");
    await this.choose(this.items[0] ?? null);
    byId("main").focus();
  }

  async #loadMore() {
    const page = await getJson("kb", { cursor: this.#cursor, limit: PAGE_SIZE });
    this.items.push(...page.items);
    this.#cursor = page.next_cursor;
    this.render();
  }

  async #fetchAddressed() {
    const id = addressed();
    if (!id) return null;
    const base = await getJson(basePath(id)).catch(() => null);
    if (base) this.items.unshift(base);
    return base;
  }

  #followAddress() {
    const found = this.items.find((base) => base.id === addressed());
    if (found && found.id !== this.chosen?.id) this.choose(found);
  }

  #replace(base) {
    this.items = this.items.map((item) => (item.id === base.id ? base : item));
    if (this.chosen?.id === base.id) this.chosen = base;
    this.render();
  }

  render() {
    const focusedId = document.activeElement?.dataset.baseId;
    byId("base-list").replaceChildren(...this.items.map((base) => this.#row(base)));
    if (focusedId) byId("base-list").querySelector(`[data-base-id="${CSS.escape(focusedId)}"]`)?.focus();
    show(byId("more-bases"), this.#cursor !== null);
    show(byId("base-actions"), this.chosen !== null);
    this.#renderHead();
  }

  #renderHead() {
    const base = this.chosen;
    byId("base-name").textContent = base?.name ?? t("welcome_title");
    const counts = base && `${t("num_documents", { count: base.num_documents })} · ${t("num_passages", { count: base.num_chunks })}`;
    byId("base-meta").textContent = base ? [counts, base.description].filter(Boolean).join(" — ") : t("welcome_short");
    byId("base-meta").title = base?.description ?? "";
    document.title = base ? `${base.name} · kb-service` : "kb-service";
  }

  #row(base) {
    const isChosen = base.id === this.chosen?.id;
    return el("li", {},
      el("button", { type: "button", class: "base-row", "data-base-id": base.id, "aria-current": isChosen ? "true" : null, onclick: () => this.choose(base) },
        el("span", { class: "base-row-name" }, base.name),
        el("span", { class: "base-row-count", "aria-label": t("num_documents", { count: base.num_documents }) }, formatNumber(base.num_documents))));
  }
}

function addressed() {
  const match = /^#base=(.+)$/.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]) : null;
  } catch {
    return null;
  }
}
