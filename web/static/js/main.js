// Starts the page and connects its parts: bases, documents, asking, the viewer. Holds no state of
// its own and draws nothing but the drawer.

import { Address, CLOSED } from "./address.js";
import { apiKey, onUnauthorized, useKey } from "./api.js";
import { Ask } from "./ask.js";
import { Bases } from "./bases.js";
import { Conversations } from "./conversations.js";
import { askKey } from "./dialogs.js";
import { Documents } from "./documents.js";
import { all, byId, debounce, placeIcons, show } from "./dom.js";
import { forgetEverything } from "./drafts.js";
import { acceptDrops, pickedFiles } from "./file_drop.js";
import { applyTexts, errorText, onLanguage, setLanguage, t } from "./i18n/i18n.js";
import { Navigation } from "./navigation.js";
import { Notices } from "./notices.js";
import { Readiness } from "./readiness.js";
import { Tabs } from "./tabs.js";
import { Uploads } from "./uploads.js";
import { Viewer } from "./viewer.js";
import { firstSteps, missingBase } from "./welcome.js";

const REFRESH_MS = 30000; // what other windows and programs did to the lists is seen after this

const notices = new Notices();
const address = new Address((place) => guard(() => navigation.show(place)));
const tabs = new Tabs((name) => navigation.openView(name));
const viewer = new Viewer({
  quoted: (name) => address.amend({ ...CLOSED, quote: name }),
  closed: () => {
    if (address.place.quote || address.place.document) address.close();
  },
});
const bases = new Bases((base) => guard(() => navigation.openBase(base)), guard);
const documents = new Documents({
  open: (doc) => openOver({ ...CLOSED, document: doc.id }, () => viewer.openDocument(bases.chosen.id, doc, document.activeElement)),
  changed: debounce(() => guard(() => bases.refreshChosen()), 300),
  report: (source, say, owner) => notices.set(source, say, { owner }),
});
const conversations = new Conversations({
  guard,
  open: (id) => guard(async () => {
    closeDrawer();
    await navigation.openConversation(id);
  }),
  deleted: (id) => address.place.conversation === id && navigation.openConversation(null),
});
const ask = new Ask({
  cite: (view, citation, mark) =>
    openOver({ ...CLOSED, quote: view.nameOf(citation) }, () => viewer.openCitation(bases.chosen.id, view, citation, mark)),
  answered: (id) => {
    navigation.remember(id);
    guard(() => conversations.refresh(), "conversations");
  },
  found: (id) => guard(() => {
    navigation.remember(id);
    return navigation.show(address.place);
  }),
  gone: (id) => {
    conversations.forget(id);
    notices.set("conversation", () => t("conversation_gone"), { isBad: false, owner: bases.chosen.id });
    guard(() => navigation.openConversation(null));
  },
  begin: () => guard(async () => {
    await navigation.openConversation(null);
    await ask.begin();
  }),
  hasDocuments: () => documents.items.some((doc) => doc.revision),
  demo: () => bases.demo,
  modelNotice: () => readiness.modelNotice,
  openBase: (base) => guard(() => navigation.openBase(base)),
  openDocuments: () => {
    navigation.openView("documents");
    byId("pick-files").focus();
  },
});
const readiness = new Readiness(notices, { loaded: () => ask.showTeaching(), limits: (limits) => ask.limit(limits.max_question_chars) });
const uploads = new Uploads((kbId, items) => documents.accept(kbId, items));
const navigation = new Navigation({ address, ask, bases, conversations, documents, notices, tabs, uploads, viewer, frame: showFrame });

// Runs an action; what goes wrong belongs to the base in which it was begun.
async function guard(run, source = "page") {
  const owner = bases.chosen?.id ?? null;
  try {
    await run();
    notices.set(source, null, { owner });
  } catch (error) {
    notices.set(source, () => errorText(error), { owner });
  }
}

// Opens the viewer over the present place: Back closes it. Over another quote it takes its place.
function openOver(change, open) {
  if (viewer.shownId) address.amend(change);
  else address.go(change);
  open();
}

// Without a base: the first steps, or word that the base of the address is not there.
function showFrame(base, missingId) {
  closeDrawer();
  const isEmpty = base === null && missingId === null;
  show(byId("welcome"), base === null);
  if (isEmpty) byId("welcome").replaceChildren(...firstSteps(() => guard(() => bases.create())));
  else byId("welcome").replaceChildren(...missingBase(bases.home, (other) => guard(() => navigation.openBase(other))));
  if (missingId !== null) byId("base-name").textContent = t("base_missing_title");
  if (missingId !== null) byId("base-counts").textContent = "";
}

function addFiles(entries) {
  navigation.openView("documents");
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
    forgetEverything();
    useKey("");
    location.reload();
  });
  addEventListener("keychange", refresh);
  refresh();
}

let isStarted = false;

async function begin() {
  await bases.load();
  await navigation.start();
  isStarted = true;
}

// Reads the lists again from time to time, and when the reader comes back to the page: other windows
// and programs change them.
function connectRefresh() {
  const refresh = () => document.hidden || guard(async () => {
    if (!isStarted) return begin();
    await bases.refresh();
    await bases.refreshChosen();
    await conversations.refresh();
  }, "lists");
  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);
  addEventListener("basegone", (event) => {
    const id = /** @type {CustomEvent} */ (event).detail;
    if (bases.isGone(id)) return;
    bases.forget(id);
    if (bases.chosen?.id === id) guard(() => navigation.show(address.place));
  });
}

async function start() {
  placeIcons(document);
  applyTexts(document);
  for (const button of all(document, "[data-language]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.language));
  }
  onLanguage(() => {
    ask.relabel();
    if (!bases.chosen) guard(() => navigation.show(address.place));
  });
  connectPicker("pick-files", "file-input");
  connectPicker("pick-folder", "folder-input");
  acceptDrops(byId("drop-overlay"), () => bases.chosen !== null && !document.querySelector("dialog:modal"), addFiles);
  connectDrawer();
  connectKey();
  tabs.choose("ask");
  tabs.enable(false);
  readiness.load();
  connectRefresh();
  await guard(begin, "lists");
}

start();
