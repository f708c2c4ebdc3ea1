// The documents that a reader has ticked, and what can be done with all of them: ask only these,
// label, tag, try again, delete. Knows the calls; the list itself is documents.js's.

import { sendOfAll } from "./api.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { steerJob } from "./document_actions.js";
import { announce, byId, clear, el, iconButton, redraw, show } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { putLabels } from "./labels.js";

const BROKEN = new Set(["failed", "dead", "cancelled"]);
const MAX_NAMED = 8;

export class Selection {
  /** @type {Map<string, Api["DocumentBody"]>} */
  #docs = new Map();
  #hooks;

  // hooks: {guard(run), changed() after something was done, drawn() when ticks changed, ask(docs)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("select-all").addEventListener("change", () => this.#tickAll(byId("select-all").checked));
  }

  #shown = []; // the documents of the list, in order

  has(id) {
    return this.#docs.has(id);
  }

  tick(doc, isTicked) {
    if (isTicked) this.#docs.set(doc.id, doc);
    else this.#docs.delete(doc.id);
    this.#draw();
  }

  clear() {
    this.#docs.clear();
    this.#draw();
  }

  // The list shows these documents now; what is gone from the base is told by `forget`.
  /** @param {Api["DocumentBody"][]} docs */
  follow(docs) {
    this.#shown = docs;
    for (const doc of docs) if (this.#docs.has(doc.id)) this.#docs.set(doc.id, doc);
    this.#draw();
  }

  forget(id) {
    this.#docs.delete(id);
    this.#draw();
  }

  #tickAll(isTicked) {
    for (const doc of this.#shown) {
      if (isTicked) this.#docs.set(doc.id, doc);
      else this.#docs.delete(doc.id);
    }
    this.#draw();
    this.#hooks.drawn();
  }

  #draw() {
    const bar = byId("selection-bar");
    const count = this.#docs.size;
    const numShown = this.#shown.filter((doc) => this.#docs.has(doc.id)).length;
    const box = byId("select-all");
    box.checked = numShown > 0 && numShown === this.#shown.length;
    box.indeterminate = numShown > 0 && numShown < this.#shown.length;
    show(bar, count > 0);
    if (!count) return clear(bar);
    const button = (key, run, isShown = true, needs = "write") =>
      isShown ? el("button", { type: "button", class: "plain-button", "data-needs": needs, "data-key": key, onclick: () => this.#hooks.guard(run) }, t(key)) : "";
    const docs = [...this.#docs.values()];
    redraw(bar,
      el("strong", { role: "status" }, t("num_selected", { count })),
      button("selected_ask", async () => this.#hooks.ask(docs), docs.every((doc) => doc.revision), null),
      button("selected_labels", () => this.#label(docs)),
      button("selected_tag", () => this.#tag(docs)),
      button("selected_retry", () => this.#retry(docs), docs.some((doc) => BROKEN.has(doc.job?.status))),
      button("selected_delete", () => this.#delete(docs)),
      iconButton("close", t("selected_none"), () => {
        this.clear();
        this.#hooks.drawn();
      }));
  }

  async #label(docs) {
    if (await putLabels(docs[0].kb_id, docs)) await this.#hooks.changed();
  }

  async #tag(docs) {
    const known = [...new Set(docs.flatMap((doc) => doc.tags))].sort();
    const done = await askTexts({
      title: t("tag_title", { count: docs.length }),
      intro: known.length ? t("tag_known", { tags: known }) : "",
      fields: [
        { name: "add", label: t("tag_add"), hint: t("tag_hint") },
        { name: "remove", label: t("tag_remove") },
      ],
      confirm: t("save"),
      submit: (values) => this.#putTags(docs, listOf(values.add), listOf(values.remove)),
    });
    if (done) await this.#hooks.changed();
  }

  async #putTags(docs, add, remove) {
    await sendOfAll("tags", docs, { add, remove });
    return true;
  }

  async #retry(docs) {
    for (const { job } of docs) if (BROKEN.has(job?.status)) await steerJob(job, "retry");
    await this.#hooks.changed();
  }

  async #delete(docs) {
    const names = docs.slice(0, MAX_NAMED).map(({ name }) => name);
    const more = docs.length > MAX_NAMED ? [t("and_more", { count: docs.length - MAX_NAMED })] : [];
    const isDone = await confirmLoss({
      title: t("documents_delete_title", { count: docs.length }),
      losses: [...names, ...more, t("loss_quotes")],
      confirm: t("delete"),
      submit: () => this.#deleteAll(docs),
    });
    if (isDone) announce(t("documents_deleted", { count: docs.length }));
    await this.#hooks.changed();
  }

  // One that was deleted meanwhile, or with the container it came out of, is gone all the same.
  async #deleteAll(docs) {
    await sendOfAll("delete", docs, {}, (ids) => ids.forEach((id) => this.forget(id)));
  }
}

const listOf = (text) => text.split(/[,，、;；\n]/u).map((one) => one.trim()).filter(Boolean);
