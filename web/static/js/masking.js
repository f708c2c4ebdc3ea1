// What a base masks: shown, and changed in a dialog. Knows the call; who may do it the service decides.

import { basePath, sendJson } from "./api.js";
import { openDialog } from "./dialogs.js";
import { el } from "./dom.js";
import { codeText, t } from "./i18n/i18n.js";
import { reader } from "./rights.js";

const KINDS = ["phone", "id_number", "bank_card", "plate", "email"];
const ROLES = ["reporter", "witness", "victim", "suspect", "party", "contact", "handler", "other"];

const seesPersonal = () => Boolean(reader()?.rights.is_admin || reader()?.rights.see_personal);

/** @param {Api["KnowledgeBaseBody"]} base */
export function maskingText({ masking: { kinds, roles } }) {
  const told = [...inOrder(KINDS, kinds, "masked"), ...inOrder(ROLES, roles, "masked_name")];
  if (!told.length) return t("masking_none");
  const line = told.join(t("masking_comma"));
  return seesPersonal() ? line : `${line} ${t("masking_for_you")}`;
}

const inOrder = (all, chosen, kind) => all.filter((code) => chosen.includes(code)).map((code) => codeText(kind, code));

// Offered to who sees what it hides.
/** @param {Api["KnowledgeBaseBody"]} base */
export const maskingButton = (base, onchange) => (seesPersonal()
  ? el("button", { type: "button", class: "plain-button", "data-needs": "manage", "data-action": "mask", onclick: () => onchange(() => changeMasking(base)) }, t("masking_change"))
  : "");

/** @param {Api["KnowledgeBaseBody"]} base @returns {Promise<Api["KnowledgeBaseBody"] | null>} */
function changeMasking({ id, masking }) {
  const kinds = ticks(KINDS, masking.kinds, "masked");
  const roles = ticks(ROLES, masking.roles, "masked_name");
  const group = (label, lines) => el("fieldset", { class: "tick-rows" }, el("legend", { class: "field-label" }, label), lines.map(({ line }) => line));
  const chosen = (lines) => lines.filter(({ input }) => input.checked).map(({ code }) => code);
  return openDialog({
    title: t("masking_title"),
    body: [el("p", { class: "dialog-text" }, t("masking_how")), group(t("masking_kinds"), kinds), group(t("masking_roles"), roles)],
    confirm: t("save"),
    isDanger: false,
    submit: () => sendJson("PATCH", basePath(id), { masking: { kinds: chosen(kinds), roles: chosen(roles) } }),
  });
}

function ticks(codes, chosen, kind) {
  return codes.map((code) => {
    const input = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", id: `${kind}-${code}`, checked: chosen.includes(code) }));
    return { code, input, line: el("label", { class: "tick-line", for: input.id }, input, codeText(kind, code)) };
  });
}
