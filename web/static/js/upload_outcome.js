// What became of the files of an upload: counted, kept for a reload, and told; files that failed alike
// are told of together. Knows outcomes and draws them; sending is another's business.

import { el } from "./dom.js";
import { ownWords } from "./error_view.js";
import { reasonText, t } from "./i18n/i18n.js";

const MAX_ALONE = 3; // so many files of one reason are told of one by one
const MAX_NAMED = 200;

export const noOutcome = () => ({ numSent: 0, bytes: 0, tally: { created: 0, revised: 0, unchanged: 0, kept_both: 0 }, rejected: [], unknown: [], known: [] });

const namesOf = (entries) => entries.map(({ name }) => name);

// Items by what they have in common: [[key, items]].
export function grouped(items, keyOf) {
  const found = new Map();
  for (const item of items) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item]);
  return [...found];
}

// What a reload leaves of an upload: what is known by now, the files on their way, those behind them.
export function keptOf({ tally, rejected, unknown, known, sending, waiting }) {
  const behind = [...waiting.flatMap(({ files }) => files), ...known.map(({ entry }) => entry)];
  const told = rejected.map(({ name, error }) => ({ name, error: error && { code: error.code, message: error.message, details: error.details } }));
  return { tally, rejected: told, unknown, sending: namesOf(sending), waiting: namesOf(behind) };
}

// What is known of an upload that a reload ended.
export const brokenOff = ({ tally, rejected, unknown, sending, waiting }) =>
  ({ ...noOutcome(), isActive: false, tally, unknown: [...unknown, ...sending], rejected: [...rejected, ...waiting.map((name) => ({ name, error: null }))] });

// A service that went away, or was stopped when it had all, may have stored what it did not live to
// acknowledge.
export function fail(run, batch, error, isAllSent) {
  const isStopped = error.name === "AbortError";
  const isUnknown = isStopped ? isAllSent : error.code === "network";
  for (const { name } of batch) {
    if (isUnknown) run.unknown.push(name);
    else run.rejected.push({ name, error: isStopped ? null : error });
  }
}

/** @param {Api["UploadItemBody"]} item */
export function count(run, item, entry, given) {
  if (item.error?.code === "name_taken") run.known.push({ entry, error: item.error, given });
  else if (item.outcome === "rejected") run.rejected.push({ name: entry.name, error: item.error });
  else run.tally[item.outcome] = (run.tally[item.outcome] ?? 0) + 1;
}

export function summaryOf({ tally, rejected, unknown }) {
  const parts = Object.entries(tally).map(([outcome, number]) => number && t(`outcome_${outcome}`, { count: number }));
  if (rejected.length) parts.push(t("outcome_rejected", { count: rejected.length }));
  if (unknown.length) parts.push(t("outcome_unknown", { count: unknown.length }));
  return parts.filter(Boolean).join(" · ");
}

// Files that were not accepted, by reason.
export function rejectedView(rejected) {
  if (!rejected.length) return [];
  const byCode = grouped(rejected, ({ error }) => error?.code ?? "");
  const rows = byCode.flatMap(([code, files]) => (files.length > MAX_ALONE ? [together(code, files)] : files.map(alone)));
  const title = t("rejected_title", { count: rejected.length });
  return [el("h2", { class: "reject-title" }, title), el("ul", { class: "reject-list", tabindex: "0", "aria-label": title }, rows)];
}

export function unknownView(unknown) {
  if (!unknown.length) return [];
  const rows = unknown.map((name) => el("li", {}, el("bdi", { class: "reject-name" }, name)));
  const title = t("unknown_title", { count: unknown.length });
  const list = el("ul", { class: "reject-list", tabindex: "0", "aria-label": title }, shortened(rows));
  return [
    el("h2", { class: "reject-title" }, title),
    el("p", { class: "meta" }, t("unknown_note")),
    unknown.length > MAX_ALONE ? fold("unknown", list) : list,
  ];
}

const said = (error) => (error ? reasonText(error) : t("upload_stopped"));

const alone = ({ name, error }) =>
  el("li", {}, el("bdi", { class: "reject-name" }, name), el("span", { class: "meta" }, said(error)), error && ownWords(error));

// One line for all. Where more than the name of a file is said of each alone, it stands beside it; else
// what is said of the first stands once.
function together(code, files) {
  const [{ error }] = files;
  const each = files.map(({ error: own }) => said(own));
  const isSame = each.every((text) => text === each[0]);
  const areAlike = isSame || files.every(({ name }, index) => each[index].replaceAll(name, "") === each[0].replaceAll(files[0].name, ""));
  const reason = isSame ? each[0] : reasonText({ code, message: "", details: null });
  const rows = files.map(({ name }, index) => el("li", {}, el("bdi", { class: "reject-name" }, name), areAlike ? "" : el("span", { class: "meta" }, each[index])));
  const first = areAlike && !isSame ? el("p", { class: "meta" }, each[0]) : "";
  return el("li", {},
    el("strong", {}, t("num_files", { count: files.length })), el("span", { class: "meta" }, reason),
    isSame && error && ownWords(error), fold(code, first, el("ul", { class: "reject-list" }, shortened(rows))));
}

const shortened = (rows) =>
  (rows.length > MAX_NAMED ? [...rows.slice(0, MAX_NAMED), el("li", { class: "meta" }, t("files_more", { count: rows.length - MAX_NAMED }))] : rows);

const fold = (id, ...body) =>
  el("details", { class: "own-words", "data-key": `files ${id}` }, el("summary", {}, t("files_named")), ...body);
