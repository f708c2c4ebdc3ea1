// Labels as a reader sees them: chips beside a document, and the dialog that puts them on many. Knows
// the calls about them; who may do it the service decides.

import { basePath, getJson, sendOfAll } from "./api.js";
import { openDialog } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { t } from "./i18n/i18n.js";
import { lacks } from "./rights.js";

export const COLOURS = ["grey", "red", "amber", "green", "teal", "blue", "violet", "pink"];

/** @returns {Promise<Api["LabelBody"][]>} */
export async function labelsOf(kbId) {
  /** @type {Api["LabelListBody"]} */
  const { items } = await getJson(`${basePath(kbId)}/labels`);
  return items;
}

// What carries the label is found by a click; without `onclick` it only says so.
/** @param {{name: string, colour: string}} label */
export function labelChip({ name, colour }, onclick = null) {
  const parts = [el("span", { class: "label-dot", "aria-hidden": "true" }), el("bdi", {}, name)];
  if (!onclick) return el("span", { class: `label label-${colour}` }, ...parts);
  return el("button", { type: "button", class: `label label-button label-${colour}`, title: t("label_filter", { label: name }), onclick: () => onclick(name) }, ...parts);
}

// A label has another name now, or none: what the page keeps by its name follows.
export const labelChanged = (kbId, before, after) => dispatchEvent(new CustomEvent("labelchange", { detail: { kbId, before, after } }));

// Resolves to true when the documents carry other labels now.
/** @param {string} kbId @param {Api["DocumentBody"][]} docs */
export async function putLabels(kbId, docs) {
  const labels = await labelsOf(kbId);
  const carried = (id) => docs.filter((doc) => doc.labels.some((mark) => mark.id === id)).length;
  const boxes = labels.map((label) => ({ label, before: carried(label.id), input: tick(label, carried(label.id), docs.length) }));
  const fresh = freshInput();
  const rows = boxes.map(({ label, before, input }) =>
    labelLine(label, input, before && before < docs.length ? t("label_on_some", { count: before }) : ""));
  return openDialog({
    title: t("labels_title", { count: docs.length }),
    body: labelChoice(rows, fresh),
    confirm: t("save"),
    isDanger: false,
    submit: async () => {
      const given = boxes.filter(({ input, before }) => input.checked && !input.indeterminate && before < docs.length);
      const taken = boxes.filter(({ input, before }) => !input.checked && !input.indeterminate && before > 0);
      const add = [...given.map(({ label }) => label.id), ...(fresh.value.trim() ? [fresh.value.trim()] : [])];
      const remove = taken.map(({ label }) => label.id);
      if (add.length + remove.length) await sendOfAll("labels", docs, { add, remove });
      announce(t("labels_saved", { count: docs.length }));
      return true;
    },
  });
}

export const freshInput = () =>
  /** @type {HTMLInputElement} */ (el("input", { type: "text", id: "label-new", autocomplete: "off", "aria-describedby": "label-new-hint" }));

export const labelLine = (label, input, note = "") =>
  el("label", { class: "tick-line", for: input.id }, input, labelChip(label), note ? el("span", { class: "meta" }, note) : "");

// The body of a dialog that picks labels, with a field for a new one where the reader may make it.
export function labelChoice(rows, fresh) {
  const none = rows.length ? "" : el("p", { class: "dialog-text" }, t(lacks("manage") ? "labels_none_yet" : "labels_none"));
  const list = rows.length ? el("fieldset", { class: "tick-rows label-rows" }, el("legend", { class: "visually-hidden" }, t("labels")), rows) : "";
  const field = lacks("manage") ? "" : el("div", { class: "field" },
    el("label", { class: "field-label", for: fresh.id }, t("label_new")), fresh, el("span", { class: "meta", id: "label-new-hint" }, t("label_new_hint")));
  return [none, list, field].filter(Boolean);
}

function tick({ id }, before, count) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", id: `tick-${id}`, checked: before === count }));
  input.indeterminate = before > 0 && before < count; // stays as it is unless the reader says so
  return input;
}
