// The documents of the chosen base: list, search by name, further pages, refresh, actions.
// Knows which documents are shown; a row draws itself (document_row.js).

import { basePath, getJson, jobPath } from "./api.js";
import { downloadDocument, removeDocument, steerJob } from "./document_actions.js";
import { DocumentRow, isActive, waitsForVectors } from "./document_row.js";
import { byId, debounce, el, show } from "./dom.js";
import { errorText, onLanguage, t } from "./i18n/i18n.js";
import { LiveUpdates } from "./live.js";
import { showVersions } from "./versions.js";

const PAGE_SIZE = 50;
const MAX_JOB_READS = 8;

export class Documents {
  // What the list is of. Each other base or search makes it another object: a step that waited gives
  // up when what it began with is left.
  /** @type {{base: Api["KnowledgeBaseBody"], filter: string}} */
  #listed = { base: null, filter: "" };
  /** @type {{cursor: string, next: string, items: Api["DocumentBody"][], totals: Record<string, number>}[]} */
  #pages = []; // [{cursor, next, items}]: the list as it was asked for
  #rows = new Map(); // document id -> DocumentRow
  /** @type {Map<string, Api["JobBody"]>} */
  #jobs = new Map(); // document id -> its newest Job, as far as the service told
  #totals = {}; // status -> documents of the list as it was asked for, shown or not
  #numWorking = 0; // documents of the whole base that wait or are being read
  #isInTrouble = false;
  #hooks;
  #live = new LiveUpdates(() => this.#refresh(), () => this.#isBusy, (event) => this.#hear(event));

  // hooks: {open(kbId, doc), listed(docs), changed(), report(source, say, owner)}
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

  get #isBusy() {
    return this.numActive > 0 || this.#isInTrouble || this.items.some(waitsForVectors);
  }

  get numActive() {
    const working = [...this.#jobs].filter(([, job]) => isUnfinished(job)).map(([id]) => id);
    const known = new Set([...working, ...this.items.filter(isActive).map((doc) => doc.id)]).size;
    return Math.max(known, this.#numWorking);
  }

  async choose(base) {
    this.#live.stop();
    this.#listed = { base, filter: "" };
    byId("document-filter").value = "";
    this.#jobs = new Map();
    this.#rows.clear();
    this.#pages = [];
    this.#totals = {};
    this.#numWorking = 0;
    this.#isInTrouble = false;
    byId("document-list").replaceChildren();
    byId("list-summary").textContent = "";
    show(byId("more-documents"), false);
    if (!base) return;
    await this.#guard(() => this.#reload());
    if (this.#listed.base === base) this.#live.start(base.id);
  }

  // Takes the outcomes of an upload: their jobs are known before the list is.
  accept(kbId, items) {
    if (kbId !== this.#listed.base?.id) return;
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
    this.#listed = { base: this.#listed.base, filter: byId("document-filter").value.trim() };
    await this.#reload();
  }

  // A part of the list, or null when another list is shown by now.
  async #fetchPage(listed, cursor) {
    const query = { cursor, limit: PAGE_SIZE, name_contains: listed.filter };
    /** @type {Api["DocumentListBody"]} */
    const page = await getJson(`${basePath(listed.base.id)}/documents`, query);
    if (listed !== this.#listed) return null;
    for (const doc of page.items) if (doc.job) this.#jobs.set(doc.id, doc.job);
    return { cursor, next: page.next_cursor, items: page.items, totals: page.totals };
  }

  // The first part tells how many there are in all; a search by name counts what it finds.
  async #count(page, listed) {
    const { totals: all } = listed.filter ? await getJson(`${basePath(listed.base.id)}/documents`, { limit: 1 }) : page;
    if (listed !== this.#listed) return;
    this.#totals = page.totals;
    this.#numWorking = all.pending + all.processing;
  }

  async #reload() {
    const listed = this.#listed;
    const page = listed.base && (await this.#fetchPage(listed, null));
    if (page) await this.#count(page, listed);
    if (!page || listed !== this.#listed) return;
    this.#pages = [page];
    this.#render();
  }

  async #loadMore() {
    const last = this.#pages.at(-1);
    const page = last?.next && (await this.#fetchPage(this.#listed, last.next));
    if (!page || last !== this.#pages.at(-1)) return;
    const known = new Set(this.items.map((doc) => doc.id));
    this.#pages.push({ ...page, items: page.items.filter((doc) => !known.has(doc.id)) });
    this.#render();
    this.#rows.get(page.items[0]?.id)?.element.querySelector("button")?.focus();
  }

  // Reads again the first page and every page with work in progress.
  async #refresh() {
    const listed = this.#listed;
    const before = this.numActive;
    await this.#guard(async () => {
      const stale = this.#pages.filter((page, index) => index === 0 || page.items.some(isChanging));
      for (const page of stale) {
        const fresh = await this.#fetchPage(listed, page.cursor);
        if (!fresh) return;
        Object.assign(page, fresh);
      }
      if (this.#pages.length) await this.#count(this.#pages[0], listed);
      await this.#readJobs();
      this.#render();
      this.#hooks.listed(this.items);
    }, "refresh");
    if (before !== this.numActive) this.#hooks.changed();
  }

  async #readJobs() {
    const jobs = this.#jobs;
    const fresh = new Set(this.items.filter((doc) => doc.job).map((doc) => doc.id));
    const stale = [...jobs].filter(([id, job]) => isUnfinished(job) && !fresh.has(id));
    for (const [id, job] of stale.slice(0, MAX_JOB_READS)) {
      const read = await getJson(jobPath(job.id)).catch((error) => forgetGone(error, () => jobs.delete(id)));
      if (read) jobs.set(id, read);
    }
  }

  #render() {
    if (!this.#listed.base) return;
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
    const { filter } = this.#listed;
    show(byId("list-head"), docs.length > 0 || filter !== "");
    const text = filter ? t("filter_none", { name: filter }) : t("documents_none");
    empty.replaceChildren(el("p", {}, text), filter ? "" : el("p", { class: "meta" }, t("documents_none_more")));
  }

  #row(doc) {
    const kbId = this.#listed.base.id;
    const actions = {
      open: (chosen) => this.#hooks.open(kbId, chosen),
      remove: (chosen) => this.#guard(() => this.#remove(kbId, chosen)),
      versions: (chosen) => this.#guard(async () => (await showVersions(kbId, chosen, this.#hooks.open)) && this.#refresh()),
      download: (chosen) => this.#guard(() => downloadDocument(kbId, chosen)),
      retry: (chosen, job) => this.#guard(() => this.#act(job, "retry")),
      cancel: (chosen, job) => this.#guard(() => this.#act(job, "cancel")),
    };
    if (!this.#rows.has(doc.id)) this.#rows.set(doc.id, new DocumentRow(actions));
    const row = this.#rows.get(doc.id);
    row.update(doc, this.#jobs.get(doc.id) ?? null);
    return row.element;
  }

  async #act(job, action) {
    const jobs = this.#jobs;
    const changed = await steerJob(job, action);
    if (changed?.document_id) jobs.set(changed.document_id, changed);
    await this.#refresh();
  }

  async #remove(kbId, doc) {
    if (!(await removeDocument(kbId, doc)) || kbId !== this.#listed.base?.id) return;
    for (const page of this.#pages) page.items = page.items.filter((item) => item.id !== doc.id);
    this.#rows.delete(doc.id);
    this.#jobs.delete(doc.id);
    this.#render();
    byId(this.items.length ? "document-filter" : "pick-files").focus();
    this.#hooks.changed();
  }

  // `source` keeps the error of an action on the page when the next refresh succeeds.
  async #guard(run, source = "documents") {
    const owner = this.#listed.base?.id ?? null;
    const say = (error) => this.#hooks.report(source, error && (() => errorText(error)), owner);
    try {
      await run();
      say(null);
      if (owner === this.#listed.base?.id) this.#isInTrouble = false;
    } catch (error) {
      say(error);
      if (owner === this.#listed.base?.id) this.#isInTrouble = source === "refresh" || this.#isInTrouble;
    }
  }
}

// A document deleted elsewhere takes its job with it; any other error is reported.
function forgetGone(error, forget) {
  if (error.status !== 404) throw error;
  forget();
  return null;
}

const isChanging = (doc) => isActive(doc) || waitsForVectors(doc);
const isUnfinished = (job) => ["queued", "running", "failed"].includes(job.status);
