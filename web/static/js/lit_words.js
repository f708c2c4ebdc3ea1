// Which words of a passage a search asked for. Latin words and numbers are met whole, Chinese by pairs
// of characters, as the index meets them. Pure but for the nodes it makes.

import { el } from "./dom.js";

const WORD = /[\p{Script=Han}]+|[\p{L}\p{N}][\p{L}\p{N}\-_.]*/gu;
const IS_HAN = /^\p{Script=Han}/u;

function termsOf(query) {
  const terms = new Set();
  for (const [word] of query.normalize("NFKC").toLowerCase().matchAll(WORD)) {
    if (!IS_HAN.test(word) || word.length <= 2) terms.add(word);
    else for (let at = 0; at + 2 <= word.length; at += 1) terms.add(word.slice(at, at + 2));
  }
  return [...terms].sort((a, b) => b.length - a.length);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");

// One expression for all: Chinese anywhere, other words only as wholes; null for no word at all.
function patternOf(query) {
  const parts = termsOf(query).map((term) => (IS_HAN.test(term) ? escaped(term) : `(?<![\\p{L}\\p{N}])${escaped(term)}(?![\\p{L}\\p{N}])`));
  return parts.length ? new RegExp(parts.join("|"), "giu") : null;
}

// The text as nodes, what the query asks for in <mark>; neighbours are one.
export function lightWords(text, query) {
  const pattern = patternOf(query);
  const nodes = [];
  let done = 0;
  const spans = [];
  for (const { 0: word, index } of pattern ? text.matchAll(pattern) : []) {
    if (spans.length && spans.at(-1).end === index) spans.at(-1).end = index + word.length;
    else spans.push({ start: index, end: index + word.length });
  }
  for (const { start, end } of spans) {
    nodes.push(text.slice(done, start), el("mark", {}, text.slice(start, end)));
    done = end;
  }
  return [...nodes, text.slice(done)].filter((node) => node !== "");
}
