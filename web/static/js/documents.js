// The documents of the chosen base: list, search by name, further pages, refresh, actions.
// Knows which documents are shown; a row draws itself (document_row.js).

import { apiKey, basePath, documentPath, getBlob, getJson, jobPath, sendJson, urlOf } from "./api.js";
import { confirmLoss } from "./dialogs.js";
import { DocumentRow, isActive } from "./document_row.js";
import { announce, byId, debounce, el, show } from "./dom.js";
import { errorText, onLanguage, t } from "./i18n/i18n.js";
import { LiveUpdates } from "./live.js";

const PAGE_SIZE = 50;
const MAX_JOB_READS = 8;

export class Documents {
  /** @type {Api["KnowledgeBaseBody"]} */
  #base = null;
  /** @type {{cursor: string, next: string, items: Api["DocumentBody"][], totals: Record<string, number>}[]} */
  #pages = []; // [{cursor, next, items}]: the list as it was asked for
  #rows = new Map(); // document id -> DocumentRow
  /** @type {Map<string, Api["JobBody"]>} */
  #jobs = new Map(); // document id -> its newest Job, as far as the service told
  #filter = "";
  #totals = {}; // status -> documents of the list as it was asked for, shown or not
  #numWorking = 0; // documents of the whole base that wait or are being read
  #isInTrouble = false;
  #hooks;
  #live = new LiveUpdates(() => this.#refresh(), () => this.numActive > 0 || this.#isInTrouble, (event) => this.#hear(event));

  // hooks: {open(doc), changed(), report(source, say, owner)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("more-documents").addEventListener("click", () => this.#guard(() => this.#loadMore()));
    const search = debounce(() => this.#guard(() => this.#search()), 250);
    byId("document-filter").addEventListener("input", search);
    onLanguage(() => this.#render());
  }

  get items() {
    const all = this.#pages.flatMap((page) => page.items);
    return [...new Map(all.map((doc) => [doc.id, doc])).values()];
  }

  get numActive() {
    const working = [...this.#jobs].filter(([, job]) => isUnfinished(job)).map(([id]) => id);
    const known = new Set([...working, ...this.items.filter(isActive).map((doc) => doc.id)]).size;
    return Math.max(known, this.#numWorking);
  }

  async choose(base) {
    this.#live.stop();
    this.#base = base;
    this.#filter = byId("document-filter").value = "";
    this.#jobs.clear();
    this.#rows.clear();
    this.#pages = [];
    this.#totals = {};
    this.#numWorking = 0;
    this.#isInTrouble = false;
    byId("document-list").replaceChildren();
    byId("list-summary").textContent = "";
    if (!base) return;
    await this.#guard(() => this.#reload());
    if (this.#base === base) this.#live.start(base.id);
  }

  // Takes the outcomes of an upload: their jobs are known before the list is.
  accept(kbId, items) {
    if (kbId !== this.#base?.id) return;
    for (const { document: doc, job } of items) if (doc && job) this.#jobs.set(doc.id, job);
    this.#guard(() => this.#reload());
    this.#live.poke();
  }

  #hear({ event, data }) {
    if (event !== "job") return;
    /** @type {Api["JobBody"]} */
    const job = JSON.parse(data);
    if (!job.document_id) return;
    this.#jobs.set(job.document_id, job);
    this.#render();
  }

  async #search() {
    this.#filter = byId("document-filter").value.trim();
    await this.#reload();
  }

  async #fetchPage(cursor) {
    const query = { cursor, limit: PAGE_SIZE, name_contains: this.#filter };
    /** @type {Api["DocumentListBody"]} */
    const page = await getJson(`${basePath(this.#base.id)}/documents`, query);
    for (const doc of page.items) if (doc.job) this.#jobs.set(doc.id, doc.job);
    return { cursor, next: page.next_cursor, items: page.items, totals: page.totals };
  }

  // The first part tells how many there are in all; a search by name counts what it finds.
  async #count(page, base) {
    const { totals: all } = this.#filter ? await getJson(`${basePath(base.id)}/documents`, { limit: 1 }) : page;
    if (base !== this.#base) return;
    this.#totals = page.totals;
    this.#numWorking = all.pending + all.processing;
  }

  async #reload() {
    const base = this.#base;
    const page = await this.#fetchPage(null);
    await this.#count(page, base);
    if (base !== this.#base) return;
    this.#pages = [page];
    this.#render();
  }

  async #loadMore() {
    const page = await this.#fetchPage(this.#pages.at(-1).next);
    const known = new Set(this.items.map((doc) => doc.id));
    this.#pages.push({ ...page, items: page.items.filter((doc) => !known.has(doc.id)) });
    this.#render();
    this.#rows.get(page.items[0]?.id)?.element.querySelector("button")?.focus();
  }

  // Reads again the first page and every page with work in progress.
  async #refresh() {
    const base = this.#base;
    const before = this.numActive;
    await this.#guard(async () => {
      const stale = this.#pages.filter((page, index) => index === 0 || page.items.some(isActive));
      for (const page of stale) {
        const fresh = await this.#fetchPage(page.cursor);
        if (base !== this.#base) return;
        Object.assign(page, fresh);
      }
      if (this.#pages.length) await this.#count(this.#pages[0], base);
      await this.#readJobs();
      if (base === this.#base) this.#render();
    }, "refresh");
    if (before !== this.numActive) this.#hooks.changed();
  }

  async #readJobs() {
    const fresh = new Set(this.items.filter((doc) => doc.job).map((doc) => doc.id));
    const stale = [...this.#jobs].filter(([id, job]) => isUnfinished(job) && !fresh.has(id));
    for (const [id, job] of stale.slice(0, MAX_JOB_READS)) {
      const read = await getJson(jobPath(job.id)).catch((error) => forgetGone(error, () => this.#jobs.delete(id)));
      if (read) this.#jobs.set(id, read);
    }
  }

  #render() {
    if (!this.#base) return;
    const docs = this.items;
    const elements = docs.map((doc) => this.#row(doc));
    const list = byId("document-list");
    if (elements.length !== list.children.length || elements.some((element, index) => element !== list.children[index])) {
      list.replaceChildren(...elements);
    }
    show(byId("more-documents"), Boolean(this.#pages.at(-1)?.next));
    this.#renderSummary();
    this.#renderEmpty(docs);
    byId("tab-chip").textContent = this.numActive ? t("tab_active", { count: this.numActive }) : "";
  }

  #renderSummary() {
    const parts = ["processing", "pending", "ready", "partial", "failed"].filter((status) => this.#totals[status] > 0);
    const text = parts.map((status) => t(`count_${status}`, { count: this.#totals[status] })).join(" · ");
    if (byId("list-summary").textContent !== text) byId("list-summary").textContent = text;
    const total = Object.values(this.#totals).reduce((sum, count) => sum + count, 0);
    byId("more-documents").textContent = t("load_more_of", { shown: this.items.length, total });
  }

  #renderEmpty(docs) {
    const empty = byId("list-empty");
    show(empty, docs.length === 0);
    show(byId("list-head"), docs.length > 0 || this.#filter !== "");
    const text = this.#filter ? t("filter_none", { name: this.#filter }) : t("documents_none");
    empty.replaceChildren(el("p", {}, text), this.#filter ? "" : el("p", { class: "meta" }, t("documents_none_more")));
  }

  #row(doc) {
    const actions = {
      open: (chosen) => this.#hooks.open(chosen),
      remove: (chosen) => this.#guard(() => this.#remove(chosen)),
      download: (chosen) => this.#guard(() => this.#download(chosen)),
      retry: (chosen, job) => this.#guard(() => this.#act(job, "retry")),
      cancel: (chosen, job) => this.#guard(() => this.#act(job, "cancel")),
    };
    if (!this.#rows.has(doc.id)) this.#rows.set(doc.id, new DocumentRow(actions));
    const row = this.#rows.get(doc.id);
    row.update(doc, this.#jobs.get(doc.id) ?? null);
    return row.element;
  }

  async #act(job, action) {
    const changed = await sendJson("POST", `${jobPath(job.id)}/${action}`);
    if (changed?.document_id) this.#jobs.set(changed.document_id, changed);
    await this.#refresh();
  }

  async #remove(doc) {
    const losses = [t("loss_file", { name: doc.name })];
    if (doc.revision) losses.push(t("loss_passages", { count: doc.revision.num_chunks }));
    losses.push(t("loss_quotes"));
    const isGone = await confirmLoss({
      title: t("document_delete_title"),
      losses,
      confirm: t("delete"),
      submit: () => sendJson("DELETE", documentPath(this.#base.id, doc.id)),
    });
    if (!isGone) return;
    for (const page of this.#pages) page.items = page.items.filter((item) => item.id !== doc.id);
    this.#rows.delete(doc.id);
    this.#jobs.delete(doc.id);
    this.#render();
    announce(t("document_deleted", { name: doc.name }));
    byId(this.items.length ? "document-filter" : "pick-files").focus();
    this.#hooks.changed();
  }

  // With a key the bytes come through fetch, which can send it; without one a link streams to disk.
  async #download(doc) {
    const path = `${documentPath(this.#base.id, doc.id)}/content`;
    const href = apiKey() ? URL.createObjectURL(await getBlob(path)) : urlOf(path).href;
    el("a", { href, download: doc.name }).click();
    if (href.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  // `source` keeps the error of an action on the page when the next refresh succeeds.
  async #guard(run, source = "documents") {
    const owner = this.#base?.id ?? null;
    const say = (error) => this.#hooks.report(source, error && (() => errorText(error)), owner);
    try {
      await run();
      say(null);
      if (owner === this.#base?.id) this.#isInTrouble = false;
    } catch (error) {
      say(error);
      if (owner === this.#base?.id) this.#isInTrouble = source === "refresh" || this.#isInTrouble;
    }
  }
}

// A document deleted elsewhere takes its job with it; any other error is reported.
function forgetGone(error, forget) {
  if (error.status !== 404) throw error;
  forget();
  return null;
}

const isUnfinished = (job) => ["queued", "running", "failed"].includes(job.status);
