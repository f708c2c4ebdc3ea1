// Sending files: batches one after the other, bytes counted, rejected files listed with reasons.
// Knows the upload call and its progress area; what becomes of the documents is the list's business.

import { uploadBatch } from "./api.js";
import { askChoice } from "./dialogs.js";
import { announce, byId, el, iconButton, show } from "./dom.js";
import { keepUpload, uploadOf } from "./drafts.js";
import { ownWords } from "./error_view.js";
import { formatBytes, onLanguage, reasonText, t } from "./i18n/i18n.js";

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

const namesOf = (entries) => entries.map(({ name }) => name);

const noOutcome = () => ({ numSent: 0, bytes: 0, tally: { created: 0, revised: 0, unchanged: 0, kept_both: 0 }, rejected: [], unknown: [], known: [] });

// What is known of an upload that a reload ended: files that were on their way, and those behind them.
const brokenOff = ({ sending, waiting }) =>
  ({ ...noOutcome(), isActive: false, unknown: sending, rejected: waiting.map((name) => ({ name, error: null })) });

const sizeOf = (entries) => entries.reduce((sum, { file }) => sum + file.size, 0);

export class Uploads {
  #onAccepted;
  #stops = new AbortController();
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

  // Uploads after those before it; resolves when all batches are through. `given`: the `encoding` of
  // the texts, and `labels` for all.
  add(kbId, entries, given) {
    if (!entries.length) return this.#queue;
    this.#queue = this.#queue.then(() => this.#upload(kbId, entries, given));
    return this.#queue;
  }

  async #upload(kbId, entries, given) {
    this.#stops = new AbortController();
    const run = { ...noOutcome(), given, numFiles: entries.length, total: sizeOf(entries), isActive: true };
    this.#runs.set(kbId, run);
    this.#render();
    await this.#sendAll(kbId, run, entries, "reject");
    if (run.known.length) await this.#settle(kbId, run);
    run.isActive = false;
    keepUpload(kbId, null);
    this.#render();
    announce(summaryOf(run));
  }

  async #sendAll(kbId, run, entries, onConflict) {
    const batches = batchesOf(entries);
    for (const [index, batch] of batches.entries()) {
      keepUpload(kbId, { sending: namesOf(batch), waiting: namesOf([...batches.slice(index + 1).flat(), ...run.known.map(({ entry }) => entry)]) });
      if (!this.#stops.signal.aborted) await this.#send(kbId, run, batch, onConflict);
      else for (const { name } of batch) run.rejected.push({ name, error: null });
    }
  }

  // Files whose name a document with other content has: the reader says what they are.
  async #settle(kbId, run) {
    const known = run.known;
    run.known = [];
    const choice = await askChoice({
      title: t("known_title", { count: known.length }),
      items: known.map(({ entry }) => entry.name),
      choices: ["revise", "keep"].map((value) => ({ value, label: t(`known_${value}`), hint: t(`known_${value}_hint`) })),
      confirm: t("known_confirm"),
    });
    const entries = known.map(({ entry }) => entry);
    if (!choice) return known.forEach(({ entry, error }) => run.rejected.push({ name: entry.name, error }));
    Object.assign(run, { numSent: run.numSent - known.length, bytes: run.bytes - sizeOf(entries) });
    await this.#sendAll(kbId, run, entries, choice);
  }

  async #send(kbId, run, batch, onConflict) {
    const before = run.bytes;
    const size = sizeOf(batch);
    const onBytes = (loaded, total) => {
      run.bytes = before + size * (total ? loaded / total : 0);
      this.#showBytes();
    };
    try {
      const items = await uploadBatch(kbId, batch, { onConflict, ...run.given }, onBytes, this.#stops.signal);
      items.forEach((item, index) => count(run, item, batch[index]));
      this.#onAccepted(kbId, items);
    } catch (error) {
      fail(run, batch, error);
    }
    run.bytes = before + size;
    run.numSent += batch.length;
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
    if (!this.#run) return area.replaceChildren();
    area.replaceChildren(...(this.#run.isActive ? this.#activeView() : this.#doneView()), ...this.#rejectedView(), ...this.#unknownView());
    if (this.#run.isActive) this.#showBytes();
  }

  #activeView() {
    const { numSent, numFiles } = this.#run;
    const label = t("upload_active", { done: numSent, count: numFiles });
    return [
      el("div", { class: "upload-line" },
        el("strong", {}, label), el("span", { class: "meta upload-bytes" }),
        el("button", { type: "button", class: "quiet-button", onclick: () => this.#stops.abort() }, t("stop"))),
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
      iconButton("close", t("dismiss"), dismiss))];
  }

  #rejectedView() {
    const { rejected } = this.#run;
    if (!rejected.length) return [];
    const rows = rejected.map(({ name, error }) =>
      el("li", {}, el("bdi", { class: "reject-name" }, name),
        el("span", { class: "meta" }, error ? reasonText(error) : t("upload_stopped")), error && ownWords(error)));
    return [el("h3", { class: "reject-title" }, t("rejected_title", { count: rejected.length })), el("ul", { class: "reject-list" }, rows)];
  }

  #unknownView() {
    const { unknown } = this.#run;
    if (!unknown.length) return [];
    return [
      el("h3", { class: "reject-title" }, t("unknown_title", { count: unknown.length })),
      el("p", { class: "meta" }, t("unknown_note")),
      el("ul", { class: "reject-list" }, unknown.map((name) => el("li", {}, el("bdi", { class: "reject-name" }, name)))),
    ];
  }
}

// A service that went away may have stored what it did not live to acknowledge.
function fail(run, batch, error) {
  const isStopped = error.name === "AbortError";
  for (const { name } of batch) {
    if (error.code === "network") run.unknown.push(name);
    else run.rejected.push({ name, error: isStopped ? null : error });
  }
}

/** @param {Api["UploadItemBody"]} item */
function count(run, item, entry) {
  if (item.error?.code === "name_taken") run.known.push({ entry, error: item.error });
  else if (item.outcome === "rejected") run.rejected.push({ name: entry.name, error: item.error });
  else run.tally[item.outcome] = (run.tally[item.outcome] ?? 0) + 1;
}

function summaryOf({ tally, rejected, unknown }) {
  const parts = Object.entries(tally).map(([outcome, number]) => number && t(`outcome_${outcome}`, { count: number }));
  if (rejected.length) parts.push(t("outcome_rejected", { count: rejected.length }));
  if (unknown.length) parts.push(t("outcome_unknown", { count: unknown.length }));
  return parts.filter(Boolean).join(" · ");
}
