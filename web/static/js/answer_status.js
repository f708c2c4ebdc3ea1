// What is said above and below the words of an answer: how it stands, what is missing, what a reader
// can do when there is none. Draws; knows no network.

import { el, icon } from "./dom.js";
import { problemParts } from "./error_view.js";
import { codeText, formatDate, hasText, reasonText, t } from "./i18n/i18n.js";

// Reasons of answers with words that nothing supports.
const UNSURE = new Set(["unsupported_sentences_dropped", "unverified_sentences", "max_tokens_reached"]);

// How a question was read that left out what it is about, and in what it was asked.
export function understoodLine({ answer }, { onFull }) {
  const understood = /** @type {Api["AnswerBody"]} */ (answer)?.understood;
  if (!understood) return null;
  const { about, question } = understood;
  const read = about && el("button", { type: "button", class: "quiet-button", "data-key": "understood", title: question, "aria-label": t("understood_label", { about, question }), onclick: () => onFull(question) }, el("bdi", {}, about), icon("pencil"));
  // The words of a table say what it is of; of when and what kind is told of other answers.
  const limits = limitsOf(understood, answer.table === null).map((text) => el("span", { class: "tag" }, el("bdi", {}, text)));
  if (!read && !limits.length) return null;
  return el("p", { class: "understood" }, read || "", limits.length ? el("span", { class: "meta" }, t("asked_in")) : "", limits);
}

/** @param {Api["UnderstoodBody"]} understood @param {boolean} withFacts */
function limitsOf({ filters }, withFacts) {
  const { document_ids: ids = [], tags = [], labels = [], date_from: from, date_to: to, ...facts } = /** @type {any} */ ({ ...filters });
  const { kind = [], time_from: since, time_to: before } = withFacts ? facts : {};
  return [
    ...(ids.length ? [t("num_documents", { count: ids.length })] : []),
    ...labels.map((label) => t("scope_label", { label })),
    ...tags.map((tag) => t("scope_tag", { tag })),
    ...kind.map((name) => codeText("happening", name)),
    ...(since ? [t("scope_since", { day: formatDate(since.slice(0, 10)) })] : []),
    ...(before ? [t("scope_until", { day: formatDate(new Date(Date.parse(`${before}Z`) - 1).toISOString().slice(0, 10)) })] : []),
    ...(from ? [t("scope_from", { day: formatDate(from) })] : []),
    ...(to ? [t("scope_to", { day: formatDate(to) })] : []),
  ];
}

export function statusLine({ answer, phase, place, aboutS, isStreaming, isStopped, isUnfinished, error }) {
  if (error) return null;
  if (isStopped) return el("p", { class: "status status-stopped" }, t("stopped"));
  if (isUnfinished) return el("p", { class: "status status-stopped" }, t("unfinished"));
  if (isStreaming) return el("p", { class: "status status-streaming" }, phaseText(phase, place, aboutS));
  if (!answer) return null;
  if (answer.reason === "greeting") return el("p", { class: "status" }, codeText("reason", answer.reason));
  if (answer.reason === "document_deleted") return el("p", { class: "status status-stopped" }, icon("alert"), el("span", {}, t("answer_deleted")));
  return el("p", { class: `status status-${answer.status}` }, icon(answer.status === "answered" ? "check" : "alert"), headOf(answer));
}

const phaseText = (phase, place, aboutS) =>
  place ? t("in_line", { place, seconds: aboutS }) : phase ? codeText("phase", phase) : t("answering");

// What was not done is no word about the documents: such reasons have a heading of their own.
/** @param {Api["AnswerBody"]} answer */
function headOf({ status, reason }) {
  if (hasText(`head_${reason}`)) return el("span", {}, t(`head_${reason}`));
  return el("span", {}, codeText("answer", status), reason ? ` — ${codeText("reason", reason)}` : "");
}

export function notes({ answer, error, isStopped, isUnfinished }, { onRetry, onEdit }) {
  const again = () => el("div", { class: "again" },
    el("button", { type: "button", class: "plain-button", onclick: onRetry }, t("ask_again")),
    el("button", { type: "button", class: "quiet-button", onclick: onEdit }, t("ask_edited")));
  if (error) return [el("div", { class: "notice notice-bad", role: "alert" }, problemParts(error)), again()];
  if (isStopped || isUnfinished) return [again()];
  const unkept = answer?.not_stored ? [el("p", { class: "notice notice-plain" }, t("not_stored", { reason: reasonText({ ...answer.not_stored, details: null }) }))] : [];
  return [...unkept, ...statusNotes(answer)];
}

/** @param {Api["AnswerBody"]} answer */
function statusNotes(answer) {
  if (!answer) return [];
  const unmet = answer.missing.length ? [missingLine(answer.missing)] : [];
  if (answer.status === "refused") return [...unmet, el("p", { class: "meta" }, t(answer.nearest.length ? "refused_near" : "refused_note"))];
  return UNSURE.has(answer.reason) ? [...unmet, el("p", { class: "meta" }, t("partial_note"))] : unmet;
}

const missingLine = (missing) =>
  el("p", { class: "missing" }, t("missing"), missing.flatMap((words) => [" ", el("bdi", { class: "missing-words" }, words)]));
