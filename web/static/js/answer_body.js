// The words of an answer with its citation marks, laid out as its Markdown says: paragraphs, lists,
// tables. Every word becomes a text node. Draws; what a mark does is passed in.

import { el } from "./dom.js";
import { formatNumber, t } from "./i18n/i18n.js";
import { blocksOf } from "./markdown.js";
import { pagesText } from "./source_row.js";
import { pieces } from "./spans.js";

const MAX_MARKS = 8; // of one place: a sum may rest on a hundred documents, which the table names
const LAST_SIGN = /\S\s*$/u;

// on: {cite(citation, mark), hover(citationId, isOver)}; `isTabled`: a table below says what the lists
// say, with the same citations, and they are left out.
export function answerBody(text, citations, highlight, on, isTabled = false) {
  const blocks = blocksOf(text);
  const runs = blocks.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells.flat()));
  const parts = pieces(text, citations, highlight, runs.flatMap(({ start, end }) => [start, end]));
  const shown = visible(parts, runs);
  const cell = (cellRuns) => cellRuns.flatMap((run) => drawRun(run, shown.filter(({ start, end }) => start >= run.start && end <= run.end), on));
  return el("div", { class: "answer-text", dir: "auto" }, blocks.filter(({ kind }) => !(isTabled && kind === "ul")).map((block) => drawBlock(block, cell)));
}

// Pieces inside a run. A mark behind a sign that is not shown stands behind the words before it.
function visible(parts, runs) {
  const shown = [];
  let at = 0;
  for (const part of parts) {
    while (at < runs.length && runs[at].end <= part.start) at += 1;
    if (at < runs.length && runs[at].start <= part.start) shown.push({ ...part, marks: [...part.marks] });
    else if (part.marks.length && shown.length) shown.at(-1).marks.push(...part.marks);
  }
  return shown;
}

function drawBlock({ kind, rows }, cell) {
  const first = rows[0].cells[0];
  if (kind === "p") return el("p", {}, cell(first));
  if (kind === "h") return el("p", { class: "answer-head" }, cell(first));
  if (kind === "pre") return el("pre", { tabindex: "0" }, el("code", {}, cell(first)));
  if (kind === "table") return drawTable(rows, cell);
  return el(kind, {}, rows.map(({ number, cells }) => el("li", { value: kind === "ol" ? number : null }, cell(cells[0]))));
}

function drawTable([head, ...rows], cell) {
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("answer_table") },
    el("table", {},
      el("thead", {}, el("tr", {}, head.cells.map((runs) => el("th", { scope: "col" }, cell(runs))))),
      el("tbody", {}, rows.map(({ cells }) => el("tr", {}, cells.map((runs) => el("td", {}, cell(runs))))))));
}

function drawRun({ isStrong, isCode }, parts, on) {
  const drawn = parts.flatMap((part) => drawPiece(part, on));
  if (isCode) return [el("code", {}, drawn)];
  return isStrong ? [el("strong", {}, drawn)] : drawn;
}

function drawPiece({ text, ids, isAnswer, isUnsupported, marks }, on) {
  const words = (part, isEnd = true) =>
    el(isAnswer ? "strong" : "span", { class: isAnswer ? "answer-core" : null, "data-supports": ids.length ? ids.join(" ") : null }, isUnsupported ? unsupported(part, isEnd) : part);
  if (!marks.length) return [words(text)];
  // The last sign and its first mark stay on one line.
  const tail = LAST_SIGN.exec(text)?.[0] ?? "";
  const head = text.slice(0, text.length - tail.length);
  const isLong = marks.length > MAX_MARKS + 1;
  const [first, ...others] = marks.slice(0, isLong ? MAX_MARKS : marks.length).map((citation) => mark(citation, on));
  if (isLong) others.push(further(marks.slice(MAX_MARKS), on));
  const kept = el("span", { class: "keep" }, tail ? words(tail) : "", first);
  return [head ? words(head, !tail) : "", kept, ...others];
}

// The marks that are not shown, as a button that shows them.
function further(citations, on) {
  const open = (event) => {
    const marks = citations.map((citation) => mark(citation, on));
    event.currentTarget.replaceWith(...marks);
    marks[0].focus();
  };
  return el("button", { type: "button", class: "mark mark-further", "aria-label": t("citations_further", { count: citations.length }), onclick: open }, `+${formatNumber(citations.length)}`);
}

/** @param {Api["CitationBody"]} citation */
function mark(citation, on) {
  const label = t("citation_label", { number: citation.number, title: citation.title, pages: pagesText(citation) });
  return el("button", {
    type: "button",
    class: `mark mark-${citation.status}`,
    "data-citation": citation.id,
    "data-key": `mark ${citation.id}`,
    "aria-label": citation.status === "unverified" ? `${label} (${t("unverified")})` : label,
    title: citation.cited_text,
    onclick: (event) => on.cite(citation, event.currentTarget),
    onmouseenter: () => on.hover(citation.id, true),
    onmouseleave: () => on.hover(citation.id, false),
  }, String(citation.number));
}

// Words that no cited words say. A reader of the screen hears so behind the last of them.
function unsupported(words, isEnd) {
  return el("span", { class: "unsupported", title: t("unsupported_words") }, words, isEnd ? el("span", { class: "visually-hidden" }, ` (${t("unsupported_words")})`) : "");
}
