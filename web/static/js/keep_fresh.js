// When the lists are read again where nobody tells of what others did to them: from time to time, and
// when the reader or the service comes back.

import { isTold } from "./live.js";

const REFRESH_MS = 30000;

export function keepFresh(refresh) {
  const unlessTold = () => document.hidden || isTold() || refresh();
  setInterval(unlessTold, REFRESH_MS);
  document.addEventListener("visibilitychange", unlessTold);
  for (const turn of ["online", "serviceback"]) addEventListener(turn, unlessTold);
}
