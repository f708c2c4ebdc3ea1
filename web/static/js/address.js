// The address of what is shown: base, view, conversation, and what the viewer has open, all in the
// fragment. Knows the browser's history; what a place means is the business of `onMoved`.

const PARTS = ["base", "view", "conversation", "query", "incident", "within", "answer", "quote", "document"];
export const CLOSED = { answer: null, quote: null, document: null };

// "#base=kb_1&view=documents" -> {base, view, conversation, …}, each of PARTS; null where absent.
export function placeOf(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.fromEntries(PARTS.map((part) => [part, given.get(part) || null]));
}

export function hashOf(place) {
  const named = PARTS.filter((part) => place[part]).map((part) => [part, place[part]]);
  return `#${new URLSearchParams(named)}`;
}

// The address at which one answer is found again.
/** @param {string} kbId @param {Api["AnswerBody"]} answer */
export const linkTo = (kbId, { conversation_id: conversation, id: answer }) =>
  new URL(hashOf({ base: kbId, conversation, answer }), location.href).href;

// Each entry of the history has a state {number, thread, isHollow}. `thread` names the conversation
// of an entry before it has an id; a hollow entry was opened over its place and has been closed.
export class Address {
  #number = history.state?.number ?? 0;
  #hash = location.hash;

  // `onMoved(place)`: the reader went back or forward, or wrote another address.
  constructor(onMoved) {
    addEventListener("popstate", () => {
      const number = history.state?.number ?? this.#number + 1;
      const isHollowStep = number < this.#number && location.hash === this.#hash;
      this.#number = number;
      this.#hash = location.hash;
      if (isHollowStep) history.back();
      else onMoved(this.place);
    });
  }

  get place() {
    return placeOf(location.hash);
  }

  get thread() {
    return history.state?.thread ?? "";
  }

  // A new place; Back leads here again.
  go(change) {
    const next = hashOf({ ...this.place, ...change });
    if (next === hashOf(this.place)) return;
    const isOther = "base" in change || "conversation" in change;
    const thread = isOther ? String(Math.random()) : this.thread;
    if (history.state?.isHollow) history.replaceState({ number: this.#number, thread }, "", next);
    else history.pushState({ number: (this.#number += 1), thread }, "", next);
    this.#hash = location.hash;
  }

  // The same place under a better address.
  amend(change, state = {}) {
    const kept = { number: this.#number, thread: this.thread, ...history.state, ...state };
    history.replaceState(kept, "", hashOf({ ...this.place, ...change }));
    this.#hash = location.hash;
  }

  // What was opened over the place is closed: the next place takes this entry.
  close() {
    this.amend(CLOSED, { isHollow: true });
  }
}
