// The conversations of the chosen base, the latest first: continue one, delete one.
// Knows the list; what a conversation says is the thread's business.

import { getJson, sendJson } from "./api.js";
import { confirmLoss } from "./dialogs.js";
import { announce, byId, el, focused, iconButton, show } from "./dom.js";
import { forgetConversation } from "./drafts.js";
import { formatDay, onLanguage, t } from "./i18n/i18n.js";
import { conversationPath } from "./thread.js";

const PAGE_SIZE = 30;

export class Conversations {
  #hooks;
  #kbId = null;
  /** @type {Api["ConversationBody"][]} */
  #items = [];
  #cursor = null;
  #chosenId = null;

  // hooks: {guard(run, source), open(kbId, conversationId), deleted(kbId, conversationId)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("more-conversations").addEventListener("click", () => hooks.guard(() => this.#loadMore()));
    onLanguage(() => this.#render());
  }

  enter(kbId) {
    this.#kbId = kbId;
    this.#items = [];
    this.#cursor = null;
    this.#render();
    if (kbId) this.#hooks.guard(() => this.refresh(), "conversations");
  }

  // Reads the first part again: a new conversation stands there, a continued one moves up.
  async refresh() {
    const kbId = this.#kbId;
    if (!kbId) return;
    const page = await this.#fetch(null);
    if (kbId !== this.#kbId) return;
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
    return getJson("conversations", { kb: this.#kbId, cursor, limit: PAGE_SIZE });
  }

  async #loadMore() {
    const kbId = this.#kbId;
    const page = await this.#fetch(this.#cursor);
    if (kbId !== this.#kbId) return;
    const known = new Set(this.#items.map((item) => item.id));
    this.#items.push(...page.items.filter((item) => !known.has(item.id)));
    this.#cursor = page.next_cursor;
    this.#render();
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
    const focusedId = focused()?.closest("[data-conversation-id]")?.getAttribute("data-conversation-id");
    show(byId("conversations"), this.#items.length > 0);
    show(byId("more-conversations"), this.#cursor !== null);
    byId("conversation-list").replaceChildren(...this.#items.map((item) => this.#row(item)));
    if (focusedId) byId("conversation-list").querySelector(`[data-conversation-id="${CSS.escape(focusedId)}"] button`)?.focus();
  }

  #row(item) {
    const isChosen = item.id === this.#chosenId;
    const kbId = this.#kbId;
    const open = { type: "button", class: "conversation-row", title: item.title, "aria-current": isChosen ? "true" : null, onclick: () => this.#hooks.open(kbId, item.id) };
    return el("li", { "data-conversation-id": item.id },
      el("button", open,
        el("span", { class: "conversation-title", dir: "auto" }, item.title),
        el("time", { class: "meta", datetime: item.updated_at }, formatDay(item.updated_at))),
      iconButton("trash", t("conversation_delete", { title: item.title }), () => this.#hooks.guard(() => this.#delete(kbId, item))));
  }
}

// Deleted in another window meanwhile: it is gone all the same.
function forgiveGone(error) {
  if (error.code !== "conversation_not_found") throw error;
}
