// The standing questions of a base: listed, added from an answer, paused, asked at other times, removed,
// with how their answers changed. Knows the calls; a card draws itself (watch_view.js).

import { basePath, getJson, sendJson } from "./api.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { announce, byId, clear, el, redraw } from "./dom.js";
import { errorText, onLanguage, t } from "./i18n/i18n.js";
import { scheduleText, watchCard } from "./watch_view.js";

const PAGE_SIZE = 100;
const MAX_CHANGES = 20; // of one question; the rest is in the service
const AFTER_CHANGES = "after changes";
const SCHEDULES = [AFTER_CHANGES, "every 1 hours", "daily at 07:00", "daily at 18:00"];
const MAX_NAME = 200;

const watchPath = (kbId, id) => `${basePath(kbId)}/watches/${encodeURIComponent(id)}`;

export class Watches {
  #kbId = null;
  /** @type {Api["WatchBody"][] | null} */
  #items = null;
  #cursor = null;
  /** @type {Map<string, {count: number, items: Api["AnswerChangeBody"][]}>} */
  #changes = new Map(); // of the questions whose changes were looked at
  #error = null;
  #hooks;

  // hooks: {guard(run), open(view, citation, button), added()}
  constructor(hooks) {
    this.#hooks = hooks;
    onLanguage(() => this.#draw());
  }

  enter(kbId) {
    this.#kbId = kbId;
    this.#items = null;
    this.#changes.clear();
    this.#error = null;
    clear(byId("watches"));
  }

  async show() {
    if (!this.#items) await this.#load();
  }

  // The worker asks: what it found is seen when the list is read again.
  async refresh() {
    if (this.#items && !byId("panel-watches").hidden) await this.#load();
    else this.#items = null;
  }

  // Keeps the question of an answer; resolves when the reader has decided.
  /** @param {Api["AnswerBody"]} answer */
  async add(kbId, answer) {
    const question = answer.understood.question || answer.question;
    const isNarrowed = Object.keys(answer.understood.filters).some((name) => ["document_ids", "tags", "labels", "date_from", "date_to"].includes(name));
    const added = await askTexts({
      title: t("watch_add"),
      intro: t(isNarrowed ? "watch_add_whole" : "watch_add_intro"),
      fields: [
        { name: "name", label: t("watch_name"), value: Array.from(question).slice(0, MAX_NAME).join(""), isRequired: true },
        { name: "schedule", label: t("watch_when"), value: AFTER_CHANGES, options: schedules() },
      ],
      confirm: t("watch_keep"),
      submit: ({ name, schedule }) => sendJson("POST", `${basePath(kbId)}/watches`, { name, schedule, question }),
    });
    if (!added) return;
    announce(t("watch_added", { name: added.name }));
    if (kbId !== this.#kbId) return;
    this.#items = null;
    this.#hooks.added();
  }

  async #load(cursor = null) {
    const kbId = this.#kbId;
    try {
      /** @type {Api["WatchListBody"]} */
      const page = await getJson(`${basePath(kbId)}/watches`, { cursor, limit: PAGE_SIZE });
      if (kbId !== this.#kbId) return;
      this.#items = cursor ? [...this.#items, ...page.items] : page.items;
      this.#cursor = page.next_cursor;
      this.#error = null;
    } catch (error) {
      if (kbId !== this.#kbId) return;
      this.#error = error;
    }
    this.#draw();
  }

  #draw() {
    redraw(byId("watches"), ...this.#parts());
  }

  #parts() {
    if (this.#error) return [el("p", { class: "notice notice-bad", role: "alert" }, errorText(this.#error))];
    if (!this.#items) return [];
    if (!this.#items.length) return [el("div", { class: "list-empty" }, el("p", {}, t("watches_none")), el("p", { class: "meta" }, t("watches_how")))];
    const known = ({ id, num_changes: count }) => (this.#changes.get(id)?.count === count ? this.#changes.get(id).items : null);
    const on = this.#actions();
    const cards = this.#items.map((watch) => watchCard(watch, known(watch), on));
    const more = this.#cursor ? [el("button", { type: "button", class: "plain-button load-more", "data-key": "more", onclick: () => this.#load(this.#cursor) }, t("load_more"))] : [];
    return [el("ul", { class: "watch-list" }, cards), ...more];
  }

  #actions() {
    const kbId = this.#kbId;
    const act = (run) => (watch) => this.#hooks.guard(() => run(watch));
    return {
      open: this.#hooks.open,
      pause: act((watch) => this.#change(kbId, watch, { is_paused: !watch.is_paused })),
      times: act((watch) => this.#times(kbId, watch)),
      remove: act((watch) => this.#remove(kbId, watch)),
      changes: act((watch) => this.#readChanges(kbId, watch)),
    };
  }

  async #change(kbId, { id }, change) {
    /** @type {Api["WatchBody"]} */
    const changed = await sendJson("PATCH", watchPath(kbId, id), change);
    if (kbId !== this.#kbId || !this.#items) return;
    this.#items = this.#items.map((watch) => (watch.id === id ? changed : watch));
    announce(t(changed.is_paused ? "watch_is_paused" : "watch_is_asked", { name: changed.name }));
    const key = changed.is_paused ? "watch_go_on" : "watch_pause";
    this.#draw();
    if ("is_paused" in change) byId("watches").querySelector(`[data-key="${CSS.escape(`${key} ${id}`)}"]`)?.focus();
  }

  /** @param {Api["WatchBody"]} watch */
  async #times(kbId, watch) {
    await askTexts({
      title: t("watch_times", { name: watch.name }),
      fields: [{ name: "schedule", label: t("watch_when"), value: watch.schedule, options: schedules(watch.schedule) }],
      confirm: t("save"),
      submit: (values) => this.#change(kbId, watch, values),
    });
  }

  /** @param {Api["WatchBody"]} watch */
  async #remove(kbId, watch) {
    const isGone = await confirmLoss({
      title: t("watch_remove", { name: watch.name }),
      losses: [t("loss_watch", { count: watch.num_changes })],
      confirm: t("delete"),
      submit: () => sendJson("DELETE", watchPath(kbId, watch.id)),
    });
    if (!isGone || kbId !== this.#kbId) return;
    announce(t("watch_is_gone", { name: watch.name }));
    this.#items = this.#items.filter(({ id }) => id !== watch.id);
    this.#draw();
    byId("tab-watches").focus();
  }

  async #readChanges(kbId, { id, num_changes: count }) {
    /** @type {Api["AnswerChangeListBody"]} */
    const { items } = await getJson(`${watchPath(kbId, id)}/changes`, { limit: MAX_CHANGES });
    if (kbId !== this.#kbId) return;
    this.#changes.set(id, { count, items });
    this.#draw();
  }
}

// What may be chosen, with what is in force.
function schedules(present = AFTER_CHANGES) {
  return [...new Set([...SCHEDULES, present])].map((line) => ({ value: line, label: scheduleText(line) }));
}
