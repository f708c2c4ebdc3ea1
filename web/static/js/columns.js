// What the columns of a document's tables and the labels of its form stand for, shown and changed for
// the whole base. Knows the calls of columns; a dialog asks.

import { basePath, documentPath, getJson, sendJson } from "./api.js";
import { openDialog } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { codeText, t } from "./i18n/i18n.js";

const FIELDS = ["number", "kind", "time", "clock", "reported", "place", "area", "organisation", "person", "vehicle", "phone", "email", "casualties", "dead", "injured", "missing", "trapped", "loss", "fine", "duration", "cause", "measure", "status", "follows", "column"];
const AS_READ = ""; // what its name and values tell

// Shows the columns of a document; resolves when the reader has decided.
/** @param {Api["DocumentBody"]} doc */
export async function showColumns(kbId, doc) {
  /** @type {Api["LedgerListBody"]} */
  const { items } = await getJson(`${documentPath(kbId, doc.id)}/columns`);
  const chosen = new Map(); // name of a column -> {select, before}
  const body = items.length
    ? [el("p", { class: "dialog-text" }, t("columns_intro")), ...items.map((table) => ledger(table, chosen))]
    : [el("p", { class: "dialog-text" }, t("columns_none"))];
  const changed = () => [...chosen].filter(([, { select, before }]) => select.value !== before);
  const save = async () => {
    for (const [name, { select }] of changed()) await sendJson("PUT", `${basePath(kbId)}/columns`, { name, field: select.value === AS_READ ? null : select.value });
    return changed().length;
  };
  const count = await openDialog({ title: t("columns_title", { name: doc.name }), body, confirm: t("save"), isDanger: false, submit: save });
  if (count) announce(t("columns_saved", { count }));
}

/** @param {Api["LedgerBody"]} table */
function ledger({ num_rows: count, columns }, chosen) {
  const rows = columns.map((column, index) =>
    el("tr", {},
      el("th", { scope: "row" }, el("bdi", {}, column.name), el("p", { class: "meta" }, el("bdi", {}, column.examples.join(" · ")))),
      el("td", {}, field(column, chosen, index))));
  return el("div", { class: "ledger" },
    el("p", { class: "eyebrow" }, t("columns_rows", { count })),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("column")), el("th", { scope: "col" }, t("column_stands_for")))), el("tbody", {}, rows)));
}

// A column of one name has one field in the whole base, however many tables have it.
/** @param {Api["ColumnBody"]} column */
function field({ name, field: present, by }, chosen, index) {
  const before = by === "person" ? present : AS_READ;
  if (chosen.has(name)) return el("span", { class: "meta" }, t("column_above"));
  const option = (value, label) => el("option", { value, selected: value === before }, label);
  const id = `column-${chosen.size}-${index}`;
  const select = /** @type {HTMLSelectElement} */ (el("select", { id, "aria-label": t("column_field_of", { name }) },
    option(AS_READ, by === "person" ? t("column_as_read") : t("column_read_as", { field: fieldText(present) })),
    FIELDS.map((value) => option(value, fieldText(value)))));
  chosen.set(name, { select, before });
  return [select, el("p", { class: "meta" }, t(`column_by_${by || "nothing"}`))];
}

const fieldText = (field) => codeText("field", field);
