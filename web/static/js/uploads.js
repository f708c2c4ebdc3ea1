// Sending files: batches one after the other, bytes counted, rejected files listed with reasons.
// Knows the upload call and its progress area; what becomes of the documents is the list's business.

import { uploadBatch } from "./api.js";
import { announce, byId, el, iconButton, show } from "./dom.js";
import { codeText, errorText, formatBytes, onLanguage, t } from "./i18n/i18n.js";

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
  #stops = new AbortController();
  #run = null;
  #queue = Promise.resolve();

  // `onAccepted(kbId, items)`: the outcomes of one batch, for the document list.
  constructor(onAccepted) {
    this.#onAccepted = onAccepted;
    onLanguage(() => this.#render());
  }

  // Uploads after those before it; resolves when all batches are through.
  add(kbId, entries) {
    if (!entries.length) return this.#queue;
    this.#queue = this.#queue.then(() => this.#upload(kbId, entries));
    return this.#queue;
  }

  async #upload(kbId, entries) {
    this.#stops = new AbortController();
    const tally = { created: 0, revised: 0, unchanged: 0 };
    this.#run = { numFiles: entries.length, numSent: 0, bytes: 0, total: sizeOf(entries), isActive: true, tally, rejected: [], unknown: [] };
    this.#render();
    for (const batch of batchesOf(entries)) {
      if (!this.#stops.signal.aborted) await this.#send(kbId, batch);
      else for (const { name } of batch) this.#reject(name, t("upload_stopped"));
    }
    this.#run.isActive = false;
    this.#render();
    announce(this.#summary());
  }

  async #send(kbId, batch) {
    const run = this.#run;
    const before = run.bytes;
    const size = sizeOf(batch);
    const onBytes = (loaded, total) => {
      run.bytes = before + size * (total ? loaded / total : 0);
      this.#showBytes();
    };
    try {
      const items = await uploadBatch(kbId, batch, onBytes, this.#stops.signal);
      items.forEach((item, index) => this.#count(item, batch[index]?.name ?? ""));
      this.#onAccepted(kbId, items);
    } catch (error) {
      this.#fail(batch, error);
    }
    run.bytes = before + size;
    run.numSent += batch.length;
    this.#render();
  }

  // A service that went away may have stored what it did not live to acknowledge.
  #fail(batch, error) {
    const reason = error.name === "AbortError" ? t("upload_stopped") : errorText(error);
    for (const { name } of batch) {
      if (error.code === "network") this.#run.unknown.push(name);
      else this.#reject(name, reason);
    }
  }

  #count(item, name) {
    if (item.outcome !== "rejected") this.#run.tally[item.outcome] += 1;
    else this.#reject(name, item.error?.message ?? t("error_unknown"), item.error?.code);
  }

  #reject(name, reason, code = "") {
    this.#run.rejected.push({ name, reason, code });
  }

  #summary() {
    const { tally, rejected, unknown } = this.#run;
    const parts = Object.entries(tally).map(([outcome, count]) => count && t(`outcome_${outcome}`, { count }));
    if (rejected.length) parts.push(t("outcome_rejected", { count: rejected.length }));
    if (unknown.length) parts.push(t("outcome_unknown", { count: unknown.length }));
    return parts.filter(Boolean).join(" · ");
  }

  #showBytes() {
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
    if (!this.#run) return;
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
      this.#run = null;
      this.#render();
    };
    return [el("div", { class: "upload-line" },
      el("strong", {}, this.#summary() || t("upload_nothing")),
      iconButton("close", t("dismiss"), dismiss))];
  }

  #rejectedView() {
    const { rejected } = this.#run;
    if (!rejected.length) return [];
    const rows = rejected.map(({ name, reason, code }) =>
      el("li", {}, el("bdi", { class: "reject-name" }, name),
        code ? el("span", { class: "reject-code" }, codeText("error", code)) : null,
        el("span", { class: "meta" }, reason)));
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
