// The labels of a base in its settings: made, renamed, coloured, described, deleted, counted. Draws
// them and knows the calls.

import { basePath, sendJson } from "./api.js";
import { askTexts, confirmLoss } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { codeText, formatNumber, t } from "./i18n/i18n.js";
import { COLOURS, labelChanged, labelChip } from "./labels.js";

const COLUMNS = ["label", "setup_description", "setup_documents", "column_actions"];

// on: {guard(run), changed()}
/** @param {string} kbId @param {Api["LabelBody"][]} labels */
export function labelsView(kbId, labels, on) {
  const act = (run) => () => on.guard(async () => (await run()) && on.changed());
  const button = (key, label, run) => el("button", { type: "button", class: "quiet-button", "data-needs": "manage", "aria-label": t(`${key}_label`, { label: label.name }), onclick: act(run) }, t(key));
  const rows = labels.map((label) => el("tr", {},
    el("th", { scope: "row" }, labelChip(label)),
    el("td", {}, el("bdi", {}, label.description || "–")),
    el("td", { class: "is-number" }, formatNumber(label.num_documents)),
    el("td", { class: "keep" }, button("label_change", label, () => change(kbId, label)), button("label_delete", label, () => remove(kbId, label)))));
  const table = el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("labels") },
    el("table", {}, el("thead", {}, el("tr", {}, COLUMNS.map((key) => el("th", { scope: "col", class: key === "setup_documents" ? "is-number" : null }, t(key))))), el("tbody", {}, rows)));
  return [
    labels.length ? table : el("p", {}, t("labels_none")),
    el("p", { class: "meta" }, t("labels_how")),
    el("p", { class: "setup-actions" }, el("button", { type: "button", class: "plain-button", "data-needs": "manage", "data-action": "label", onclick: act(() => add(kbId)) }, t("label_make"))),
  ];
}

const fields = ({ name, colour, description }) => [
  { name: "name", label: t("label_name"), value: name, isRequired: true },
  { name: "colour", label: t("label_colour"), value: colour, options: COLOURS.map((value) => ({ value, label: codeText("colour", value) })) },
  { name: "description", label: t("setup_description"), value: description },
];

function add(kbId) {
  return askTexts({
    title: t("label_make"),
    fields: fields({ name: "", colour: "grey", description: "" }),
    confirm: t("create"),
    submit: (values) => sendJson("POST", `${basePath(kbId)}/labels`, values),
  });
}

const path = (kbId, { id }) => `${basePath(kbId)}/labels/${encodeURIComponent(id)}`;

/** @param {Api["LabelBody"]} label */
async function change(kbId, label) {
  const changed = await askTexts({
    title: t("label_change_title", { label: label.name }),
    intro: t("label_change_intro", { count: label.num_documents }),
    fields: fields(label),
    confirm: t("save"),
    submit: (values) => sendJson("PATCH", path(kbId, label), values),
  });
  if (changed && changed.name !== label.name) labelChanged(kbId, label.name, changed.name);
  return changed;
}

/** @param {Api["LabelBody"]} label */
async function remove(kbId, label) {
  const isGone = await confirmLoss({
    title: t("label_delete_title", { label: label.name }),
    losses: [t("label_loss", { count: label.num_documents })],
    confirm: t("label_delete"),
    submit: () => sendJson("DELETE", path(kbId, label)),
  });
  if (isGone) labelChanged(kbId, label.name, null);
  if (isGone) announce(t("label_deleted", { label: label.name }));
  return isGone;
}
