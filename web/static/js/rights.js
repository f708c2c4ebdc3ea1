// What the reader's key may do, and what the page therefore offers: an element with `data-needs` is
// shown to who has that right in the chosen base. The service decides in any case.

import { getJson } from "./api.js";

const ORDER = ["none", "read", "write", "manage", "admin"];

/** @type {Api["MeBody"] | null} */
let me = null;
let chosenId = null;

export const reader = () => me;

export const isAdmin = () => me?.rights.is_admin ?? false;

export async function loadRights() {
  me = await getJson("me");
  mark();
}

// The base on the page is another one now; null: there is none.
export function rightsIn(kbId) {
  chosenId = kbId;
  mark();
}

// True when the reader is known to lack a right in the chosen base.
export const lacks = (right) => me !== null && chosenId !== null && ORDER.indexOf(held()) < ORDER.indexOf(right);

function held() {
  if (!me) return "none";
  const { is_admin: isAll, everywhere, bases } = me.rights;
  if (isAll) return "admin";
  const own = [everywhere, bases.find(({ kb_id: id }) => id === chosenId)?.right];
  return ORDER.findLast((right) => own.includes(right)) ?? "none";
}

function mark() {
  document.documentElement.dataset.right = held();
}
