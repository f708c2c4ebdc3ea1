// The dialog that picks in what is asked: documents, tags of the base, kinds of happening
// that its documents state, days. Resolves to the choice, null when dismissed. Knows the lists of
// documents and tags, and the query that counts kinds.

import { basePath, getJson, sendJson } from "./api.js";
import { openDialog } from "./dialogs.js";
import { documentPicker, tickLine } from "./document_picker.js";
import { el } from "./dom.js";
import { codeText, t } from "./i18n/i18n.js";
import { labelsOf } from "./labels.js";

const MAX_BASES = 100;
const DAYS = ["since", "until", "from", "to"];

/** @param {import("./scope.js").Chosen} before */
export async function pickScope(kbId, before) {
  /** @type {[Api["TagListBody"], {name: string, label: string, count: number | null}[], Api["LabelBody"][]]} */
  const [{ items: tags }, kinds, labels] = await Promise.all([getJson(`${basePath(kbId)}/tags`), kindsOf(kbId, before.kinds), labelsOf(kbId)]);
  /** @type {Api["ListBody_KnowledgeBaseBody_"]} */
  const { items: bases } = await getJson("kb", { limit: MAX_BASES });
  const others = bases.filter(({ id }) => id !== kbId);
  const chosenBases = new Map(before.bases.map((base) => [base.id, base]));
  const baseLine = ({ id, name, num_documents: count }) => tickLine(name, count, chosenBases.has(id), (isTicked) => (isTicked ? chosenBases.set(id, { id, name }) : chosenBases.delete(id)));
  const documents = documentPicker(kbId, before.documents);
  await documents.load();
  const chosenTags = new Set(before.tags);
  const chosenLabels = new Set(before.labels.filter((name) => labels.some((label) => label.name === name)));
  const chosenKinds = new Set(before.kinds);
  const days = Object.fromEntries(DAYS.map((name) => [name, dayInput(`scope-${name}`, before[name])]));
  const box = (chosen) => ({ name, label = name, count }) => tickLine(label, count, chosen.has(name), (isTicked) => (isTicked ? chosen.add(name) : chosen.delete(name)));
  return openDialog({
    title: t("scope_title"),
    body: [
      documents.element,
      tickList("scope_labels", labels.map(({ name, num_documents: count }) => ({ name, count })).map(box(chosenLabels))),
      tickList("scope_tags", tags.map(({ tag, num_documents: count }) => ({ name: tag, count })).map(box(chosenTags))),
      tickList("scope_kinds", kinds.map(box(chosenKinds))),
      el("div", { class: "scope-days" }, DAYS.map((name) => el("div", { class: "field" }, el("label", { class: "field-label", for: `scope-${name}` }, t(`scope_${name}_label`)), days[name]))),
      tickList("scope_bases", others.map(baseLine)),
    ].filter(Boolean),
    confirm: t("scope_apply"),
    isDanger: false,
    submit: async () => {
      const { since, until, from, to } = Object.fromEntries(DAYS.map((name) => [name, days[name].value]));
      if ((from && to && from > to) || (since && until && since > until)) throw new Error(t("scope_order"));
      return { documents: documents.chosen(), bases: [...chosenBases.values()], tags: [...chosenTags], labels: [...chosenLabels], kinds: [...chosenKinds], since, until, from, to };
    },
  });
}

// Kinds of happening with how many incidents are of each; those chosen before stay, whatever is counted.
/** @param {string[]} before */
async function kindsOf(kbId, before) {
  /** @type {Api["QueryAnswerBody"]} */
  const { table } = await sendJson("POST", `${basePath(kbId)}/query`, { op: "group", by: "kind" });
  const counted = new Map((table?.rows ?? []).map(({ cells: [kind, count] }) => [String(kind.value).toLowerCase(), Number(count.value)]));
  return [...new Set([...counted.keys(), ...before])].map((name) => ({ name, label: codeText("happening", name), count: counted.get(name) ?? null }));
}

const tickList = (key, lines) => (lines.length ? el("fieldset", { class: "scope-list" }, el("legend", { class: "field-label" }, t(key)), lines) : "");

/** @type {(id: string, value: string) => HTMLInputElement} */
const dayInput = (id, value) => /** @type {HTMLInputElement} */ (el("input", { type: "date", id, value }));
