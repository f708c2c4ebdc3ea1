// Labels that the next files of a base get as they come in: chosen in a dialog, shown beside the button
// that opens it. Holds the choice of each base; who sends files takes it.

import { openDialog } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { onLanguage, t } from "./i18n/i18n.js";
import { freshInput, labelChip, labelChoice, labelLine, labelsOf } from "./labels.js";

/** @type {Map<string, {id: string, name: string, colour: string}[]>} */
const chosen = new Map(); // base id -> labels; one that is yet to be made has its name as id
let shownId = null;

// The base on the page is another one now; null: there is none.
export function showUploadLabels(kbId) {
  shownId = kbId;
  draw();
}

// Ids and names of what the next files of a base get. They are said once: later files may be others.
/** @returns {string[]} */
export function takeLabels(kbId) {
  const taken = chosen.get(kbId) ?? [];
  chosen.delete(kbId);
  draw();
  return taken.map(({ id }) => id);
}

// `guard(run)` does the work that a click asks for.
export function connectUploadLabels(guard) {
  byId("upload-labels").addEventListener("click", () => guard(() => choose(shownId)));
  onLanguage(draw);
  addEventListener("labelchange", (event) => {
    const { kbId, before, after } = /** @type {CustomEvent} */ (event).detail;
    const kept = (chosen.get(kbId) ?? []).filter(({ name }) => after !== null || name !== before);
    chosen.set(kbId, kept.map((label) => (label.name === before ? { ...label, name: after } : label)));
    draw();
  });
}

async function choose(kbId) {
  const before = chosen.get(kbId) ?? [];
  const known = await labelsOf(kbId);
  const made = before.filter(({ id }) => !known.some((label) => label.id === id));
  const boxes = [...known, ...made].map((label) => ({ label, input: tick(label, before) }));
  const fresh = freshInput();
  const picked = await openDialog({
    title: t("upload_labels_title"),
    body: labelChoice(boxes.map(({ label, input }) => labelLine(label, input)), fresh),
    confirm: t("upload_labels_go"),
    isDanger: false,
    submit: async () => [...boxes.filter(({ input }) => input.checked).map(({ label }) => label), ...named(fresh.value.trim(), boxes)],
  });
  if (picked) chosen.set(kbId, picked);
  draw();
}

// A label of that name that is there already, in any case, is that one.
function named(name, boxes) {
  if (!name) return [];
  const same = boxes.find(({ label }) => label.name.toLowerCase() === name.toLowerCase());
  if (!same) return [{ id: name, name, colour: "grey" }];
  return same.input.checked ? [] : [same.label];
}

const tick = ({ id }, before) =>
  /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", id: `upload-${id}`, checked: before.some((label) => label.id === id) }));

function draw() {
  byId("upload-label-chips").replaceChildren(...(chosen.get(shownId) ?? []).map((label) => labelChip(label)));
}
