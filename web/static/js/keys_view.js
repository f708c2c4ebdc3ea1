// The keys of everybody: a table, a dialog that makes or changes one, the secret shown once. Knows the
// calls of keys; whose page it is stands in `rights`.

import { apiKey, getJson, sendJson, useKey } from "./api.js";
import { copyText } from "./clipboard.js";
import { confirmLoss, openDialog } from "./dialogs.js";
import { announce, el, iconButton } from "./dom.js";
import { formatTime, t } from "./i18n/i18n.js";

const RIGHTS = ["read", "write", "manage"];
const KEYS = "keys";
const keyPath = ({ id }) => `${KEYS}/${encodeURIComponent(id)}`;

/** @returns {Promise<Api["KeyBody"][]>} */
export const loadKeys = async () => (await getJson(KEYS)).items;

// on: {guard(run), changed() after a key was made, changed or revoked}
/** @param {Api["KeyBody"][]} keys @param {Api["KnowledgeBaseBody"][]} bases */
export function keyTable(keys, bases, on) {
  const heads = ["key_name", "key_rights", "column_status"];
  const rows = keys.map((key) => keyRow(key, bases, on));
  const table = el("table", { class: "key-table" },
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, t(head))), el("th", {}, el("span", { class: "visually-hidden" }, t("column_actions"))))),
    el("tbody", {}, rows));
  return [
    keys.length ? el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("setup_keys") }, table) : el("p", {}, t("setup_keys_none")),
    el("p", { class: "setup-actions" },
      el("button", { type: "button", class: "plain-button", "data-action": "key", onclick: () => on.guard(() => addKey(keys, bases, on)) }, t("key_add"))),
  ];
}

/** @param {Api["KeyBody"]} key */
function keyRow(key, bases, on) {
  const isOver = Boolean(key.revoked_at) || isPast(key.expires_at);
  const change = async () => (await keyDialog(key, bases)) && on.changed();
  const acts = key.is_setting || key.revoked_at ? [] : [
    iconButton("pencil", t("key_change", { name: key.name }), () => on.guard(change)),
    iconButton("trash", t("key_revoke", { name: key.name }), () => on.guard(() => revoke(key, on))),
  ];
  return el("tr", { class: isOver ? "key-row is-over" : "key-row" },
    el("th", { scope: "row" }, el("bdi", {}, key.name), key.person ? el("p", { class: "meta" }, el("bdi", {}, key.person)) : ""),
    el("td", {}, rightList(key.rights)),
    el("td", {}, stateText(key), key.used_at ? el("p", { class: "meta" }, t("key_used_at", { time: formatTime(key.used_at) })) : ""),
    el("td", { class: "key-acts" }, acts));
}

const isPast = (time) => Boolean(time) && Date.parse(time) <= Date.now();

/** @param {Api["KeyBody"]} key */
function stateText({ is_setting: isSetting, expires_at: until, revoked_at: at }) {
  if (isSetting) return t("key_of_setting");
  if (at) return t("key_revoked_at", { time: formatTime(at) });
  if (isPast(until)) return t("key_expired_at", { time: formatTime(until) });
  return until ? t("key_expires_at", { time: formatTime(until) }) : t("key_valid");
}

// What rights allow, line by line: of a key, or of the reader.
/** @param {Api["RightsBody"]} rights */
export function rightList({ is_admin: isAll, everywhere, bases, see_personal: seesPersonal }) {
  const lines = isAll ? [t("right_admin")] : [
    everywhere && t("right_everywhere", { right: t(`right_${everywhere}`) }),
    ...bases.map(({ name, right }) => t("right_in", { name, right: t(`right_${right}`) })),
    seesPersonal && t("right_personal"),
  ].filter(Boolean);
  return el("ul", { class: "key-rights" }, (lines.length ? lines : [t("right_none")]).map((line) => el("li", {}, line)));
}

async function addKey(keys, bases, on) {
  /** @type {Api["NewKeyBody"]} */
  const made = await keyDialog(null, bases);
  if (!made) return;
  // The first key of all is needed from now on, on this page too.
  if (!apiKey() && !keys.length) useKey(made.secret);
  await showSecret(made);
  await on.changed();
}

// Nobody is shown it again, so the dialog stays until it is closed.
/** @param {Api["NewKeyBody"]} made */
async function showSecret({ key, secret }) {
  const copied = el("span", { class: "meta", role: "status" });
  const copy = async () => {
    await copyText(secret);
    copied.textContent = t("key_copied");
  };
  const body = [
    el("p", { class: "dialog-text" }, t("key_once", { name: key.name })),
    el("p", { class: "secret-line" }, el("code", { id: "new-secret" }, secret),
      el("button", { type: "button", class: "plain-button", onclick: copy }, t("key_copy")), copied),
  ];
  await openDialog({ title: t("key_made"), body, confirm: t("key_kept"), isDanger: false, isNotice: true, submit: async () => true });
}

/** @param {Api["KeyBody"]} key */
async function revoke(key, on) {
  const isDone = await confirmLoss({
    title: t("key_revoke_title", { name: key.name }),
    losses: [t("key_revoke_loss"), t("key_revoke_kept")],
    confirm: t("key_revoke_do"),
    submit: () => sendJson("POST", `${keyPath(key)}/revoke`),
  });
  if (!isDone) return;
  announce(t("key_is_revoked", { name: key.name }));
  await on.changed();
}

// Makes a key, or with one changes it; resolves to what the service answered, null when dismissed.
/** @param {Api["KeyBody"] | null} key @param {Api["KnowledgeBaseBody"][]} bases */
function keyDialog(key, bases) {
  const text = (name, value, props = {}) => /** @type {HTMLInputElement} */ (el("input", { type: "text", id: `key-${name}`, value, autocomplete: "off", ...props }));
  const [name, person, days] = [text("name", "", { "aria-required": "true" }), text("person", key?.person ?? ""), text("days", "", { inputmode: "numeric" })];
  const admin = tick("key-admin", key?.rights.is_admin);
  const personal = tick("key-personal", key?.rights.see_personal);
  const selects = rightSelects(key?.rights, bases);
  const field = (id, label, input) => el("div", { class: "field" }, el("label", { class: "field-label", for: id }, label), input);
  const line = (input, label) => el("label", { class: "tick-line", for: input.id }, input, label);
  const rows = el("fieldset", { class: "right-rows" }, el("legend", { class: "field-label" }, t("key_rights")), selects.map(({ select, label }) => el("label", {}, label, select)));
  const body = [
    key ? "" : field("key-name", t("key_name"), name),
    field("key-person", t("key_person"), person),
    line(admin, t("right_admin_long")), rows, line(personal, t("right_personal_long")),
    key ? "" : field("key-days", t("key_days"), days),
  ].filter(Boolean);
  const settle = () => (rows.disabled = personal.disabled = admin.checked);
  admin.addEventListener("change", settle);
  settle();
  const rights = () => ({ is_admin: admin.checked, see_personal: personal.checked, ...(admin.checked ? {} : chosenRights(selects)) });
  const submit = () => (key
    ? sendJson("PATCH", keyPath(key), { person: person.value.trim(), rights: rights() })
    : sendJson("POST", KEYS, { name: name.value.trim(), person: person.value.trim(), rights: rights(), days: daysOf(days.value.trim()) }));
  return openDialog({ title: key ? t("key_change", { name: key.name }) : t("key_add"), body, confirm: t("save"), isDanger: false, submit });
}

// What is no number is sent as it is, and refused: it must not be taken for "until it is revoked".
const daysOf = (typed) => (typed && !Number.isNaN(Number(typed)) ? Number(typed) : typed || null);

const tick = (id, isTicked) => /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", id, checked: Boolean(isTicked) }));

// The first line is for every base, the others for one each; those of the key that the list has not
// come to stay as they are.
function rightSelects(rights, bases) {
  const own = new Map((rights?.bases ?? []).map(({ kb_id: id, name, right }) => [id, { name, right }]));
  const known = bases.map(({ id, name }) => ({ id, name }));
  const others = [...own].filter(([id]) => !known.some((base) => base.id === id)).map(([id, { name }]) => ({ id, name }));
  const row = (id, label, right) => ({ id, label, select: rightSelect(right) });
  return [
    row(null, t("right_every_base"), rights?.everywhere),
    ...[...known, ...others].map(({ id, name }) => row(id, el("bdi", { title: name }, name), own.get(id)?.right)),
  ];
}

const rightSelect = (right) => /** @type {HTMLSelectElement} */ (el("select", {},
  ["", ...RIGHTS].map((value) => el("option", { value, selected: value === (right ?? "") }, t(value ? `right_${value}` : "right_none")))));

function chosenRights(selects) {
  const chosen = selects.map(({ id, select }) => [id, select.value]);
  return {
    everywhere: chosen.find(([id]) => id === null)[1] || null,
    bases: Object.fromEntries(chosen.filter(([id, right]) => id !== null && right)),
  };
}
