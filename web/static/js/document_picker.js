// Picks documents of a base by their names, and where none is called so by words that stand in them.
// Knows the list of documents and the search.

import { basePath, getJson, sendJson } from "./api.js";
import { debounce, el } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";

const MAX_FOUND = 20;
const TYPING_MS = 200;

export function tickLine(name, count, isTicked, onTick) {
  return el("label", { class: "tick-line" },
    el("input", { type: "checkbox", checked: isTicked, onchange: (event) => onTick(event.currentTarget.checked) }),
    el("bdi", { class: "chip-text" }, name), count === null ? null : el("span", { class: "meta" }, String(count)));
}

const note = (key) => el("p", { class: "meta" }, t(key));

// What is ticked stays on top, whatever is looked for.
export function documentPicker(kbId, before) {
  const chosen = new Map(before.map((doc) => [doc.id, doc]));
  const list = el("div", { class: "scope-list", tabindex: "0", role: "group", "aria-label": t("scope_documents") });
  const box = /** @type {HTMLInputElement} */ (el("input", { type: "search", id: "scope-find", autocomplete: "off", placeholder: t("filter_label") }));
  const line = (doc) => tickLine(doc.name, null, chosen.has(doc.id), (isTicked) => {
    if (isTicked) chosen.set(doc.id, { id: doc.id, name: doc.name });
    else chosen.delete(doc.id);
  });
  let turn = 0;
  const load = async () => {
    const mine = (turn += 1);
    const words = box.value.trim();
    /** @type {Api["DocumentListBody"]} */
    const { items, next_cursor: more } = await getJson(`${basePath(kbId)}/documents`, { name_contains: words, limit: MAX_FOUND });
    const holding = words && !items.length ? await documentsWith(kbId, words) : [];
    if (mine !== turn) return;
    const others = [...items, ...holding].filter((doc) => !chosen.has(doc.id));
    const told = holding.length ? note("scope_holding") : words && !items.length && note("scope_nothing");
    list.replaceChildren(...[...chosen.values()].map(line), ...(told ? [told] : []), ...others.map(line), ...(more ? [note("scope_more")] : []));
  };
  box.addEventListener("input", debounce(() => load().catch((error) => list.replaceChildren(el("p", { class: "dialog-error" }, errorText(error)))), TYPING_MS));
  const element = el("div", { class: "field" }, el("label", { class: "field-label", for: "scope-find" }, t("scope_documents")), box, list);
  return { element, load, chosen: () => [...chosen.values()] };
}

// Documents in which the words stand as they are typed; what only means the same is not among them.
async function documentsWith(kbId, words) {
  /** @type {Api["SearchBody"]} */
  const { items } = await sendJson("POST", `${basePath(kbId)}/search`, { query: words, top_k: MAX_FOUND });
  const sought = words.toLowerCase();
  const holding = items.filter(({ text, title }) => `${title} ${text}`.toLowerCase().includes(sought));
  return [...new Map(holding.map(({ document_id: id, document_name: name }) => [id, { id, name }])).values()];
}
