// In which encoding a text is read: what its reading says, the choice by hand, a choice for uploads.
// Knows the calls about encodings; the list shows how the reading goes on.

import { documentPath, sendJson } from "./api.js";
import { openDialog } from "./dialogs.js";
import { announce, byId, el } from "./dom.js";
import { codeText, formatNumber, onLanguage, t } from "./i18n/i18n.js";

const BY_BYTES = "";
const IS_TEXT = /^(text\/|application\/json$)/;
/** @type {string[]} */
let offered = [];

// `encodings`: those to choose from, as the service tells them.
/** @param {string[]} encodings */
export function offer(encodings) {
  offered = encodings;
  fillUploads();
}

onLanguage(() => fillUploads());

// The encoding that the next upload says of its texts. It is said once: later files may be others.
export function takeForUpload() {
  const select = byId("upload-encoding");
  const chosen = select.value;
  select.value = BY_BYTES;
  return chosen;
}

function fillUploads() {
  const select = byId("upload-encoding");
  const chosen = select.value;
  select.replaceChildren(...options(offered, chosen));
}

// What a reader should know of how a text was read, and the way to change it; null where the
// encoding is beyond doubt, and for files that say theirs themselves.
/** @param {Api["DocumentBody"]} doc */
export function encodingLine(doc, choose) {
  const { encoding, encoding_confidence: confidence, bytes_replaced: replaced } = doc.metadata;
  const name = doc.encoding || encoding;
  if (!IS_TEXT.test(doc.media_type) || !(name || replaced || doc.error)) return null;
  const percent = formatNumber(Math.round(100 * Number(confidence ?? 0)));
  const how = doc.encoding ? t("encoding_chosen") : t("encoding_guessed", { percent });
  const said = [
    name && t("encoding_read", { encoding: labelOf(name), how }),
    replaced && t("encoding_replaced", { count: Number(replaced) }),
  ];
  const button = el("button", { type: "button", class: "quiet-button", "data-key": `encoding ${doc.id}`, "data-needs": "write", "aria-label": t("encoding_change_label", { name: doc.name }), onclick: () => choose(doc) }, t("encoding_change"));
  return el("div", { class: "document-encoding meta" }, el("span", {}, said.filter(Boolean).join(" · ")), button);
}

// Resolves to the outcome of having the text read again, null when the reader thought better of it.
/** @param {string} kbId @param {Api["DocumentBody"]} doc @returns {Promise<Api["UploadItemBody"]>} */
export function readAgain(kbId, doc) {
  const now = doc.encoding || BY_BYTES;
  const known = now ? [now, ...offered.filter((name) => labelOf(name) !== labelOf(now))] : offered;
  const select = el("select", { id: "encoding-choice", name: "encoding" }, options(known, now));
  const field = el("div", { class: "field" },
    el("label", { class: "field-label", for: select.id }, t("encoding_label")), select, el("span", { class: "meta" }, t("encoding_hint")));
  const submit = async () => {
    const encoding = /** @type {HTMLSelectElement} */ (select).value;
    const item = await sendJson("POST", `${documentPath(kbId, doc.id)}/read`, { encoding });
    announce(t("encoding_started", { name: doc.name }));
    return item;
  };
  return openDialog({ title: t("encoding_title", { name: doc.name }), body: [field], confirm: t("encoding_go"), isDanger: false, submit });
}

function options(names, chosen) {
  return [BY_BYTES, ...names].map((name) => el("option", { value: name, selected: name === chosen }, name ? labelOf(name) : t("encoding_by_bytes")));
}

// "GB18030 (simplified Chinese)"; a name that has no words here stands alone.
function labelOf(name) {
  const key = name.replaceAll("-", "_");
  const words = codeText("charset", key);
  return words === key.replaceAll("_", " ") ? name : words;
}
