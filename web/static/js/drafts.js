// What a reader typed or asked, and no stored answer has taken over yet, by base. Kept in the
// browser, so that it survives a reload, a stop and a tab that died. Knows no network.

const MAX_ASKED = 20;
const MAX_BESIDE = 200; // answers of a base
const FRESH_MS = 15000; // a question that another tab waits for is seen again within this time
const TAB_ITEM = "kb.tab";
const draftItem = (kbId) => `kb.draft.${kbId}`;
const scopeItem = (kbId) => `kb.scope.${kbId}`;
const besideItem = (kbId) => `kb.beside.${kbId}`;
const uploadItem = (kbId) => `kb.upload.${kbId}`;
const askedItem = (kbId) => `kb.asked.${kbId}`;

function store(item, text) {
  try {
    if (text) localStorage.setItem(item, text);
    else localStorage.removeItem(item);
  } catch (error) {
    console.warn(`${item} could not be kept: ${error.message}`); // the storage of the browser is full
  }
}

function tabId() {
  const id = sessionStorage.getItem(TAB_ITEM) ?? Math.random().toString(36).slice(2);
  sessionStorage.setItem(TAB_ITEM, id);
  return id;
}

export const draftOf = (kbId) => localStorage.getItem(draftItem(kbId)) ?? "";

export const keepDraft = (kbId, text) => store(draftItem(kbId), text);

function parsed(item) {
  try {
    return JSON.parse(localStorage.getItem(item) ?? "null");
  } catch {
    return null;
  }
}

// In what is asked (scope.js), null where that is everything.
export const scopeOf = (kbId) => parsed(scopeItem(kbId));

export const keepScope = (kbId, scope) => store(scopeItem(kbId), scope ? JSON.stringify(scope) : "");

function allAsked(kbId) {
  const kept = parsed(askedItem(kbId));
  return Array.isArray(kept) ? kept : [];
}

const storeAsked = (kbId, kept) => store(askedItem(kbId), kept.length ? JSON.stringify(kept.slice(-MAX_ASKED)) : "");

// Questions of a conversation (null: of one that has no answer yet) that have no answer:
// [{id, question, conversationId, numBefore, at, isAsking}], oldest first. `numBefore`: answers that
// stood before it. A question that another tab is waiting for right now is that tab's business.
export function askedOf(kbId, conversationId) {
  const isElsewhere = (asked) => asked.isAsking && asked.tab !== tabId() && Date.now() - asked.seenAt < FRESH_MS;
  return allAsked(kbId).filter((asked) => asked.conversationId === conversationId && !isElsewhere(asked));
}

// Keeps a question, or what became of it; the same id replaces.
export function keepAsked(kbId, asked) {
  const others = allAsked(kbId).filter((other) => other.id !== asked.id);
  storeAsked(kbId, [...others, { ...asked, tab: tabId(), seenAt: Date.now() }]);
}

export function forgetAsked(kbId, id) {
  storeAsked(kbId, allAsked(kbId).filter((asked) => asked.id !== id));
}

export function forgetConversation(kbId, conversationId) {
  storeAsked(kbId, allAsked(kbId).filter((asked) => asked.conversationId !== conversationId));
}

// The conversation that began without an id has one now.
export function nameConversation(kbId, conversationId) {
  const isOurs = (asked) => asked.conversationId === null && asked.tab === tabId();
  storeAsked(kbId, allAsked(kbId).map((asked) => (isOurs(asked) ? { ...asked, conversationId } : asked)));
}

// What further bases answered beside an answer of this one: [{id, name, answerId, conversationId}].
export const besideOf = (kbId, answerId) => (parsed(besideItem(kbId)) ?? {})[answerId] ?? [];

export function keepBeside(kbId, answerId, beside) {
  const kept = Object.entries({ ...parsed(besideItem(kbId)), [answerId]: beside });
  store(besideItem(kbId), JSON.stringify(Object.fromEntries(kept.slice(-MAX_BESIDE))));
}

// An upload that this tab has under way: {sending, waiting}, names of files; null when none is. A
// reload breaks it off, another tab has its own.
export const uploadOf = (kbId) => JSON.parse(sessionStorage.getItem(uploadItem(kbId)) ?? "null");

export function keepUpload(kbId, upload) {
  if (upload) sessionStorage.setItem(uploadItem(kbId), JSON.stringify(upload));
  else sessionStorage.removeItem(uploadItem(kbId));
}

export function forgetBase(kbId) {
  keepUpload(kbId, null);
  store(draftItem(kbId), "");
  store(askedItem(kbId), "");
  store(scopeItem(kbId), "");
  store(besideItem(kbId), "");
}

// For a reader who leaves a shared machine.
export function forgetEverything() {
  const ours = Object.keys(localStorage).filter((item) => /^kb\.(draft|asked|scope|beside)\./.test(item));
  for (const item of ours) localStorage.removeItem(item);
}
