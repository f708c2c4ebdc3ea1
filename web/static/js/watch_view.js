// A standing question as a card: what is asked and when, its answer now, how its answer changed with
// both citations side by side. Draws; what a button does is passed in.

import { answerBody } from "./answer_body.js";
import { answerTable } from "./answer_table.js";
import { all, el, icon, iconButton } from "./dom.js";
import { formatTime, hasText, reasonText, t } from "./i18n/i18n.js";
import { sourceRow } from "./source_row.js";

// on: {open(view, citation, button), pause(watch), remove(watch), times(watch), changes(watch)}
/** @param {Api["WatchBody"]} watch @param {Api["AnswerChangeBody"][] | null} changes */
export function watchCard(watch, changes, on) {
  const { id, name, question, answer, error, is_paused: isPaused, num_changes: count } = watch;
  const act = (key, symbol, run) => iconButton(symbol, t(key, { name }), () => run(watch), { "data-key": `${key} ${id}`, "data-needs": "write" });
  return el("li", { class: isPaused ? "watch is-paused" : "watch" },
    el("div", { class: "watch-head" },
      el("h2", {}, el("bdi", {}, name)),
      isPaused ? act("watch_go_on", "play", on.pause) : act("watch_pause", "pause", on.pause),
      act("watch_times", "history", on.times),
      act("watch_remove", "trash", on.remove)),
    question && question !== name ? el("p", { dir: "auto" }, question) : "",
    el("p", { class: "meta" }, standsText(watch)),
    error ? el("p", { class: "notice notice-bad" }, reasonText(/** @type {any} */ (error))) : "",
    answer ? saidNode(answer, on.open) : "",
    count ? changesFold(watch, changes, on) : answer ? el("p", { class: "meta" }, t("watch_unchanged")) : "");
}

// "Asked whenever documents change; last on 3 May".
/** @param {Api["WatchBody"]} watch */
function standsText({ schedule, checked_at: at, is_paused: isPaused }) {
  if (isPaused) return at ? t("watch_paused_since", { time: formatTime(at) }) : t("watch_paused");
  return `${scheduleText(schedule)} · ${at ? t("watch_asked", { time: formatTime(at) }) : t("watch_waits")}`;
}

export function scheduleText(line) {
  const [, count, unit] = /^every (\d+) (minute|hour)s?$/.exec(line) ?? [];
  if (unit) return t(`schedule_${unit}`, { count: Number(count) });
  const [, clock] = /^daily at (.+)$/.exec(line) ?? [];
  return clock ? t("schedule_daily", { clock }) : t("schedule_changes");
}

/** @param {Api["StandingAnswerBody"]} answer */
function saidNode(answer, onOpen) {
  const { status, reason, citations, table } = answer;
  if (answer.is_redacted) return el("p", { class: "meta" }, t("watch_redacted"));
  const place = el("div", { class: "watch-said" });
  const view = {
    citations,
    nameOf: (citation) => citation.id,
    markOf: (id) => place.querySelector(`[data-citation="${CSS.escape(id)}"]`),
    setCurrent: (id) => all(place, "[data-citation]").forEach((mark) => mark.toggleAttribute("data-current", mark.dataset.citation === id)),
  };
  const cite = (citation, button) => onOpen(view, citation, button);
  const refused = status === "refused" ? t(hasText(`reason_${reason}`) ? "watch_refused_why" : "watch_refused", { reason: t(`reason_${reason}`) }) : "";
  const rows = /** @type {any} */ ({ ...answer, chart: null, query: { of: "documents" } });
  place.append(
    refused ? el("p", {}, refused) : answerBody(answer.answer, citations, null, { cite, hover: () => {} }, table?.rows.length > 0),
    answerTable(rows, { onCite: cite, onIncident: () => {} }),
    table ? "" : el("ul", { class: "source-list" }, citations.map((citation) => sourceRow(citation, cite))));
  return place;
}

/** @param {Api["WatchBody"]} watch @param {Api["AnswerChangeBody"][] | null} changes */
function changesFold(watch, changes, on) {
  const toggled = (event) => event.currentTarget.open && changes === null && on.changes(watch);
  return el("details", { class: "fold", "data-key": `fold ${watch.id}`, ontoggle: toggled },
    el("summary", {}, t("watch_changes", { count: watch.num_changes })),
    changes === null ? el("p", { class: "meta" }, "…") : el("ol", { class: "watch-changes" }, changes.map((change) => changeRow(change, on.open))));
}

/** @param {Api["AnswerChangeBody"]} change */
function changeRow({ at, old, new: now }, onOpen) {
  const side = (key, answer) => el("div", { class: "watch-side" }, el("h3", { class: "eyebrow" }, t(key, { time: formatTime(answer.asked_at) })), saidNode(answer, onOpen));
  return el("li", {},
    el("p", { class: "meta" }, icon("history"), t("watch_changed", { time: formatTime(at) })),
    el("div", { class: "watch-sides" }, side("watch_before", old), side("watch_now", now)));
}
