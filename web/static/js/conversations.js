// The conversations of the chosen base, the latest first: find, continue, rename, export, delete.
// Those that programs began are a list of their own. Knows the lists; what a conversation says is the
// thread's business.

import { getJson, sendJson } from "./api.js";
import { conversationHtml, conversationMarkdown, fileName } from "./answer_text.js";
import { saveFile } from "./clipboard.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { announce, byId, debounce, el, redraw, show } from "./dom.js";
import { forgetConversation } from "./drafts.js";
import { formatDay, onLanguage, t } from "./i18n/i18n.js";
import { menuButton } from "./menu.js";
import { conversationPath, readTurns } from "./thread.js";

const PAGE_SIZE = 30;
const FIND_AFTER = 6; // so many conversations are found by eye
const FIND_MS = 250;
const FORMATS = {
  md: { type: "text/markdown", write: conversationMarkdown },
  html: { type: "text/html", write: conversationHtml },
};

export class Conversations {
  #hooks;
  // What the list is of; each other base, search or channel makes it another object.
  #listed = { kbId: null, contains: "", channel: "page" };
  /** @type {Api["ConversationBody"][]} */
  #items = [];
  #cursor = null;
  #chosenId = null;
  #hasPrograms = false; // whether programs asked this base

  // hooks: {guard(run, source), open(kbId, conversationId), deleted(kbId, conversationId)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("more-conversations").addEventListener("click", () => hooks.guard(() => this.#loadMore()));
    const find = debounce(() => this.#list({ contains: byId("conversation-filter").value.trim() }), FIND_MS);
    byId("conversation-filter").addEventListener("input", find);
    byId("conversation-channel").addEventListener("click", () => {
      byId("conversation-filter").value = "";
      this.#list({ contains: "", channel: this.#listed.channel === "page" ? "api" : "page" });
    });
    onLanguage(() => this.#render());
  }

  enter(kbId) {
    this.#listed = { kbId, contains: "", channel: "page" };
    byId("conversation-filter").value = "";
    this.#items = [];
    this.#cursor = null;
    this.#hasPrograms = false;
    this.#render();
    if (kbId) this.#hooks.guard(() => this.#begin(), "conversations");
  }

  async #begin() {
    const listed = this.#listed;
    await this.refresh();
    /** @type {Api["ListBody_ConversationBody_"]} */
    const programs = await getJson("conversations", { kb: listed.kbId, channel: "api", limit: 1 });
    if (listed.kbId !== this.#listed.kbId) return;
    this.#hasPrograms = programs.items.length > 0;
    this.#render();
  }

  #list(change) {
    this.#listed = { ...this.#listed, ...change };
    this.#items = [];
    this.#cursor = null;
    this.#hooks.guard(() => this.refresh(), "conversations");
  }

  // Reads the first part again: a new conversation stands there, a continued one moves up.
  async refresh() {
    const listed = this.#listed;
    if (!listed.kbId) return;
    const page = await this.#fetch(null);
    if (listed !== this.#listed) return;
    const fresh = new Set(page.items.map((item) => item.id));
    const hadMore = this.#items.length > PAGE_SIZE;
    this.#items = [...page.items, ...(hadMore ? this.#items.filter((item) => !fresh.has(item.id)) : [])];
    if (!hadMore) this.#cursor = page.next_cursor;
    this.#render();
  }

  choose(conversationId) {
    this.#chosenId = conversationId;
    this.#render();
  }

  // It was deleted, here or elsewhere.
  forget(kbId, conversationId) {
    forgetConversation(kbId, conversationId);
    this.#items = this.#items.filter((item) => item.id !== conversationId);
    this.#render();
  }

  /** @returns {Promise<Api["ListBody_ConversationBody_"]>} */
  #fetch(cursor) {
    const { kbId, contains, channel } = this.#listed;
    // What programs asked is of interest whoever they are; what other people asked is not.
    const mine = channel === "page" ? true : null;
    return getJson("conversations", { kb: kbId, contains, channel, cursor, mine, limit: PAGE_SIZE });
  }

  async #loadMore() {
    const listed = this.#listed;
    const page = await this.#fetch(this.#cursor);
    if (listed !== this.#listed) return;
    const known = new Set(this.#items.map((item) => item.id));
    this.#items.push(...page.items.filter((item) => !known.has(item.id)));
    this.#cursor = page.next_cursor;
    this.#render();
  }

  async #rename(item) {
    /** @type {Api["ConversationBody"]} */
    const changed = await askTexts({
      title: t("conversation_rename"),
      fields: [{ name: "title", label: t("conversation_title"), value: item.title, isRequired: true }],
      confirm: t("save"),
      submit: (values) => sendJson("PATCH", conversationPath(item.id), values),
    });
    if (!changed) return;
    this.#items = this.#items.map((other) => (other.id === changed.id ? changed : other));
    this.#render();
  }

  async #export(item, suffix) {
    const turns = await readTurns(item.id);
    const { type, write } = FORMATS[suffix];
    saveFile(fileName(item.title, suffix), `${type};charset=utf-8`, write(item.title, turns));
    announce(t("conversation_exported"));
  }

  async #delete(kbId, item) {
    const isGone = await confirmLoss({
      title: t("conversation_delete_title"),
      losses: [t("loss_conversation", { title: item.title, count: item.messages.filter(({ role }) => role === "user").length })],
      confirm: t("delete"),
      submit: () => sendJson("DELETE", conversationPath(item.id)).catch(forgiveGone),
    });
    if (!isGone) return;
    this.forget(kbId, item.id);
    announce(t("conversation_deleted"));
    this.#hooks.deleted(kbId, item.id);
  }

  #render() {
    const { contains, channel } = this.#listed;
    const isNarrowed = contains !== "" || channel !== "page";
    show(byId("conversations"), this.#items.length > 0 || isNarrowed || this.#hasPrograms);
    show(byId("conversation-find"), this.#items.length > FIND_AFTER || contains !== "");
    show(byId("more-conversations"), this.#cursor !== null);
    show(byId("conversation-channel"), this.#hasPrograms || channel !== "page");
    byId("conversation-channel").textContent = t(channel === "page" ? "conversations_of_programs" : "conversations_of_page");
    byId("conversations-title").textContent = t(channel === "page" ? "conversations" : "conversations_by_programs");
    const rows = this.#items.map((item) => this.#row(item));
    const none = contains ? t("conversations_none", { words: contains }) : "";
    redraw(byId("conversation-list"), ...(rows.length || !none ? rows : [el("li", { class: "meta" }, none)]));
  }

  #row(item) {
    const isChosen = item.id === this.#chosenId;
    const { kbId } = this.#listed;
    const open = { type: "button", class: "conversation-row", "data-key": item.id, title: item.title, "aria-current": isChosen ? "true" : null, onclick: () => this.#hooks.open(kbId, item.id) };
    const entry = (key, run, isDanger = false) => ({ label: t(key), run: () => this.#hooks.guard(run), isDanger });
    const entries = [
      entry("menu_rename", () => this.#rename(item)),
      entry("menu_export_md", () => this.#export(item, "md")),
      entry("menu_export_html", () => this.#export(item, "html")),
      entry("menu_delete", () => this.#delete(kbId, item), true),
    ];
    return el("li", {},
      el("button", open,
        el("span", { class: "conversation-title", dir: "auto" }, item.title),
        el("time", { class: "meta", datetime: item.updated_at }, formatDay(item.updated_at))),
      menuButton(t("conversation_menu", { title: item.title }), entries, { "data-key": `menu ${item.id}` }));
  }
}

// Deleted in another window meanwhile: it is gone all the same.
function forgiveGone(error) {
  if (error.code !== "conversation_not_found") throw error;
}
