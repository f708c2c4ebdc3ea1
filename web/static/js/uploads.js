// Sending files: batches one after the other, bytes counted, what became of them told.
// Knows the upload call and its progress area; what becomes of the documents is the list's business.

import { uploadBatch } from "./api.js";
import { askChoice } from "./dialogs.js";
import { announce, byId, clear, el, iconButton, redraw, show } from "./dom.js";
import { keepUpload, uploadOf } from "./drafts.js";
import { formatBytes, onLanguage, t } from "./i18n/i18n.js";
import { brokenOff, count, fail, grouped, keptOf, noOutcome, rejectedView, summaryOf, unknownView } from "./upload_outcome.js";

const MAX_BATCH_FILES = 20;
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

// Batches of at most 20 files and 64 MiB; a larger single file travels alone.
export function batchesOf(entries) {
  const batches = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = batches.at(-1);
    if (last && last.length < MAX_BATCH_FILES && bytes + entry.file.size <= MAX_BATCH_BYTES) {
      last.push(entry);
      bytes += entry.file.size;
    } else {
      batches.push([entry]);
      bytes = entry.file.size;
    }
  }
  return batches;
}

const sizeOf = (entries) => entries.reduce((sum, { file }) => sum + file.size, 0);

export class Uploads {
  #onAccepted;
  #runs = new Map(); // base id -> what became of the last upload into it
  #kbId = null;
  #queue = Promise.resolve();

  // `onAccepted(kbId, items)`: the outcomes of one batch, for the document list.
  constructor(onAccepted) {
    this.#onAccepted = onAccepted;
    onLanguage(() => this.#render());
    // The browser asks whether to leave; who leaves is told on return what became of it.
    addEventListener("beforeunload", (event) => [...this.#runs.values()].some((run) => run.isActive) && event.preventDefault());
  }

  // The area tells of the base that is shown.
  enter(kbId) {
    this.#kbId = kbId;
    const broken = kbId && !this.#run && uploadOf(kbId);
    if (broken) this.#runs.set(kbId, brokenOff(broken));
    this.#render();
  }

  get #run() {
    return this.#runs.get(this.#kbId) ?? null;
  }

  // Uploads behind what is under way; resolves when all is through. `given`: the `encoding` of the
  // texts, and `labels` for all.
  add(kbId, entries, given) {
    if (!entries.length) return this.#queue;
    const active = this.#runs.get(kbId);
    const run = active?.isActive ? active : { ...noOutcome(), stops: new AbortController(), numFiles: 0, total: 0, sending: [], waiting: [], isActive: true };
    run.numFiles += entries.length;
    run.total += sizeOf(entries);
    run.waiting.push(...batchesOf(entries).map((files) => ({ files, given })));
    this.#runs.set(kbId, run);
    keepUpload(kbId, keptOf(run));
    this.#render();
    if (run !== active) this.#queue = this.#queue.then(() => this.#upload(kbId, run));
    return this.#queue;
  }

  async #upload(kbId, run) {
    await this.#sendAll(kbId, run, "reject");
    while (run.known.length) await this.#settle(kbId, run);
    run.isActive = false;
    keepUpload(kbId, null);
    this.#render();
    announce(summaryOf(run));
  }

  async #sendAll(kbId, run, onConflict) {
    while (run.waiting.length) {
      const batch = run.waiting.shift();
      run.sending = batch.files;
      keepUpload(kbId, keptOf(run));
      if (!run.stops.signal.aborted) await this.#send(kbId, run, batch, onConflict);
      else for (const { name } of batch.files) run.rejected.push({ name, error: null });
    }
  }

  // Files whose name a document with other content has: the reader says what they are. What was added
  // meanwhile goes as it came.
  async #settle(kbId, run) {
    const known = run.known;
    const choice = await askChoice({
      title: t("known_title", { count: known.length }),
      items: known.map(({ entry }) => entry.name),
      choices: ["revise", "keep"].map((value) => ({ value, label: t(`known_${value}`), hint: t(`known_${value}_hint`) })),
      confirm: t("known_confirm"),
    });
    const added = run.waiting;
    [run.known, run.waiting] = [[], []];
    if (choice) {
      const entries = known.map(({ entry }) => entry);
      Object.assign(run, { numSent: run.numSent - known.length, bytes: run.bytes - sizeOf(entries) });
      for (const [given, files] of grouped(known, (one) => one.given)) run.waiting.push(...batchesOf(files.map(({ entry }) => entry)).map((batch) => ({ files: batch, given })));
      await this.#sendAll(kbId, run, choice);
    } else known.forEach(({ entry, error }) => run.rejected.push({ name: entry.name, error }));
    run.waiting.push(...added);
    await this.#sendAll(kbId, run, "reject");
  }

  async #send(kbId, run, { files, given }, onConflict) {
    const before = run.bytes;
    const size = sizeOf(files);
    let isAllSent = false;
    const onBytes = (loaded, total) => {
      isAllSent = loaded >= total;
      run.bytes = before + size * (total ? loaded / total : 0);
      this.#showBytes();
    };
    try {
      const items = await uploadBatch(kbId, files, { onConflict, ...given }, onBytes, run.stops.signal);
      items.forEach((item, index) => count(run, item, files[index], given));
      this.#onAccepted(kbId, items);
    } catch (error) {
      fail(run, files, error, isAllSent);
    }
    run.bytes = before + size;
    run.numSent += files.length;
    run.sending = [];
    this.#render();
  }

  #showBytes() {
    if (!this.#run) return;
    const { bytes, total } = this.#run;
    const bar = byId("upload-status").querySelector("progress");
    const label = byId("upload-status").querySelector(".upload-bytes");
    if (!bar || !label) return;
    bar.value = total ? bytes / total : 1;
    label.textContent = t("upload_bytes", { done: formatBytes(bytes), total: formatBytes(total) });
  }

  #render() {
    const area = byId("upload-status");
    show(area, this.#run !== null);
    if (!this.#run) return clear(area);
    const head = this.#run.isActive ? this.#activeView() : this.#doneView();
    redraw(area, ...head, ...rejectedView(this.#run.rejected), ...unknownView(this.#run.unknown));
    if (this.#run.isActive) this.#showBytes();
  }

  #activeView() {
    const { numSent, numFiles } = this.#run;
    const label = t("upload_active", { done: numSent, count: numFiles });
    return [
      el("div", { class: "upload-line" },
        el("strong", {}, label), el("span", { class: "meta upload-bytes" }),
        el("button", { type: "button", class: "quiet-button", "data-key": "stop", onclick: () => this.#run.stops.abort() }, t("stop"))),
      el("progress", { max: 1, value: 0, "aria-label": label }),
    ];
  }

  #doneView() {
    const dismiss = () => {
      this.#runs.delete(this.#kbId);
      keepUpload(this.#kbId, null);
      this.#render();
    };
    return [el("div", { class: "upload-line" },
      el("strong", {}, summaryOf(this.#run) || t("upload_nothing")),
      iconButton("close", t("dismiss"), dismiss, { "data-key": "dismiss" }))];
  }
}
