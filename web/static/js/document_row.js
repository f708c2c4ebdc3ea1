// One document in the list: status, true progress, page report, failure, actions. Updated in place,
// so that focus and opened details survive a refresh. Knows no network: actions are callbacks.

import { el, icon, iconButton, redraw } from "./dom.js";
import { encodingLine } from "./encodings.js";
import { ownWords } from "./error_view.js";
import { codeText, formatBytes, formatTime, reasonText, t } from "./i18n/i18n.js";
import { labelChip } from "./labels.js";

const MAX_REPORT_LINES = 50;
const UNFINISHED = new Set(["queued", "running", "failed"]);
const STATUS_ICONS = { ready: "check", partial: "alert", failed: "alert" };

export const isActive = (doc) => doc.status === "pending" || doc.status === "processing";

/** @type {(doc: Api["DocumentBody"]) => boolean} */
export const waitsForVectors = (doc) => doc.vectors === "pending";

export class DocumentRow {
  #state = "";
  #actions;
  element = el("tr", { class: "document" });

  // actions: {open, remove, download, versions, columns, encoding, retry, cancel}, each called with (doc, job);
  // {tick(doc, isTicked), want(change): the list of what is like this one}
  constructor(actions) {
    this.#actions = actions;
  }

  /** @param {Api["DocumentBody"]} doc @param {Api["JobBody"]} job */
  update(doc, job, isTicked) {
    const state = JSON.stringify([doc, job, isTicked, document.documentElement.lang]);
    if (state === this.#state) return;
    this.#state = state;
    this.element.classList.toggle("is-ticked", isTicked);
    redraw(this.element,
      el("td", { class: "document-tick" }, this.#tick(doc, isTicked)),
      el("th", { class: "document-body", scope: "row" }, this.#title(doc), containerLine(doc), this.#marks(doc), encodingLine(doc, this.#actions.encoding), conversionLine(doc), vectorsLine(doc), progressLine(doc, job), errorLine(doc, job), pageReport(doc)),
      el("td", { class: "document-pages meta" }, pagesText(doc)),
      el("td", { class: "document-size meta" }, formatBytes(doc.size_bytes)),
      el("td", { class: "document-date meta" }, formatTime(doc.updated_at)),
      el("td", { class: "document-status" }, badge(doc.status)),
      el("td", { class: "document-actions" }, el("div", {}, ...this.#buttons(doc, job))));
  }

  /** @param {Api["DocumentBody"]} doc */
  #title(doc) {
    const name = el("bdi", {}, doc.name);
    const title = doc.revision
      ? el("button", { type: "button", class: "document-name", title: doc.name, "data-key": `open ${doc.id}`, onclick: () => this.#actions.open(doc) }, name)
      : el("span", { class: "document-name", title: doc.name }, name);
    return el("div", { class: "document-title" }, el("span", { class: "document-kind", "aria-hidden": "true" }, kindOf(doc)), title);
  }

  /** @param {Api["DocumentBody"]} doc */
  #tick(doc, isTicked) {
    const ticked = (event) => this.#actions.tick(doc, event.currentTarget.checked);
    return el("input", { type: "checkbox", checked: isTicked, "data-key": `tick ${doc.id}`, "aria-label": t("document_select", { name: doc.name }), onchange: ticked });
  }

  /** @param {Api["DocumentBody"]} doc */
  #marks({ tags, labels }) {
    if (!tags.length && !labels.length) return null;
    const chip = (tag) => el("button", { type: "button", class: "tag tag-button", title: t("filter_tag", { tag }), onclick: () => this.#actions.want({ tag }) }, el("bdi", {}, tag));
    const marks = labels.map((mark) => labelChip(mark, (label) => this.#actions.want({ label })));
    return el("div", { class: "document-tags" }, marks, tags.map(chip));
  }

  /** @param {Api["DocumentBody"]} doc @param {Api["JobBody"]} job */
  #buttons(doc, job) {
    const add = (name, symbol, isShown, needs = "write") => {
      if (!isShown) return null;
      const label = t(`document_${name}`, { name: doc.name });
      return iconButton(symbol, label, () => this.#actions[name](doc, job), { "data-action": name, "data-key": `${name} ${doc.id}`, "data-needs": needs });
    };
    const canRetry = job !== null && ["failed", "dead", "cancelled"].includes(job.status);
    const canCancel = job !== null && UNFINISHED.has(job.status) && (isActive(doc) || doc.revision !== null);
    return [
      add("retry", "refresh", canRetry),
      add("cancel", "stop", canCancel),
      add("versions", "history", doc.versions.length > 1, null),
      add("columns", "columns", doc.revision !== null),
      add("download", "download", true, null),
      add("remove", "trash", true),
    ].filter(Boolean);
  }
}

function kindOf(doc) {
  const match = /\.([A-Za-z0-9]{1,5})$/.exec(doc.name);
  return match ? match[1].toUpperCase() : "…";
}

function badge(status) {
  const symbol = STATUS_ICONS[status];
  return el("span", { class: `badge badge-${status}` }, symbol ? icon(symbol) : el("span", { class: "badge-dot" }), codeText("status", status));
}

// "3 pages of text"; what gave no text is told below with its reasons.
/** @param {Api["DocumentBody"]} doc */
const pagesText = (doc) => (unreadPages(doc).length ? t("num_pages", { count: doc.page_report.pages.length }) : reportText(doc.page_report));

// A document that came out of another one goes with it.
/** @param {Api["DocumentBody"]} doc */
const containerLine = (doc) => (doc.container ? el("p", { class: "meta document-container" }, t("document_container", doc.container)) : null);

// Words find a document at once; its vectors follow in the background.
/** @param {Api["DocumentBody"]} doc */
const vectorsLine = (doc) => (waitsForVectors(doc) ? el("p", { class: "meta document-vectors" }, t("vectors_pending")) : null);

// "Reading pages 12 of 40": what the job reports, never an estimate.
/** @param {Api["DocumentBody"]} doc @param {Api["JobBody"]} job */
function progressLine(doc, job) {
  if (!job || !["queued", "running"].includes(job.status)) return null;
  const stage = codeText("stage", job.stage);
  const isCounted = job.status === "running" && job.total > 0;
  const count = isCounted ? t("progress_count", { done: job.done, total: job.total }) : "";
  const label = t("progress_label", { name: doc.name, stage });
  return el("div", { class: "document-progress" },
    el("span", { class: "meta" }, stage),
    el("progress", { max: isCounted ? job.total : 1, value: isCounted ? job.done : job.status === "queued" ? 0 : null, "aria-label": label }),
    el("span", { class: "meta count" }, count));
}

/** @param {Api["DocumentBody"]} doc @param {Api["JobBody"]} job */
function errorLine(doc, job) {
  const error = doc.error ?? (job && ["failed", "dead"].includes(job.status) ? job.error : null);
  if (!error) return null;
  const waits = job?.status === "failed" ? t("job_will_retry", { attempt: job.attempt }) : "";
  return el("div", { class: `document-error error-${doc.status}` },
    el("p", {}, reasonText(error), waits ? ` ${waits}` : ""), ownWords(error));
}

/** @type {(doc: Api["DocumentBody"]) => Api["PageOutline"][]} */
const unreadPages = (doc) =>
  (doc.page_report?.pages ?? []).filter(({ kind, reason }) => kind === "empty" || kind === "failed" || reason);

/** @param {Api["PageReportBody"]} report */
function reportText(report) {
  const kinds = ["text", "ocr", "both", "empty", "failed"].filter((kind) => report?.[kind] > 0);
  return kinds.map((kind) => t(`pages_${kind}`, { count: report[kind] })).join(" · ");
}

// Every page that gave no text, with its reason; when there is none, the first line says it all.
/** @param {Api["DocumentBody"]} doc */
function pageReport(doc) {
  const unread = unreadPages(doc);
  const losses = doc.page_report?.losses ?? [];
  if (!unread.length && !losses.length) return null;
  const lines = unread.slice(0, MAX_REPORT_LINES).map((page) =>
    el("li", {}, t("page_line", { page: page.page_number, kind: codeText("kind", page.kind) }), page.reason ? ` — ${codeText("reason", page.reason)}` : ""));
  const more = unread.length > MAX_REPORT_LINES ? el("li", {}, t("more_pages", { count: unread.length - MAX_REPORT_LINES })) : null;
  const summary = [reportText(doc.page_report), losses.length ? t("num_losses", { count: losses.length }) : ""];
  return el("details", { class: "page-report", "data-key": `pages ${doc.id}` },
    el("summary", {}, summary.filter(Boolean).join(" · ")), el("ul", {}, lines, more, losses.map(lossLine)));
}

/** @param {Api["DocumentBody"]} doc */
const conversionLine = ({ metadata: { converted_by: program } }) =>
  program ? el("div", { class: "document-conversion meta" }, t(program === "LibreOffice" ? "converted_whole" : "converted_words", { program })) : null;

/** @param {Api["Loss"]} loss */
const lossLine = ({ where, what, sample }) =>
  el("li", { title: sample }, where ? el("bdi", {}, where) : null, where ? " — " : "", codeText("loss", what), where ? "" : ` (${sample})`);
