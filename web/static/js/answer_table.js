// The table of an answer over many documents: its picture, and its rows with the marks of what each
// cell rests on; its words say how much stands behind it. Draws; knows no network.

import { chartOf } from "./chart.js";
import { el, iconButton, isOneWord } from "./dom.js";
import { codeText, formatNumber, hasText, t } from "./i18n/i18n.js";

const MAX_MARKS = 3; // of one cell: a count may rest on a hundred documents
const NUMBERS = new Set(["count", "sum", "min", "max", "average", "median", "dead", "injured", "missing", "trapped", "loss", "fine", "duration"]);

// on: {onCite(citation, button), onIncident(citation)}
/** @param {Api["AnswerBody"]} answer */
export function answerTable(answer, on) {
  const { table, citations, query } = answer;
  if (!table) return "";
  const isByKind = ("by" in query && query.by === "kind") || (query.op === "which" && query.field === "kind");
  const chart = answer.chart && isByKind ? { ...answer.chart, x: answer.chart.x.map(kindText) } : answer.chart;
  const byNumber = new Map(citations.map((citation) => [citation.number, citation]));
  return el("div", { class: "tabled" },
    chart ? chartOf(chart) : "",
    table.rows.length ? drawn(answer, isByKind, byNumber, on) : "");
}

// A kind of happening that the language of the page knows, by its own word.
const kindText = (kind) => (hasText(`happening_${kind.toLowerCase()}`) ? t(`happening_${kind.toLowerCase()}`) : kind);

// A row of an incident ends with the way to its page.
/** @param {Api["AnswerBody"]} answer */
function drawn({ table: { columns, rows }, query }, isByKind, byNumber, { onCite, onIncident }) {
  const isOfIncidents = columns[0] === "document" && query.of !== "documents";
  const opening = (cells) => {
    const citation = byNumber.get(cells.flatMap((cell) => cell.citations)[0]);
    return el("td", { class: "row-open" }, citation ? iconButton("incident", t("incident_show"), () => onIncident(citation)) : "");
  };
  const head = columns.map((name) => el("th", { scope: "col", class: NUMBERS.has(name) ? "is-number" : null }, codeText("field", name)));
  if (isOfIncidents) head.push(el("th", { class: "row-open" }, el("span", { class: "visually-hidden" }, t("incident_show"))));
  const body = rows.map(({ cells }) => el("tr", {}, saidOnce(cells).map((cell, index) => drawCell(isByKind && !index ? { ...cell, value: kindText(String(cell.value)) } : cell, NUMBERS.has(columns[index]), byNumber, onCite)), isOfIncidents ? opening(cells) : null));
  return el("div", { class: "table-frame table-tall", tabindex: "0", role: "group", "aria-label": t("answer_table") },
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

// Cells of a row mostly rest on the same words: a cell has marks only where no cell before it has all of
// them, and none behind it all of them and more.
/** @param {Api["CellBody"][]} cells @returns {Api["CellBody"][]} */
function saidOnce(cells) {
  const holds = (one, other) => other.citations.every((number) => one.citations.includes(number));
  const isSaid = (cell, index) => cells.some((other, at) =>
    holds(other, cell) && (at < index || (at > index && other.citations.length > cell.citations.length)));
  return cells.map((cell, index) => (isSaid(cell, index) ? { ...cell, citations: [] } : cell));
}

/** @param {Api["CellBody"]} cell */
function drawCell({ value, citations: numbers }, isNumber, byNumber, onCite) {
  const cited = numbers.map((number) => byNumber.get(number)).filter(Boolean);
  const marks = cited.slice(0, MAX_MARKS).map((citation) =>
    el("button", { type: "button", class: `mark mark-${citation.status}`, "data-citation": citation.id, "data-key": `mark ${citation.id}`, title: citation.cited_text, "aria-label": t("citation_label", { number: citation.number, title: citation.title, pages: "" }), onclick: (event) => onCite(citation, event.currentTarget) }, String(citation.number)));
  const more = cited.length > MAX_MARKS ? el("span", { class: "meta" }, `+${cited.length - MAX_MARKS}`) : "";
  const text = value === null ? "–" : typeof value === "number" ? formatNumber(value) : value;
  return el("td", { class: isNumber ? "is-number" : null }, el("bdi", { class: isOneWord(text) ? "keep" : null }, text), marks.length ? el("span", { class: "keep" }, marks, more) : "");
}
