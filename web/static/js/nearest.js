// The passages that come nearest to what an answer did not find: listed and opened as quotes are.

import { el } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { sourceRow } from "./source_row.js";

const BEHIND_ALL = Number.MAX_SAFE_INTEGER;

// The passages in the shape of citations, which support nothing of the answer.
/** @param {Api["AnswerBody"] | null | undefined} answer @returns {any[]} */
export function nearestQuotes(answer) {
  return (answer?.nearest ?? []).map((passage, index) => ({
    id: `near${passage.number}`,
    number: index + 1,
    document_id: passage.document_id,
    revision: passage.revision,
    title: passage.title,
    document_name: passage.document_name,
    document_date: passage.document_date,
    document_line: passage.document_line,
    cited_text: passage.text,
    source: { start: passage.span.start, end: passage.span.end, pages: passage.pages },
    answer: { start: BEHIND_ALL, end: BEHIND_ALL },
    status: "nearest",
  }));
}

/** @param {Api["AnswerBody"]} answer */
export function nearestList(answer, onCite) {
  const rows = nearestQuotes(answer).map((quote) => sourceRow(quote, onCite));
  if (!rows.length) return "";
  return el("details", { class: "fold", "data-key": "nearest", open: true }, el("summary", {}, t("nearest", { count: rows.length })), el("ol", { class: "source-list" }, rows));
}
