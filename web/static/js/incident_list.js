// The incidents of a base as a table, and those that are like one. Draws; knows no network.

import { el, icon } from "./dom.js";
import { oneLine } from "./fact_words.js";
import { codeText, formatLocal, t } from "./i18n/i18n.js";
import { headOf } from "./incident_view.js";

const COLUMNS = ["field_number", "field_kind", "field_time", "field_place", "field_documents"];

/** @param {Api["IncidentBody"][]} items @param {(number: number) => void} onOpen */
export function incidentTable(items, onOpen) {
  const rows = items.map((incident) => {
    const { number, kind, time_from: time, place, records, conflicts } = incident;
    const differs = Object.keys(conflicts).map((field) => codeText("field", field));
    const documents = new Set(records.map(({ document_id: id }) => id)).size;
    return el("tr", {},
      el("td", { class: "is-number" }, String(number)),
      el("th", { scope: "row" }, el("button", { type: "button", class: "document-name", "data-key": `incident ${number}`, onclick: () => onOpen(number) }, kind ? codeText("happening", kind) : t("incident_number", { number }))),
      el("td", { class: "keep" }, time ? formatLocal(time, "day") : "–"),
      el("td", {}, el("bdi", {}, place ? oneLine(place) : "–")),
      el("td", {}, String(documents), differs.length ? el("span", { class: "disputed", title: t("incident_differs", { fields: differs }) }, icon("alert"), el("span", { class: "visually-hidden" }, t("incident_differs", { fields: differs }))) : ""));
  });
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("tab_incidents") },
    el("table", {},
      el("thead", {}, el("tr", {}, COLUMNS.map((key, index) => el("th", { scope: "col", class: index === 0 ? "is-number" : null }, t(key))))),
      el("tbody", {}, rows)));
}

/** @param {Api["SimilarIncidentBody"][]} items @param {(number: number) => void} onOpen */
export function similarList(items, onOpen) {
  if (!items.length) return "";
  const pairs = (found, key) => found.map(({ field, value, other }) =>
    el("li", {}, t(key, { field: codeText("field", field), value: oneLine(value), other: oneLine(other) })));
  const rows = items.map(({ incident, alike, differs }) =>
    el("li", { class: "similar" },
      el("button", { type: "button", class: "document-name", "data-key": `similar ${incident.number}`, onclick: () => onOpen(incident.number) },
        headOf(incident), incident.time_from ? el("span", { class: "meta" }, ` ${formatLocal(incident.time_from, "day")}`) : ""),
      el("ul", { class: "meta" }, pairs(alike, "similar_alike"), pairs(differs, "similar_differs"))));
  return el("section", { class: "incident-part" }, el("h3", { class: "eyebrow" }, t("incident_similar")), el("ul", { class: "told-list" }, rows));
}
