// Starts the page and connects its parts: bases, documents, asking, the viewer. Holds no state of
// its own and draws nothing but the notice line and the drawer.

import { apiKey, onUnauthorized, useKey } from "./api.js";
import { Ask } from "./ask.js";
import { Bases } from "./bases.js";
import { askKey } from "./dialogs.js";
import { Documents } from "./documents.js";
import { byId, debounce, placeIcons, show } from "./dom.js";
import { acceptDrops, pickedFiles } from "./file_drop.js";
import { applyTexts, errorText, onLanguage, setLanguage } from "./i18n/i18n.js";
import { Readiness } from "./readiness.js";
import { Tabs } from "./tabs.js";
import { Uploads } from "./uploads.js";
import { Viewer } from "./viewer.js";
import { firstSteps } from "./welcome.js";

// One line for what is wrong, whatever part says it; a part clears only what it said itself.
class Notices {
  #texts = new Map();

  // `isBad`: something failed; otherwise it is only worth knowing (the service is starting).
  set(source, text, isBad = true) {
    if (text) this.#texts.set(source, { text, isBad });
    else this.#texts.delete(source);
    const said = [...this.#texts.values()];
    const joined = said.map((one) => one.text).join(" · ");
    const line = byId("page-notice");
    line.classList.toggle("notice-bad", said.some((one) => one.isBad));
    line.classList.toggle("notice-plain", !said.some((one) => one.isBad));
    if (line.textContent !== joined) line.textContent = joined;
    show(line, joined !== "");
  }
}

const notices = new Notices();
const tabs = new Tabs();
const viewer = new Viewer();
const readiness = new Readiness(notices, () => ask.showTeaching());
const bases = new Bases(showBase, guard);
const documents = new Documents({
  open: (doc) => viewer.openDocument(bases.chosen.id, doc, document.activeElement),
  changed: debounce(() => guard(() => bases.refreshChosen()), 300),
  report: (source, text) => notices.set(source, text),
});
const ask = new Ask({
  cite: (view, citation, mark) =>
    viewer.openCitation(bases.chosen.id, view.citations, citation, mark, (id) => view.setCurrent(id)),
  hasDocuments: () => documents.items.some((doc) => doc.revision),
  demo: () => bases.demo,
  modelNotice: () => readiness.modelNotice,
  openBase: (base) => bases.choose(base),
  openDocuments: () => {
    tabs.choose("documents");
    byId("pick-files").focus();
  },
});
const uploads = new Uploads((kbId, items) => documents.accept(kbId, items));

async function guard(run) {
  try {
    await run();
    notices.set("page", null);
  } catch (error) {
    notices.set("page", errorText(error));
  }
}

async function showBase(base) {
  viewer.close();
  closeDrawer();
  tabs.enable(base !== null);
  show(byId("welcome"), base === null);
  byId("welcome").replaceChildren(...(base ? [] : firstSteps(() => bases.create())));
  await Promise.all([documents.choose(base), ask.choose(base)]);
  ask.showTeaching();
}

function addFiles(entries) {
  tabs.choose("documents");
  uploads.add(bases.chosen.id, entries);
}

function connectPicker(buttonId, inputId) {
  const input = byId(inputId);
  byId(buttonId).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const entries = pickedFiles(input.files);
    input.value = "";
    addFiles(entries);
  });
}

function openDrawer() {
  byId("app").classList.add("with-drawer");
  byId("menu-button").setAttribute("aria-expanded", "true");
  byId("sidebar").querySelector("button").focus();
}

function closeDrawer() {
  byId("app").classList.remove("with-drawer");
  byId("menu-button").setAttribute("aria-expanded", "false");
}

function connectDrawer() {
  byId("menu-button").addEventListener("click", openDrawer);
  byId("scrim").addEventListener("click", closeDrawer);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !byId("app").classList.contains("with-drawer")) return;
    closeDrawer();
    byId("menu-button").focus();
  });
}

function connectKey() {
  onUnauthorized(askKey);
  const refresh = () => show(byId("forget-key"), apiKey() !== "");
  byId("forget-key").addEventListener("click", () => {
    useKey("");
    location.reload();
  });
  addEventListener("keychange", refresh);
  refresh();
}

function start() {
  placeIcons(document);
  applyTexts(document);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.language));
  }
  onLanguage(() => bases.chosen || byId("welcome").replaceChildren(...firstSteps(() => bases.create())));
  connectPicker("pick-files", "file-input");
  connectPicker("pick-folder", "folder-input");
  acceptDrops(byId("drop-overlay"), () => bases.chosen !== null && !document.querySelector("dialog:modal"), addFiles);
  connectDrawer();
  connectKey();
  tabs.choose("ask");
  tabs.enable(false);
  readiness.load();
  guard(() => bases.load());
}

start();
