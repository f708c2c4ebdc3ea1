// The sources of an answer, one head a document: title, file, date, and under it each quote by its
// page. Words that the answer itself repeats are not said again. Documents that differ stand side by
// side. Draws; knows no network.

import { el } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { documentHead, lineOf, methodText, pagesText } from "./source_row.js";
import { slicer } from "./spans.js";

const MAX_OPEN = 6; // documents; more are folded until they are wanted
const CONFLICT = "conflicting_sources";

/** @param {Api["AnswerBody"]} answer */
export function sourceGroups(answer, onCite) {
  if (!answer.citations.length) return "";
  const groups = byDocument(answer.citations);
  const isConflict = answer.reason === CONFLICT;
  const rows = groups.map((citations) => group(citations, isConflict ? () => true : (citation) => !isSaid(answer, citation), onCite));
  const isLong = groups.length > MAX_OPEN;
  return el("details", { class: "fold", "data-key": isLong ? "many-sources" : "sources", open: !isLong },
    el("summary", {}, t("sources", { count: groups.length })),
    el("ol", { class: isConflict ? "source-list side-by-side" : "source-list" }, rows));
}

// Citations by document, in the order in which documents are first cited.
function byDocument(citations) {
  const groups = new Map();
  for (const citation of citations) groups.set(citation.document_id, [...(groups.get(citation.document_id) ?? []), citation]);
  return [...groups.values()];
}

const bare = (text) => text.replace(/[\s*`]+/gu, "").toLowerCase();

// Whether a reader of the answer has read the cited words already.
/** @param {Api["AnswerBody"]} answer @param {Api["CitationBody"]} citation */
function isSaid({ answer }, citation) {
  const said = slicer(answer)(citation.answer.start, citation.answer.end);
  return bare(said).includes(bare(citation.cited_text));
}

/** @param {Api["CitationBody"][]} citations */
function group(citations, needsQuote, onCite) {
  const [first] = citations;
  return el("li", { class: "source-group" },
    documentHead(first),
    lineOf(first),
    el("ul", { class: "quote-list" }, citations.map((citation) => el("li", {}, quoteButton(citation, needsQuote(citation), onCite)))));
}

/** @param {Api["CitationBody"]} citation */
function quoteButton(citation, hasQuote, onCite) {
  const place = [pagesText(citation), methodText(citation)].filter(Boolean).join(" · ");
  return el("button", { type: "button", class: "source", "data-citation": citation.id, "data-key": `source ${citation.id}`, onclick: (event) => onCite(citation, event.currentTarget) },
    el("span", { class: `mark mark-${citation.status}` }, String(citation.number)),
    el("span", { class: "source-text" },
      el("span", { class: "meta" }, place || t("open_source")),
      hasQuote ? el("q", { class: "source-quote" }, citation.cited_text) : null));
}
