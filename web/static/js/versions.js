// The versions of a document in a dialog: open, compare with what is found now, download, restore.
// Knows the calls about versions; the viewer shows an opened one.

import { documentPath, getJson, sendJson } from "./api.js";
import { downloadDocument } from "./document_actions.js";
import { announce, el, iconButton } from "./dom.js";
import { codeText, errorText, formatBytes, formatTime, t } from "./i18n/i18n.js";
import { changedWords } from "./word_changes.js";

const MAX_CHANGES = 100;

// Resolves, when it is closed, to whether a version was restored. `open(kbId, doc)`: the viewer.
/** @param {string} kbId @param {Api["DocumentBody"]} doc @returns {Promise<boolean>} */
export function showVersions(kbId, doc, open) {
  return new Promise((resolve) => {
    let isRestored = false;
    const problem = el("p", { class: "dialog-error", role: "alert" });
    const changes = el("div", { class: "version-changes", "aria-live": "polite" });
    const close = iconButton("close", t("dismiss"), () => dialog.close());
    const guard = (run) => async () => {
      problem.textContent = "";
      await run().catch((error) => (problem.textContent = errorText(error)));
    };
    const actions = (version) => ({
      open: async () => {
        dialog.close();
        open(kbId, asOf(doc, version));
      },
      compare: async () => changes.replaceChildren(...(await changesView(kbId, doc, version))),
      download: () => downloadDocument(kbId, doc, version.sha256),
      restore: async () => {
        await sendJson("POST", `${documentPath(kbId, doc.id)}/restore`, { revision: version.sha256 });
        isRestored = true;
        announce(t("version_restored", { name: doc.name, number: version.number }));
        dialog.close();
      },
    });
    const rows = doc.versions.map((version) => versionRow(version, actions(version), guard));
    const title = el("h2", { id: "versions-title" }, t("versions_title", { name: doc.name }));
    const dialog = el("dialog", { class: "modal versions", "aria-labelledby": "versions-title" },
      el("div", { class: "versions-head" }, title, close), el("ul", { class: "version-list" }, rows), problem, changes);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isRestored);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** @param {Api["VersionBody"]} version */
function versionRow(version, actions, guard) {
  const { number, state } = version;
  const button = (name, isShown, needs = null) =>
    isShown && el("button", { type: "button", class: "quiet-button", "data-needs": needs, "aria-label": t(`version_${name}_label`, { number }), onclick: guard(actions[name]) }, t(`version_${name}`));
  const isRead = state !== "unread";
  return el("li", {},
    el("strong", {}, t("version_number", { number })),
    el("span", { class: "meta" }, [formatTime(version.created_at), formatBytes(version.size_bytes), codeText("version", state)].join(" · ")),
    el("span", { class: "version-actions" },
      button("open", isRead), button("compare", state === "kept"), button("download", true), button("restore", state !== "searchable", "write")));
}

// The document as the viewer shows it, with the words of that version.
/** @param {Api["DocumentBody"]} doc @param {Api["VersionBody"]} version */
function asOf(doc, version) {
  if (version.state === "searchable") return doc;
  const name = t("version_of", { name: doc.name, number: version.number });
  return { ...doc, name, revision: { ...doc.revision, sha256: version.sha256, num_pages: 0 } };
}

/** @param {string} kbId @param {Api["DocumentBody"]} doc @param {Api["VersionBody"]} version */
async function changesView(kbId, doc, version) {
  /** @type {Api["ChangesBody"]} */
  const { changes } = await getJson(`${documentPath(kbId, doc.id)}/changes`, { since: version.sha256 });
  const side = (tag, pieces) => pieces.length > 0 && el(tag, { dir: "auto" }, pieces.map(({ text, isChanged }) => (isChanged ? el("mark", {}, text) : text)));
  const rows = changes.slice(0, MAX_CHANGES).map((change) => {
    const told = changedWords(change.old?.text ?? "", change.new?.text ?? "");
    return el("li", {}, side("del", told.old), side("ins", told.new));
  });
  return [
    el("h3", {}, t("changes_since", { number: version.number, count: changes.length })),
    el("ul", { class: "change-list" }, rows),
    changes.length > MAX_CHANGES ? el("p", { class: "meta" }, t("changes_more", { count: changes.length - MAX_CHANGES })) : "",
  ];
}
