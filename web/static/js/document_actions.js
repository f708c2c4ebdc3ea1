// What a reader does to one document of a base: delete it, take its file, steer its job. Knows the
// calls; the base is the one in which the document was chosen, whatever is shown by then.

import { apiKey, documentPath, getBlob, jobPath, sendJson, urlOf } from "./api.js";
import { confirmLoss } from "./dialogs.js";
import { announce, el } from "./dom.js";
import { t } from "./i18n/i18n.js";

const OFFICE = "application/vnd.openxmlformats-officedocument.";
const CONTAINERS = new Set([
  "application/zip", "message/rfc822", "application/vnd.ms-outlook", "application/pdf",
  `${OFFICE}wordprocessingml.document`, `${OFFICE}presentationml.presentation`, `${OFFICE}spreadsheetml.sheet`,
]);
const KEEP_BLOB_MS = 60000; // the browser may still be writing it to disk

// Resolves to whether it is gone; names first what is lost.
/** @param {string} kbId @param {Api["DocumentBody"]} doc */
export async function removeDocument(kbId, doc) {
  const losses = [t("loss_file", { name: doc.name })];
  if (doc.revision) losses.push(t("loss_passages", { count: doc.revision.num_chunks }));
  if (CONTAINERS.has(doc.media_type)) losses.push(t("loss_members"));
  losses.push(t("loss_quotes"));
  const isGone = await confirmLoss({
    title: t("document_delete_title"),
    losses,
    confirm: t("delete"),
    submit: () => sendJson("DELETE", documentPath(kbId, doc.id)),
  });
  if (isGone) announce(t("document_deleted", { name: doc.name }));
  return isGone;
}

// With a key the bytes come through fetch, which can send it; without one a link streams to disk.
// `revision`: the SHA-256 of a version, null for the newest.
/** @param {string} kbId @param {Api["DocumentBody"]} doc @param {string | null} revision */
export async function downloadDocument(kbId, doc, revision = null) {
  const path = `${documentPath(kbId, doc.id)}/content`;
  const href = apiKey() ? URL.createObjectURL(await getBlob(path, { revision })) : urlOf(path, { revision }).href;
  el("a", { href, download: doc.name }).click();
  if (href.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(href), KEEP_BLOB_MS);
}

// `action`: "retry" or "cancel".
/** @returns {Promise<Api["JobBody"]>} */
export const steerJob = (job, action) => sendJson("POST", `${jobPath(job.id)}/${action}`);
