// The Markdown that models write, as places in the text: which stretches are headings, items, cells,
// strong. Makes no markup of it, so that nothing in an answer can become one. Pure functions.
// Offsets are code points, as everywhere; the signs themselves (**, |, -) lie between the runs.

import { numPoints, slicer } from "./spans.js";

const HEADING = /^(#{1,6})\s+(?=\S)/u;
const ITEM = /^(\s*)([-*•]|(\d{1,3})[.)])\s+(?=\S)/u;
const RULE = /^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?)?\s*$/u;
const FENCE = /^\s*```/u;
const INLINE = /\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*|`([^`\n]+)`/gu;

// Blocks in order: {kind: "p" | "h" | "ul" | "ol" | "table" | "pre", rows: [{number, cells: [[run]]}]};
// a run is {start, end, isStrong, isCode}. A paragraph, a heading and an item have one cell.
export function blocksOf(text) {
  const lines = linesOf(text);
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    const [block, next] = blockAt(lines, at);
    if (block) merge(blocks, block);
    at = next;
  }
  return blocks;
}

function linesOf(text) {
  let start = 0;
  return text.split("\n").map((line) => {
    const placed = { text: line, start };
    start += numPoints(line) + 1;
    return placed;
  });
}

function blockAt(lines, at) {
  const { text } = lines[at];
  if (!text.trim()) return [null, at + 1];
  if (FENCE.test(text)) return fenced(lines, at);
  if (text.includes("|") && RULE.test(lines[at + 1]?.text ?? "")) return table(lines, at);
  const heading = HEADING.exec(text);
  if (heading) return [one("h", runsOf(lines[at], heading[0].length)), at + 1];
  const item = ITEM.exec(text);
  if (item) return [one(item[3] ? "ol" : "ul", runsOf(lines[at], item[0].length), Number(item[3] ?? 0)), at + 1];
  return paragraph(lines, at);
}

const one = (kind, runs, number = 0) => ({ kind, rows: [{ number, cells: [runs] }] });

// Items that follow each other are one list.
function merge(blocks, block) {
  const last = blocks.at(-1);
  if (last?.kind === block.kind && ["ul", "ol"].includes(block.kind)) last.rows.push(...block.rows);
  else blocks.push(block);
}

// Lines up to an empty one or the beginning of something else; the breaks between them stay.
function paragraph(lines, at) {
  let end = at + 1;
  const begins = (index) => {
    const { text } = lines[index];
    return !text.trim() || HEADING.test(text) || ITEM.test(text) || FENCE.test(text) || (text.includes("|") && RULE.test(lines[index + 1]?.text ?? ""));
  };
  while (end < lines.length && !begins(end)) end += 1;
  const runs = lines.slice(at, end).flatMap((line, index) => {
    const isLast = at + index === end - 1;
    const own = runsOf(line, 0);
    const newline = line.start + numPoints(line.text);
    return isLast ? own : [...own, run(newline, newline + 1)];
  });
  return [one("p", runs), end];
}

function fenced(lines, at) {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end].text)) end += 1;
  const inside = lines.slice(at + 1, end);
  const runs = inside.length ? [run(inside[0].start, inside.at(-1).start + numPoints(inside.at(-1).text))] : [];
  return [one("pre", runs), end + 1];
}

function table(lines, at) {
  const rows = [{ number: 0, cells: cellsOf(lines[at]) }];
  let end = at + 2;
  for (; end < lines.length && lines[end].text.includes("|"); end += 1) rows.push({ number: 0, cells: cellsOf(lines[end]) });
  return [{ kind: "table", rows }, end];
}

function cellsOf(line) {
  const cells = [];
  for (const { 0: cell, index } of line.text.matchAll(/[^|]+/gu)) {
    const lead = cell.length - cell.trimStart().length;
    const isEdge = !cell.trim() && (index === 0 || index + cell.length === line.text.length);
    if (!isEdge) cells.push(runsOf({ text: line.text.slice(0, index + cell.trimEnd().length), start: line.start }, index + lead));
  }
  return cells;
}

const run = (start, end, isStrong = false, isCode = false) => ({ start, end, isStrong, isCode });

// The visible stretches of a line from the UTF-16 place `from` on.
function runsOf({ text, start }, from) {
  const place = (index) => start + numPoints(text.slice(0, index));
  const runs = [];
  let done = from;
  for (const found of text.slice(from).matchAll(INLINE)) {
    const [whole, strong, code] = found;
    const begin = from + found.index;
    const sign = strong === undefined ? 1 : 2;
    runs.push(run(place(done), place(begin)), run(place(begin + sign), place(begin + whole.length - sign), strong !== undefined, code !== undefined));
    done = begin + whole.length;
  }
  runs.push(run(place(done), place(text.length)));
  return runs.filter(({ start: first, end }) => end > first);
}

// The words of an answer without the signs, for who reads them in one line.
export function plainText(text) {
  const slice = slicer(text);
  return blocksOf(text).map(({ rows }) => rows.map(({ cells }) => cells.map((runs) => runs.map(({ start, end }) => slice(start, end)).join("")).join(" ")).join("\n")).join("\n");
}
