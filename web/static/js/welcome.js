// Empty states that teach: no base yet, a base without documents, a base that waits for a question.
// Builds elements only; what a button does is passed in.

import { el, icon } from "./dom.js";
import { language, t } from "./i18n/i18n.js";
import { isAdmin, reader } from "./rights.js";

const DEMO = "demo";
const DEMO_EXAMPLES = ["demo_example_1", "demo_example_2", "demo_example_3", "demo_example_4"];
const MAX_SHOWN = 4;

// No base is there: three steps and the button that starts them; or none for the reader's key.
export function firstSteps(onCreate) {
  if (reader() && !isAdmin()) return [el("p", { class: "lead" }, t("no_base_for_key"))];
  const step = (number) => el("li", {}, el("strong", {}, t(`step_${number}`)), el("span", { class: "meta" }, t(`step_${number}_more`)));
  return [
    el("p", { class: "lead" }, t("welcome_lead")),
    el("ol", { class: "steps" }, [1, 2, 3].map(step)),
    el("button", { type: "button", class: "primary-button", onclick: onCreate }, icon("plus"), t("base_new")),
    el("p", { class: "meta" }, t("welcome_demo")),
  ];
}

// The base of the address is not there: what happened, and the way on.
export function missingBase(other, onOpen) {
  const button = other && el("button", { type: "button", class: "primary-button", title: other.name, onclick: () => onOpen(other) },
    el("span", { class: "cut-name" }, t("open_base", { name: other.name })));
  return [el("p", { class: "lead" }, t("base_missing")), button].filter(Boolean);
}

// The empty thread: how to begin, or what one can ask.
// `suggested`: [{question, language}] that the documents were found to answer.
// hooks: {ask(question), hasDocuments(), demo(), openBase(base), openDocuments(), modelNotice()}
export function teaching(base, suggested, hooks) {
  const isEmpty = !base.num_documents && !hooks.hasDocuments();
  const notice = hooks.modelNotice();
  return el("div", { class: "teaching" },
    isEmpty ? emptyBase(base, hooks) : examples(base, suggested, hooks.ask),
    notice ? el("details", { class: "meta", "data-key": "model" }, el("summary", {}, t("model_how")), el("p", {}, notice)) : null);
}

function emptyBase(base, { demo, openBase, openDocuments }) {
  const other = demo();
  const tryDemo = other && other.id !== base.id
    ? el("button", { type: "button", class: "plain-button", onclick: () => openBase(other) }, t("open_demo"))
    : null;
  return [
    el("h2", {}, t("teach_empty_title")),
    el("p", {}, t("teach_empty")),
    el("div", { class: "teaching-actions" },
      el("button", { type: "button", class: "primary-button", "data-key": "add", "data-needs": "write", onclick: openDocuments }, icon("upload"), t("teach_add")), tryDemo),
  ];
}

// What is suggested has an answer: the service asked it, or the base is the demo and is known.
function examples(base, suggested, ask) {
  const own = [...suggested].sort((a, b) => Number(b.language === language()) - Number(a.language === language()));
  const questions = own.length || base.name !== DEMO ? own.map(({ question }) => question) : DEMO_EXAMPLES.map((name) => t(name));
  const shown = questions.slice(0, MAX_SHOWN);
  return [
    el("h2", {}, t("teach_title")),
    el("p", {}, t("teach_how")),
    shown.length ? el("h3", { class: "eyebrow" }, t("examples")) : "",
    shown.length && el("ul", { class: "examples" }, shown.map((question) =>
      el("li", {}, el("button", { type: "button", class: "example", "data-key": `example ${question}`, onclick: () => ask(question) }, el("bdi", {}, question))))),
  ].filter(Boolean);
}
