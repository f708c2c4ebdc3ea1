// Small modal dialogs: ask for a text, confirm a loss. Each resolves to a value, null when dismissed.
// Native <dialog> keeps focus inside, closes on Esc and gives focus back.

import { el } from "./dom.js";
import { problemParts } from "./error_view.js";
import { t } from "./i18n/i18n.js";

let numOpened = 0;

// `submit()` may throw: the error is shown in the dialog, which stays open. `isNotice`: there is nothing
// to turn down.
/** @param {{title: string, body: Node[], confirm: string, isDanger: boolean, isNotice?: boolean, submit: () => Promise<any>}} dialog */
export function openDialog({ title, body, confirm, isDanger, isNotice = false, submit }) {
  const titleId = `dialog-title-${(numOpened += 1)}`;
  return new Promise((resolve) => {
    let result = null;
    const problem = el("div", { class: "dialog-error", role: "alert" });
    const accept = el("button", { class: isDanger ? "danger-button" : "primary-button", type: "submit" }, confirm);
    const cancel = el("button", { class: "plain-button", type: "button", onclick: () => dialog.close() }, t("cancel"));
    const form = el("form", { novalidate: true, onsubmit: accepted },
      el("h2", { id: titleId }, title), ...body, problem,
      el("div", { class: "dialog-actions" }, isNotice ? "" : cancel, accept));
    const dialog = el("dialog", { class: "modal", "aria-labelledby": titleId }, form);

    async function accepted(event) {
      event.preventDefault();
      accept.disabled = true;
      try {
        result = await submit();
        dialog.close();
      } catch (error) {
        problem.replaceChildren(...problemParts(error));
      } finally {
        accept.disabled = false;
      }
    }
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    if (isDanger) cancel.focus();
  });
}

function inputOf({ name, type, value, hint, isRequired, options }) {
  const id = `field-${name}`;
  if (options) {
    return el("select", { id, name, "aria-describedby": hint ? `${id}-hint` : null }, options.map((option) =>
      el("option", { value: option.value, selected: option.value === value }, option.label)));
  }
  return el("input", {
    id,
    name,
    type: type ?? "text",
    value: value ?? "",
    autocomplete: "off",
    "aria-required": isRequired ? "true" : null,
    "aria-describedby": hint ? `${id}-hint` : null,
  });
}

// fields: [{name, label, value?, hint?, type?, isRequired?, options?: [{value, label}]}]; submit(values)
// does the work.
export function askTexts({ title, intro = "", fields, confirm, submit }) {
  const inputs = fields.map(inputOf);
  const rows = fields.map((field, index) =>
    el("div", { class: "field" },
      el("label", { class: "field-label", for: inputs[index].id }, field.label), inputs[index],
      field.hint ? el("span", { class: "meta", id: `${inputs[index].id}-hint` }, field.hint) : null));
  const read = () => {
    const values = Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()]));
    const missing = fields.findIndex((field) => field.isRequired && !values[field.name]);
    if (missing < 0) return submit(values);
    inputs[missing].focus();
    throw new Error(t("field_required", { label: fields[missing].label }));
  };
  const body = [intro ? el("p", { class: "dialog-text" }, intro) : null, ...rows].filter(Boolean);
  return openDialog({ title, body, confirm, isDanger: false, submit: async () => read() });
}

// choices: [{value, label, hint}], the first one chosen; resolves to a value.
export function askChoice({ title, items, choices, confirm }) {
  const inputs = choices.map(({ value }, index) => el("input", { type: "radio", name: "choice", value, id: `choice-${value}`, checked: index === 0 }));
  const rows = choices.map(({ label, hint }, index) =>
    el("label", { class: "choice", for: inputs[index].id }, inputs[index], el("span", {}, label, el("span", { class: "meta" }, hint))));
  const body = [
    el("ul", { class: "choice-items" }, items.map((item) => el("li", {}, el("bdi", {}, item)))),
    el("fieldset", { class: "choices" }, el("legend", { class: "visually-hidden" }, title), rows),
  ];
  const chosen = async () => inputs.find((input) => /** @type {HTMLInputElement} */ (input).checked)?.getAttribute("value");
  return openDialog({ title, body, confirm, isDanger: false, submit: chosen });
}

// Names what will be lost before it is lost.
export function confirmLoss({ title, losses, confirm, submit }) {
  const body = [
    el("ul", { class: "loss-list" }, losses.map((loss) => el("li", {}, loss))),
    el("p", { class: "dialog-text" }, t("cannot_be_undone")),
  ];
  const done = async () => {
    await submit();
    return true;
  };
  return openDialog({ title, body, confirm, isDanger: true, submit: done });
}

// The prompt for an API key; `wasRefused` when the last key did not open the door.
export async function askKey(wasRefused) {
  const answer = await askTexts({
    title: t("key_title"),
    intro: t(wasRefused ? "key_refused" : "key_intro"),
    fields: [{ name: "key", label: t("key_label"), type: "password", isRequired: true, hint: t("key_hint") }],
    confirm: t("key_use"),
    submit: (values) => values,
  });
  return answer?.key ?? null;
}
