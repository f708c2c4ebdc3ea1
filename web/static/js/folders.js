// The folders that documents lie in, as a tree beside the list: read when it is opened, a level at a
// time, and again when the list has changed. Knows the call that counts them.

import { basePath, getJson } from "./api.js";
import { clear, el, icon, redraw, show } from "./dom.js";
import { errorText, formatNumber, t } from "./i18n/i18n.js";

const TROUBLED = ["processing", "pending", "partial", "failed"];

export class Folders {
  #choose;
  #root;
  #tree = el("div", { class: "folder-tree" });
  #shown = ""; // what the tree was read for
  #kbId = "";
  #chosen = "";
  /** @type {Map<string, {items: Api["FolderBody"][], cursor: string | null}>} */
  #levels = new Map(); // folder -> what is right in it

  // `choose(change)`: the reader wants the list of a folder
  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
    root.addEventListener("toggle", () => this.#root.open && this.#load([""]));
  }

  // The list shows this now; `state` changes with what the tree counts.
  follow(kbId, chosen, state, isAnything) {
    show(this.#root, isAnything);
    if (kbId !== this.#kbId) {
      this.#levels.clear();
      this.#root.open = false;
      this.#root.replaceChildren(el("summary", {}), this.#tree);
    }
    this.#root.firstElementChild.textContent = t("folders");
    const isOther = kbId !== this.#kbId || state !== this.#shown || !this.#levels.size;
    this.#kbId = kbId;
    this.#shown = state;
    this.#chosen = chosen;
    if (this.#root.open && isOther) this.#load(this.#levels.size ? [...this.#levels.keys()] : [""]);
    else this.#draw();
  }

  async #load(folders, cursor = null) {
    const kbId = this.#kbId;
    try {
      for (const folder of folders) {
        /** @type {Api["ListBody_FolderBody_"]} */
        const { items, next_cursor: next } = await getJson(`${basePath(kbId)}/folders`, { within: folder, cursor });
        if (kbId !== this.#kbId) return;
        this.#levels.set(folder, { items: [...(cursor ? this.#levels.get(folder).items : []), ...items], cursor: next });
      }
      this.#draw();
    } catch (error) {
      redraw(this.#tree, el("p", { class: "dialog-error", role: "alert" }, errorText(error)));
    }
  }

  #draw() {
    const level = this.#levels.get("");
    if (!level) return clear(this.#tree);
    redraw(this.#tree, level.items.length ? this.#list("") : el("p", { class: "meta" }, t("folders_none")));
  }

  #list(folder) {
    const { items, cursor } = this.#levels.get(folder);
    const more = cursor ? el("li", {}, el("button", { type: "button", class: "quiet-button", "data-key": `more ${folder}`, onclick: () => this.#load([folder], cursor) }, t("load_more"))) : "";
    return el("ul", { class: "folder-list" }, items.map((item) => this.#row(item)), more);
  }

  /** @param {Api["FolderBody"]} item */
  #row({ path: folder, name, num_documents: count, totals, has_folders: hasFolders }) {
    const isOpen = this.#levels.has(folder);
    const toggle = () => {
      if (!isOpen) return this.#load([folder]);
      for (const known of [...this.#levels.keys()]) if (known === folder || known.startsWith(`${folder}/`)) this.#levels.delete(known);
      return this.#draw();
    };
    const arrow = hasFolders
      ? el("button", { type: "button", class: "icon-button folder-toggle", "data-key": `open ${folder}`, "aria-expanded": String(isOpen), "aria-label": t("folder_inside", { folder: name }), onclick: toggle }, icon("right"))
      : el("span", { class: "folder-toggle" });
    const troubles = TROUBLED.filter((status) => totals[status] > 0).map((status) => t(`count_${status}`, { count: totals[status] }));
    const isChosen = folder === this.#chosen;
    return el("li", {},
      el("div", { class: "folder-row" }, arrow,
        el("button", { type: "button", class: "folder-name", "data-key": folder, "aria-pressed": String(isChosen), title: folder, onclick: () => this.#choose({ folder: isChosen ? "" : folder }) },
          el("bdi", {}, name), el("span", { class: "meta" }, [formatNumber(count), ...troubles].join(" · ")))),
      isOpen ? this.#list(folder) : "");
  }
}
