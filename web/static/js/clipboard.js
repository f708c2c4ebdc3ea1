// Puts text where the reader can paste it, and files where the browser keeps downloads.

import { el } from "./dom.js";

const KEEP_BLOB_MS = 60000; // the browser may still be writing it to disk

// Pages of other machines without TLS have no clipboard of their own: there a hidden box is copied.
export async function copyText(text) {
  if (navigator.clipboard && isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const box = /** @type {HTMLTextAreaElement} */ (el("textarea", { class: "visually-hidden" }, text));
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

// `content`: a text, or a Blob of any type.
export function saveFile(name, type, content) {
  const href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEEP_BLOB_MS);
}
