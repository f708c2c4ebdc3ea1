// The documents of the chosen base: list, search by name, further pages, refresh, actions.
// Knows which documents are shown; a row draws itself (document_row.js).

import { basePath, getJson } from "./api.js";
import { showColumns } from "./columns.js";
import { downloadDocument, removeDocument, steerJob } from "./document_actions.js";
import { DocumentRow, isActive, waitsForVectors } from "./document_row.js";
import { byId, clear, oncePerFrame, redraw, show } from "./dom.js";
import { readAgain } from "./encodings.js";
import { onLanguage, t } from "./i18n/i18n.js";
import { KnownJobs } from "./known_jobs.js";
import { emptyParts, EVERY, isNarrowed, ListHead } from "./list_head.js";
import { LiveUpdates } from "./live.js";
import { drawQueue } from "./queue_line.js";
import { Selection } from "./selection.js";
import { showVersions } from "./versions.js";

const PAGE_SIZE = 50;

export class Documents {
  // What the list is of. Each other base or wish makes it another object: a step that waited gives
  // up when what it began with is left.
  /** @type {{base: Api["KnowledgeBaseBody"], wanted: import("./list_head.js").Wanted}} */
  #listed = { base: null, wanted: EVERY };
  /** @type {{cursor: string, next: string, items: Api["DocumentBody"][], paused: Api["PauseBody"] | null}[]} */
  #pages = []; // [{cursor, next, items}]: the list as it was asked for
  #rows = new Map(); // document id -> DocumentRow
  #jobs = new KnownJobs();
  /** @type {Record<string, number>} */
  #totals = {}; // status -> documents of the list as it was asked for, shown or not
  #numWorking = 0; // documents of the whole base that wait or are being read
  #event = null; // the last one of the base that the list has seen
  #hooks;
  #head = new ListHead((change) => this.#guard(() => this.#want(change)));
  #selection = new Selection({
    guard: (run) => this.#guard(run),
    changed: () => this.#reload(),
    drawn: () => this.#render(),
    ask: (docs) => this.#hooks.askOnly(docs),
  });
  #renderSoon = oncePerFrame(() => this.#render()); // many events come together
  #live = new LiveUpdates(() => this.#refresh(), () => this.#isBusy, (event) => this.#hear(event));

  // hooks: {open(kbId, doc), listed(docs), erased(kbId): a document was deleted, here or elsewhere,
  // counted(base): as it is now; told(kbId, marks): what the service says of the rest; askOnly(docs),
  // report(source, error or null, owner)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("more-documents").addEventListener("click", () => this.#guard(() => this.#loadMore()));
    onLanguage(() => this.#render());
  }

  get items() {
    const all = this.#pages.flatMap((page) => page.items);
    return [...new Map(all.map((doc) => [doc.id, doc])).values()];
  }

  get #isBusy() {
    return this.numActive > 0 || this.items.some(waitsForVectors);
  }

  get numActive() {
    const known = new Set([...this.#jobs.working, ...this.items.filter(isActive).map((doc) => doc.id)]).size;
    return Math.max(known, this.#numWorking);
  }

  async choose(base) {
    this.#live.stop();
    this.#listed = { base, wanted: EVERY };
    this.#head.clear();
    this.#selection.clear();
    this.#jobs = new KnownJobs();
    this.#rows.clear();
    this.#pages = [];
    this.#totals = {};
    this.#numWorking = 0;
    this.#event = null;
    clear(byId("document-list"));
    show(byId("more-documents"), false);
    if (!base) return;
    await this.#guard(() => this.#reload());
    if (this.#listed.base === base) this.#live.start(base.id, this.#event);
  }

  // Takes the outcomes of an upload: their jobs are known before the list is.
  accept(kbId, items) {
    if (kbId !== this.#listed.base?.id) return;
    for (const { job } of items) this.#jobs.note(job);
    this.#live.poke();
  }

  // When to read the list again: at once where a reader sees how a job goes on, else soon.
  #hear({ event, data }) {
    const said = JSON.parse(data);
    if (event === "state") this.#hooks.told(said.kb_id, said.marks);
    if (event === "document" && said.id === null) this.#hooks.erased(this.#listed.base?.id);
    if (event === "job" && said.document_id) {
      this.#jobs.note(said);
      this.#renderSoon();
    }
    if (event === "state") return "";
    return event === "job" && !byId("panel-documents").hidden ? "now" : "soon";
  }

  async #want(change) {
    const { base, wanted } = this.#listed;
    this.#listed = { base, wanted: { ...wanted, ...change } };
    await this.#reload();
  }

  // A part of the list, or null when another list is shown by now.
  async #fetchPage(listed, cursor) {
    const query = { cursor, limit: PAGE_SIZE, ...listed.wanted };
    /** @type {Api["DocumentListBody"]} */
    const page = await getJson(`${basePath(listed.base.id)}/documents`, query);
    if (listed !== this.#listed) return null;
    for (const doc of page.items) this.#jobs.note(doc.job);
    if (!cursor) this.#count(page);
    return { cursor, next: page.next_cursor, items: page.items, paused: page.paused };
  }

  // The first part tells how many there are in all, and of the base as it is now.
  /** @param {Api["DocumentListBody"]} page */
  #count({ totals, num_open: numOpen, base, event }) {
    this.#event = event;
    this.#totals = totals;
    this.#numWorking = numOpen;
    this.#hooks.counted(base);
  }

  async #reload() {
    const listed = this.#listed;
    const page = listed.base && (await this.#fetchPage(listed, null));
    if (!page) return;
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
    return this.#guard(async () => {
      if (!this.#pages.length) return this.#reload();
      const stale = this.#pages.filter((page, index) => index === 0 || page.items.some(isChanging));
      for (const page of stale) {
        const fresh = await this.#fetchPage(listed, page.cursor);
        if (!fresh) return;
        Object.assign(page, fresh);
      }
      this.#jobs.keep(new Set(this.items.filter((doc) => doc.job).map((doc) => doc.id)));
      this.#render();
      this.#hooks.listed(this.items);
    }, "refresh");
  }

  #render() {
    if (!this.#listed.base) return;
    const docs = this.items;
    const elements = docs.map((doc) => this.#row(doc));
    const list = byId("document-list");
    if (elements.length !== list.children.length || elements.some((element, index) => element !== list.children[index])) {
      redraw(list, ...elements);
    }
    show(byId("more-documents"), Boolean(this.#pages.at(-1)?.next));
    this.#selection.follow(docs);
    this.#renderHead(docs);
    byId("tab-chip").textContent = this.numActive ? t("tab_active", { count: this.numActive }) : "";
  }

  #renderHead(docs) {
    const { wanted } = this.#listed;
    const total = Object.values(this.#totals).reduce((sum, count) => sum + count, 0);
    const numWanted = wanted.status ? this.#totals[wanted.status] : total;
    this.#head.draw(this.#listed.base.id, wanted, this.#totals, total > 0 || isNarrowed(wanted) || Boolean(wanted.status));
    byId("more-documents").textContent = t("load_more_of", { shown: docs.length, total: numWanted });
    const empty = byId("list-empty");
    show(empty, docs.length === 0);
    show(byId("document-table"), docs.length > 0);
    empty.replaceChildren(...emptyParts(wanted));
    drawQueue(this.#listed.base.id, this.#pages[0]?.paused ?? null, this.numActive > 0, (run) => this.#guard(() => run().then(() => this.#reload())));
  }

  #row(doc) {
    const kbId = this.#listed.base.id;
    const actions = {
      open: (chosen) => this.#hooks.open(kbId, chosen),
      remove: (chosen) => this.#guard(() => this.#remove(kbId, chosen)),
      versions: (chosen) => this.#guard(async () => (await showVersions(kbId, chosen, this.#hooks.open)) && this.#refresh()),
      columns: (chosen) => this.#guard(() => showColumns(kbId, chosen)),
      encoding: (chosen) => this.#guard(async () => this.accept(kbId, [await readAgain(kbId, chosen)].filter(Boolean))),
      download: (chosen) => this.#guard(() => downloadDocument(kbId, chosen)),
      tick: (chosen, isTicked) => this.#selection.tick(chosen, isTicked),
      want: (change) => this.#guard(() => this.#want(change)),
      retry: (chosen, job) => this.#guard(() => this.#act(job, "retry")),
      cancel: (chosen, job) => this.#guard(() => this.#act(job, "cancel")),
    };
    if (!this.#rows.has(doc.id)) this.#rows.set(doc.id, new DocumentRow(actions));
    const row = this.#rows.get(doc.id);
    row.update(doc, this.#jobs.get(doc.id), this.#selection.has(doc.id));
    return row.element;
  }

  async #act(job, action) {
    const jobs = this.#jobs;
    const changed = await steerJob(job, action);
    jobs.note(changed);
    await this.#refresh();
  }

  async #remove(kbId, doc) {
    if (!(await removeDocument(kbId, doc)) || kbId !== this.#listed.base?.id) return;
    for (const page of this.#pages) page.items = page.items.filter((item) => item.id !== doc.id);
    this.#rows.delete(doc.id);
    this.#jobs.forget(doc.id);
    this.#selection.forget(doc.id);
    this.#render();
    byId(this.items.length ? "document-filter" : "pick-files").focus();
    this.#live.poke();
  }

  // Tells whether it went well; `source` keeps the error of an action on the page when the next
  // refresh succeeds.
  async #guard(run, source = "documents") {
    const owner = this.#listed.base?.id ?? null;
    const say = (error) => this.#hooks.report(source, error, owner);
    try {
      await run();
      say(null);
      return true;
    } catch (error) {
      say(error);
      return false;
    }
  }
}

const isChanging = (doc) => isActive(doc) || waitsForVectors(doc);
