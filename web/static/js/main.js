// Starts the page and connects its parts: bases, documents, asking, the viewer. Holds no state of
// its own and draws nothing.

import { Address, CLOSED } from "./address.js";
import { ApiError, isAway } from "./api.js";
import { Ask } from "./ask.js";
import { Bases } from "./bases.js";
import { Conversations } from "./conversations.js";
import { Documents } from "./documents.js";
import { closeDrawer, connectDrawer } from "./drawer.js";
import { all, byId, debounce, placeIcons, show } from "./dom.js";
import { offer, takeForUpload } from "./encodings.js";
import { applyTexts, errorText, onLanguage, setLanguage, t } from "./i18n/i18n.js";
import { Incidents } from "./incidents.js";
import { Intake } from "./intake.js";
import { keepFresh } from "./keep_fresh.js";
import { connectKey } from "./key_button.js";
import { Navigation } from "./navigation.js";
import { Notices } from "./notices.js";
import { Readiness } from "./readiness.js";
import { loadRights } from "./rights.js";
import { Search } from "./search.js";
import { Setup } from "./setup.js";
import { Tabs } from "./tabs.js";
import { connectUploadLabels, showUploadLabels, takeLabels } from "./upload_labels.js";
import { Told } from "./told.js";
import { Uploads } from "./uploads.js";
import { Viewer } from "./viewer.js";
import { Watches } from "./watches.js";
import { firstSteps, missingBase } from "./welcome.js";

const notices = new Notices();
const address = new Address((place) => guard(() => navigation.show(place)));
const tabs = new Tabs((name) => navigation.openView(name));
const viewer = new Viewer({
  quoted: (name) => address.amend({ ...CLOSED, quote: name }),
  incidents: (kbId, number, within, isBeside) => kbId === bases.chosen?.id && navigation.openIncident(number, within, isBeside ? {} : CLOSED),
  closed: (name) => {
    if (name && [address.place.quote, address.place.document].includes(name)) address.close();
  },
});
const bases = new Bases((base) => guard(() => navigation.openBase(base)), guard);
const documents = new Documents({
  open: (kbId, doc) => openOver({ ...CLOSED, document: doc.id }, () => viewer.openDocument(kbId, doc, document.activeElement)),
  listed: (docs) => viewer.follow(docs),
  erased: (kbId) => viewer.recheck(kbId),
  askOnly: (docs) => {
    navigation.openView("ask");
    ask.askOnly(docs);
  },
  counted: (base) => {
    const before = bases.chosen;
    bases.take(base);
    if (before?.id !== base.id || before.change === base.change) return;
    ask.showTeaching();
    readIncidentsSoon();
  },
  told: (kbId, marks) => kbId === bases.chosen?.id && told.take(kbId, marks),
  report: (source, error, owner) => notices.set(source, error && (() => errorText(error)), { owner, isAway: isAway(error), error }),
});
const conversations = new Conversations({
  guard,
  open: (kbId, id) => guard(async () => {
    closeDrawer();
    await navigation.openConversation(kbId, id);
  }),
  deleted: (kbId, id) => address.place.conversation === id && guard(() => navigation.openConversation(kbId, null)),
});
const ask = new Ask({
  cite: (kbId, view, citation, mark) =>
    openOver({ ...CLOSED, quote: view.nameOf(citation) }, () => viewer.openCitation(kbId, view, citation, mark)),
  incident: (kbId, citation) => guard(() => openIncidentOf(kbId, citation)),
  watch: (kbId, answer) => guard(() => watches.add(kbId, answer)),
  answered: (kbId, id) => {
    navigation.remember(kbId, id);
    guard(() => conversations.refresh(), "conversations");
  },
  found: (kbId, id) => guard(() => {
    navigation.remember(kbId, id);
    return navigation.show(address.place);
  }),
  gone: (kbId, id) => {
    conversations.forget(kbId, id);
    notices.set("conversation", () => t("conversation_gone"), { isBad: false, owner: kbId });
    guard(() => navigation.openConversation(kbId, null));
  },
  guard: (run) => guard(run),
  begin: (kbId) => guard(async () => {
    await navigation.openConversation(kbId, null);
    await ask.begin(kbId);
  }),
  hasDocuments: () => documents.items.some((doc) => doc.revision),
  demo: () => bases.demo,
  present: () => bases.chosen,
  modelNotice: () => readiness.modelNotice,
  openBase: (base) => guard(() => navigation.openBase(base)),
  openElsewhere: (base, conversation) => guard(() => navigation.openElsewhere(base.id, conversation)),
  openDocuments: () => {
    navigation.openView("documents");
    byId("pick-files").focus();
  },
});
const search = new Search({
  filters: () => ask.filters,
  searched: (query) => guard(() => navigation.openSearch(query)),
  open: (view, quote, button) => viewer.openCitation(bases.chosen.id, view, quote, button),
});
const readiness = new Readiness(notices, { loaded: () => ask.showTeaching(), limits: heedLimits });
const uploads = new Uploads((kbId, items) => documents.accept(kbId, items));
const intake = new Intake({ guard: (run) => guard(run, "files"), baseId: () => bases.chosen?.id ?? null, add: addFiles });
const incidents = new Incidents({
  guard: (run) => guard(run),
  go: (number, within) => navigation.openIncident(number, within),
  open: (view, quote, button) => viewer.openCitation(bases.chosen.id, view, quote, button),
});
const watches = new Watches({
  guard: (run) => guard(run),
  open: (view, quote, button) => viewer.openCitation(bases.chosen.id, view, quote, button),
  added: () => navigation.openView("watches"),
});
const readIncidentsSoon = debounce(() => guard(() => incidents.refresh()), 300);
const told = new Told({
  bases: () => guard(() => bases.refresh(), "lists"),
  rights: () => guard(loadRights, "rights"),
  conversations: () => guard(() => conversations.refresh(), "conversations"),
  suggestions: () => ask.showTeaching(true),
  watches: () => guard(() => watches.refresh()),
  service: () => readiness.load(),
});
const setup = new Setup({ guard: (run) => guard(run), base: () => bases.chosen, bases: () => bases.items, rename: () => bases.rename(), mask: (change) => bases.mask(change), remove: () => bases.remove() });
const navigation = new Navigation({ address, ask, bases, conversations, documents, incidents, notices, search, setup, tabs, uploads, viewer, watches, frame: showFrame });

// The incident that cited words tell of.
async function openIncidentOf(kbId, citation) {
  const number = await incidents.numberOf(kbId, citation);
  if (kbId !== bases.chosen?.id) return;
  if (number) navigation.openIncident(number, null);
  else notices.set("incident", () => t("incident_here"), { isBad: false, owner: kbId });
}

// Runs an action; what goes wrong belongs to the base in which it was begun.
async function guard(run, source = "page") {
  const owner = bases.chosen?.id ?? null;
  try {
    await run();
    notices.set(source, null, { owner });
  } catch (error) {
    notices.set(source, () => errorText(error), { owner, isAway: isAway(error), error });
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
  intake.settle(base?.id ?? null);
  showUploadLabels(base?.id ?? null);
  if (base) notices.set("files", null);
  const isEmpty = base === null && missingId === null;
  show(byId("welcome"), base === null);
  if (isEmpty) byId("welcome").replaceChildren(...firstSteps(() => guard(() => bases.create())));
  else byId("welcome").replaceChildren(...missingBase(bases.home, (other) => guard(() => navigation.openBase(other))));
  if (missingId !== null) byId("base-name").textContent = t("base_missing_title");
  if (missingId !== null) byId("base-counts").textContent = "";
}

/** @param {Api["LimitsBody"]} limits */
function heedLimits(limits) {
  ask.limit(limits.max_question_chars);
  offer(limits.encodings);
}

// `kbId`: null when there was no base to add them to.
function addFiles(kbId, entries) {
  if (kbId === null || bases.isGone(kbId)) throw new ApiError(0, "no_base", "");
  if (kbId === bases.chosen?.id) navigation.openView("documents");
  uploads.add(kbId, entries, { encoding: takeForUpload(), labels: takeLabels(kbId) });
}

let isStarted = false;
let starting = null; // the start that is under way

async function begin() {
  await loadRights();
  await bases.load();
  await navigation.start();
  isStarted = true;
}

function beginOnce() {
  starting ??= begin().finally(() => (starting = null));
  return starting;
}

function connectRefresh() {
  keepFresh(() => guard(async () => {
    if (!isStarted) return beginOnce();
    await loadRights();
    await bases.refresh();
    await conversations.refresh();
    await watches.refresh();
  }, "lists"));
  for (const name of ["rightgone", "keychange"]) addEventListener(name, () => isStarted && guard(loadRights, "rights"));
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
  connectDrawer();
  connectKey();
  connectUploadLabels((run) => guard(run, "labels"));
  tabs.choose("ask");
  tabs.enable(false);
  readiness.load();
  connectRefresh();
  await guard(beginOnce, "lists");
}

start();
