// The dialog that picks in what is asked: documents found by name, tags of the base, days. Resolves to
// the choice, null when dismissed. Knows the lists of documents and tags.

import { basePath, getJson } from "./api.js";
import { openDialog } from "./dialogs.js";
import { debounce, el } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";

const MAX_FOUND = 20;
const TYPING_MS = 200;

/** @param {import("./scope.js").Chosen} before */
export async function pickScope(kbId, before) {
  /** @type {Api["TagListBody"]} */
  const { items: tags } = await getJson(`${basePath(kbId)}/tags`);
  const documents = documentPicker(kbId, before.documents);
  await documents.load();
  const chosenTags = new Set(before.tags);
  const from = dayInput("scope-from", before.from);
  const to = dayInput("scope-to", before.to);
  const boxes = tags.map(({ tag, num_documents: count }) =>
    tickLine(tag, count, chosenTags.has(tag), (isTicked) => (isTicked ? chosenTags.add(tag) : chosenTags.delete(tag))));
  return openDialog({
    title: t("scope_title"),
    body: [
      documents.element,
      tags.length ? el("fieldset", { class: "scope-list" }, el("legend", { class: "field-label" }, t("scope_tags")), boxes) : "",
      el("div", { class: "scope-days" },
        el("div", { class: "field" }, el("label", { class: "field-label", for: "scope-from" }, t("scope_from_label")), from),
        el("div", { class: "field" }, el("label", { class: "field-label", for: "scope-to" }, t("scope_to_label")), to)),
    ].filter(Boolean),
    confirm: t("scope_apply"),
    isDanger: false,
    submit: async () => {
      if (from.value && to.value && from.value > to.value) throw new Error(t("scope_order"));
      return { documents: documents.chosen(), tags: [...chosenTags], from: from.value, to: to.value };
    },
  });
}

/** @type {(id: string, value: string) => HTMLInputElement} */
const dayInput = (id, value) => /** @type {HTMLInputElement} */ (el("input", { type: "date", id, value }));

function tickLine(name, count, isTicked, onTick) {
  return el("label", { class: "tick-line" },
    el("input", { type: "checkbox", checked: isTicked, onchange: (event) => onTick(event.currentTarget.checked) }),
    el("bdi", { class: "chip-text" }, name), count === null ? null : el("span", { class: "meta" }, String(count)));
}

// What is ticked stays on top, whatever is looked for.
function documentPicker(kbId, before) {
  const chosen = new Map(before.map((doc) => [doc.id, doc]));
  const list = el("div", { class: "scope-list" });
  const box = /** @type {HTMLInputElement} */ (el("input", { type: "search", id: "scope-find", autocomplete: "off", placeholder: t("filter_label") }));
  const line = (doc) => tickLine(doc.name, null, chosen.has(doc.id), (isTicked) => {
    if (isTicked) chosen.set(doc.id, { id: doc.id, name: doc.name });
    else chosen.delete(doc.id);
  });
  let turn = 0;
  const load = async () => {
    const mine = (turn += 1);
    /** @type {Api["DocumentListBody"]} */
    const { items, next_cursor: more } = await getJson(`${basePath(kbId)}/documents`, { name_contains: box.value.trim(), limit: MAX_FOUND });
    if (mine !== turn) return;
    const others = items.filter((doc) => !chosen.has(doc.id));
    list.replaceChildren(...[...chosen.values(), ...others].map(line), ...(more ? [el("p", { class: "meta" }, t("scope_more"))] : []));
  };
  box.addEventListener("input", debounce(() => load().catch((error) => list.replaceChildren(el("p", { class: "dialog-error" }, errorText(error)))), TYPING_MS));
  const element = el("div", { class: "field" }, el("label", { class: "field-label", for: "scope-find" }, t("scope_documents")), box, list);
  return { element, load, chosen: () => [...chosen.values()] };
}
