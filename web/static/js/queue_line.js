// Whether documents that wait are read: paused by whom and since when, with the way to pause and resume
// for who may. Draws a line and knows the calls.

import { basePath, sendJson } from "./api.js";
import { announce, byId, el, icon, redraw, show } from "./dom.js";
import { formatTime, t } from "./i18n/i18n.js";

/** @param {Api["PauseBody"]} paused */
export function pausedText({ by, at, is_everywhere: isEverywhere }) {
  const name = isEverywhere ? "queue_paused_service" : "queue_paused";
  return t(by ? `${name}_by` : name, { by, since: formatTime(at) });
}

// A button that pauses or resumes; `kbId` null: the whole service. `run(work)` does the work.
export function queueButton(kbId, isPaused, run) {
  const action = isPaused ? "resume" : "pause";
  const call = async () => {
    await sendJson("POST", `${kbId === null ? "" : `${basePath(kbId)}/`}queue/${action}`);
    announce(t(`queue_${action}_done`));
  };
  return el("button", { type: "button", class: "quiet-button", "data-needs": kbId === null ? "admin" : "manage", "data-key": "queue", onclick: () => run(call) },
    icon(isPaused ? "play" : "pause"), t(`queue_${action}`));
}

// In the list of documents: a notice while it is paused, an offer to pause while documents wait.
/** @param {string} kbId @param {Api["PauseBody"] | null} paused */
export function drawQueue(kbId, paused, isWorking, run) {
  const line = byId("queue-line");
  show(line, Boolean(paused) || isWorking);
  line.classList.toggle("is-paused", Boolean(paused));
  const state = JSON.stringify([kbId, paused, isWorking, document.documentElement.lang]);
  if (line.dataset.state === state) return;
  line.dataset.state = state;
  const button = queueButton(paused?.is_everywhere ? null : kbId, Boolean(paused), run);
  redraw(line, ...(paused ? [icon("pause"), el("span", { role: "status" }, pausedText(paused)), el("span", { class: "meta" }, t("queue_paused_means"))] : []), button);
}
