// The models in use in words that people know: what each does and how it fares. How a model is called,
// and by which setting it is chosen, stands behind a fold. Draws only.

import { el } from "./dom.js";
import { codeText, hasText, reasonText, t } from "./i18n/i18n.js";

// What the model that answers does; its name where it is of no kind that is known here.
/** @param {{kind: string, name: string}} generator */
export const answersBy = ({ kind, name }) => (hasText(`answers_${kind}`) ? t(`answers_${kind}`) : name);

/** @param {Api["UsedModelBody"][]} models @param {Api["GeneratorBody"] | null} generator */
export function modelTable(models, generator) {
  const head = ["setup_part", "setup_does", "column_status"].map((key) => el("th", { scope: "col" }, t(key)));
  return el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("setup_models") },
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, models.map((model) => row(model, generator)))));
}

function row(model, generator) {
  const does = model.part === "generator" && generator ? answersBy(generator) : t(`setup_does_${model.part}`);
  return el("tr", {},
    el("th", { scope: "row" }, t(`setup_part_${model.part}`)),
    el("td", {}, does, exactly(model)),
    el("td", {}, stateOf(model)));
}

const stateOf = ({ name, problem }) =>
  (problem ? reasonText({ code: problem, message: codeText("state", problem) }) : t(name ? "setup_in_use" : "setup_none"));

function exactly({ name, setting }) {
  return el("details", { class: "own-words" }, el("summary", {}, t("details")),
    name && el("p", {}, t("model_called"), " ", el("bdi", {}, name)),
    el("p", {}, t("model_setting"), " ", el("code", {}, setting)));
}
