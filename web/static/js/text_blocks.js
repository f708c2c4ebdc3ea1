// The stored text as a reader wants to see it: lines that say "name: value; name: value" with the same
// names below each other are the rows of a table. Offsets are code points. Pure functions.

import { numPoints } from "./spans.js";

const JOIN = "; ";
const NAMED = /^([^:：;]{1,60}): (.*)$/su;
const MIN_ROWS = 2;

// Blocks of text[from:to) that follow each other without a gap: {kind: "text", start, end} or
// {kind: "table", start, end, names, rows: [{start, end, cells: [{start, end} | null]}]}.
export function blocksIn(text, from) {
  const blocks = [];
  let rows = [];
  const close = () => {
    if (rows.length) blocks.push(rows.length >= MIN_ROWS ? tableOf(rows) : { kind: "text", start: rows[0].start, end: rows.at(-1).end });
    rows = [];
  };
  let start = from;
  for (const line of text.split(/(?<=\n)/u)) {
    const end = start + numPoints(line);
    const row = rowOf(line, start, end);
    if (row && (!rows.length || fits(rows, row))) rows.push(row);
    else if (rows.length && !line.trim()) rows.at(-1).end = end; // rows of a sheet are paragraphs
    else {
      close();
      if (row) rows.push(row);
      else blocks.push({ kind: "text", start, end });
    }
    start = end;
  }
  close();
  return joined(blocks);
}

// A line of at least two named values, or null.
function rowOf(line, start, end) {
  const parts = line.replace(/\s+$/u, "").split(JOIN);
  if (parts.length < 2) return null;
  const cells = [];
  let at = start;
  for (const part of parts) {
    const named = NAMED.exec(part);
    if (!named) return null;
    const first = at + numPoints(part) - numPoints(named[2]);
    cells.push({ name: named[1], start: first, end: at + numPoints(part) });
    at += numPoints(part) + JOIN.length;
  }
  return { start, end, cells };
}

// A row of the same table: most of its names are there already.
function fits(rows, row) {
  const names = new Set(rows.flatMap(({ cells }) => cells.map(({ name }) => name)));
  return row.cells.filter(({ name }) => names.has(name)).length * 2 > row.cells.length;
}

function tableOf(rows) {
  const names = [...new Set(rows.flatMap(({ cells }) => cells.map(({ name }) => name)))];
  const placed = rows.map(({ start, end, cells }) => ({ start, end, cells: names.map((name) => cells.find((cell) => cell.name === name) ?? null) }));
  return { kind: "table", start: rows[0].start, end: rows.at(-1).end, names, rows: placed };
}

function joined(blocks) {
  const out = [];
  for (const block of blocks) {
    const last = out.at(-1);
    if (last?.kind === "text" && block.kind === "text") last.end = block.end;
    else out.push({ ...block });
  }
  return out;
}

// Places of the words in the text, any case: [{start, end}], at most `max`.
export function placesOf(text, words, max) {
  const found = [];
  const [low, wanted] = [text.toLowerCase(), words.toLowerCase()];
  const isSame = low.length === text.length;
  for (let at = isSame && wanted ? low.indexOf(wanted) : -1; at >= 0 && found.length < max; at = low.indexOf(wanted, at + wanted.length)) {
    const start = numPoints(text.slice(0, at));
    found.push({ start, end: start + numPoints(text.slice(at, at + wanted.length)) });
  }
  return found;
}
