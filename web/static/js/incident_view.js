// One incident as a page: who tells of it, what they state and where they differ, its times in order.
// Draws; what a button does is passed in.

import { el, icon, iconButton } from "./dom.js";
import { byMeaning, meaningText, oneLine, recordName, valueText } from "./fact_words.js";
import { codeText, formatLocal, formatTime, t } from "./i18n/i18n.js";

// on: {open(fact, button), correct(fact), takeBack(fact), unlink(record), link(record), all()}
/** @param {Api["WholeIncidentBody"]} incident */
export function incidentView(incident, on) {
  const differing = Object.keys(incident.conflicts);
  return [
    el("div", { class: "incident-head" },
      el("button", { type: "button", class: "quiet-button", "data-key": "all", onclick: on.all }, icon("left"), t("incidents_all")),
      el("h2", { id: "incident-title", tabindex: "-1" }, headOf(incident)),
      el("p", { class: "meta" }, t("incident_number", { number: incident.number }))),
    differing.length ? el("p", { class: "notice incident-conflict" }, icon("alert"), t("incident_differs", { fields: differing.map((field) => codeText("field", field)) })) : "",
    section(t("incident_documents", { count: incident.records.length }), documents(incident, on)),
    section(t("incident_facts"), factTable(incident, on)),
    incident.timeline.length ? section(t("incident_timeline"), timeline(incident, on)) : "",
  ].filter(Boolean);
}

// The same beside a document: nothing is set right there.
/** @param {Api["WholeIncidentBody"]} incident */
export function briefView(incident, on) {
  const differing = Object.keys(incident.conflicts);
  return [
    el("h3", { class: "brief-head" }, headOf(incident)),
    differing.length ? el("p", { class: "notice incident-conflict" }, icon("alert"), t("incident_differs", { fields: differing.map((field) => codeText("field", field)) })) : "",
    section(t("incident_facts"), factTable(incident, on)),
    incident.timeline.length ? section(t("incident_timeline"), timeline(incident, on)) : "",
  ].filter(Boolean);
}

// "Fire, Mill Lane 7": what and where; the number where neither is known.
/** @param {Api["IncidentBody"]} incident */
export function headOf({ kind, place, number }) {
  const what = kind ? codeText("happening", kind) : t("incident_number", { number });
  return place ? t("incident_at", { what, place: oneLine(place) }) : what;
}

const section = (title, ...body) => el("section", { class: "incident-part" }, el("h3", { class: "eyebrow" }, title), ...body);

/** @param {Api["WholeIncidentBody"]} incident */
function documents({ records, facts }, on) {
  const rows = records.map((record) => {
    const first = facts.find((fact) => fact.document_id === record.document_id && fact.record === record.record);
    const key = `${record.document_id}/${record.record}`;
    const { apart } = record;
    const said = apart && t("record_apart", { by: apart.by || t("somebody"), time: formatTime(apart.at) });
    return el("li", { class: "told" },
      el("button", { type: "button", class: "document-name", "data-key": `open ${key}`, onclick: (event) => on.open(first, event.currentTarget) }, el("bdi", {}, recordName(record))),
      record.status ? el("span", { class: "badge" }, codeText("stands", record.status)) : "",
      apart ? el("span", { class: "meta" }, said) : "",
      apart ? el("button", { type: "button", class: "quiet-button", "data-key": `link ${key}`, "data-needs": "write", onclick: () => on.link(record) }, t("record_link")) : "",
      records.length > 1 ? el("button", { type: "button", class: "quiet-button", "data-key": `unlink ${key}`, "data-needs": "write", "aria-label": t("record_unlink_label", { name: recordName(record) }), onclick: () => on.unlink(record) }, t("record_unlink")) : "");
  });
  return el("ul", { class: "told-list" }, rows);
}

/** @param {Api["WholeIncidentBody"]} incident */
function factTable({ facts, conflicts }, on) {
  const groups = byMeaning(facts);
  const rows = groups.map(({ field, facts: same }, index) => {
    const isFirst = groups[index - 1]?.field !== field;
    const isDisputed = field in conflicts && conflicts[field].includes(same[0].id);
    return el("tr", { class: isDisputed ? "is-disputed" : null },
      el("th", { scope: "row" }, isFirst ? codeText("field", field) : el("span", { class: "visually-hidden" }, codeText("field", field))),
      el("td", {}, isDisputed ? el("span", { class: "disputed", title: t("fact_disputed") }, icon("alert"), el("span", { class: "visually-hidden" }, t("fact_disputed"))) : "", el("bdi", { class: "fact-value" }, valueText(same[0])), meaning(same[0])),
      el("td", {}, el("ul", {}, same.map((fact) => source(fact, on)))));
  });
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("incident_facts") },
    el("table", { class: "fact-table" },
      el("thead", {}, el("tr", {}, ["fact_field", "fact_value", "fact_where"].map((key) => el("th", { scope: "col" }, t(key))))),
      el("tbody", {}, rows)));
}

/** @param {Api["FactBody"]} fact */
function meaning(fact) {
  const text = meaningText(fact);
  return text ? el("p", { class: "meta" }, el("bdi", {}, text)) : "";
}

// Where a fact stands; who set it right, and the way back.
/** @param {Api["FactBody"]} fact */
function source(fact, on) {
  const { correction } = fact;
  const what = { field: codeText("field", fact.field), value: valueText(fact) };
  return el("li", { class: "fact-source" },
    el("span", { class: "fact-at" },
      placeButton(fact, `open fact ${fact.id}`, on),
      on.correct && iconButton("pencil", t("fact_correct", what), () => on.correct(fact), { "data-key": `correct ${fact.id}`, "data-needs": "write" })),
    correction ? el("span", { class: "meta" }, t("fact_corrected", { by: correction.by || t("somebody"), time: formatTime(correction.at), words: oneLine(fact.value) })) : "",
    correction && on.takeBack ? el("button", { type: "button", class: "quiet-button", "data-key": `back ${fact.id}`, "data-needs": "write", "aria-label": t("fact_back_label", what), onclick: () => on.takeBack(fact) }, t("fact_back")) : "");
}

/** @param {Api["FactBody"]} fact */
function placeButton(fact, key, on) {
  const pages = fact.pages.map(({ page_number: page }) => page);
  const place = pages.length ? t("on_pages", { count: pages.length, pages: pages.join(", ") }) : "";
  return el("button", { type: "button", class: "fact-place", "data-key": key, title: t("fact_open"), onclick: (event) => on.open(fact, event.currentTarget) },
    el("bdi", {}, recordName(fact)), place ? el("span", { class: "meta" }, place) : "");
}

/** @param {Api["WholeIncidentBody"]} incident */
function timeline({ facts, timeline: ids }, on) {
  const byId = new Map(facts.map((fact) => [fact.id, fact]));
  const rows = ids.map((id) => byId.get(id)).map((fact) =>
    el("li", {},
      el("time", { datetime: fact.time_from }, formatLocal(fact.time_from, fact.precision)),
      el("span", { class: "timeline-what" }, codeText("field", fact.field), placeButton(fact, `time ${fact.id}`, on))));
  return el("ol", { class: "timeline" }, rows);
}
