// What a fact says, for people: its words, what they mean, where they stand. Values and small nodes;
// knows no network.

import { codeText, formatLocal, formatNumber, hasText, t } from "./i18n/i18n.js";

const FIRST = ["number", "kind", "time", "reported", "place", "area", "dead", "injured", "missing", "trapped", "loss", "fine", "duration", "cause", "person", "organisation", "vehicle", "measure", "status", "follows"];
const CODED = { kind: "happening", status: "stands" };

/** @typedef {Api["FactBody"]} Fact */

// Facts by field and meaning, in the order in which people ask: [{field, facts}], what differs apart.
// The role of a value that its own document corrects.
const REPLACED = "replaced";

/** @param {Fact[]} facts */
export function byMeaning(facts) {
  const groups = new Map();
  for (const fact of facts) {
    const key = JSON.stringify([fact.field, fact.text, fact.unit, fact.role]);
    groups.set(key, [...(groups.get(key) ?? []), fact]);
  }
  const place = (field) => (FIRST.includes(field) ? FIRST.indexOf(field) : FIRST.length);
  return [...groups.values()].map((same) => ({ field: same[0].field, facts: same })).sort((a, b) => place(a.field) - place(b.field));
}

// What is shown as the value: a person's correction, a word for a code, else the document's own words.
/** @param {Fact} fact */
export function valueText({ field, value, text, correction, time_from: from, precision }) {
  if (field in CODED) return codeText(CODED[field], text);
  if (text === "unknown") return t("fact_unknown");
  if (!correction) return oneLine(value);
  return from ? formatLocal(from, precision) : text;
}

// Units of our own have words; others are codes of currencies.
const unitText = (unit) => (hasText(`unit_${unit}`) ? t(`unit_${unit}`) : unit.toUpperCase());

// The same as a number, where the words do not say it so themselves; "" otherwise.
/** @param {Fact} fact */
export function meaningText(fact) {
  const { field, value, role, number, number_to: to, unit } = fact;
  const parts = role ? [role === REPLACED ? t("fact_replaced") : role] : [];
  if (field in CODED) parts.push(t("fact_words", { words: oneLine(value) }));
  if (number !== null && String(number) !== value.trim()) {
    const range = to !== null && to !== number ? `${formatNumber(number)}–${formatNumber(to)}` : formatNumber(number);
    parts.push(unit === "persons" || !unit ? range : `${range} ${unitText(unit)}`);
  }
  return parts.join(" · ");
}

export const oneLine = (text) => text.replace(/\s+/gu, " ").trim();

// "report.pdf, row 12": records count from 1, 0 is the document itself.
/** @param {{document_name: string, record: number}} told */
export const recordName = ({ document_name: name, record }) => (record ? t("record_row", { name, row: record }) : name);

// A fact in the shape of a citation: what the viewer opens and lights.
/** @param {Fact} fact @returns {any} */
export const quoteOf = (fact, number) => ({
  id: `fact${fact.id}`,
  number,
  document_id: fact.document_id,
  revision: fact.revision,
  title: fact.document_name,
  document_name: fact.document_name,
  cited_text: fact.value,
  method: "text",
  source: { start: fact.span.start, end: fact.span.end, pages: fact.pages },
  answer: { start: number, end: number },
  status: "nearest",
});

// Facts as the viewer steps through them; `nameOf`, `markOf`, `setCurrent` as of AnswerView.
/** @param {Fact[]} facts */
export const quotesOf = (facts) => ({ citations: facts.map((fact, index) => quoteOf(fact, index + 1)), nameOf: (citation) => citation.id, markOf: () => null, setCurrent: () => {} });
