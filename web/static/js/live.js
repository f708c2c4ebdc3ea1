// Keeps a view fresh: a server-sent nudge when the service can send one, polling when it cannot.
// The state is what `refresh()` reads; a nudge only says when. Knows nothing of what is shown.

import { basePath, send } from "./api.js";
import { readEvents } from "./sse.js";

const MIN_GAP_MS = 1000;
const REST_MS = 2000; // so much longer where nothing that came is urgent
const RECONNECT_MS = 5000;
const ACTIVE_POLL_MS = 2000;
const IDLE_POLL_MS = 30000;
const SILENT_MS = 90000; // the service says something every few seconds: so long, and the line is dead
const DOUBTED_MS = 15000; // the same where there is a reason to doubt it: the machine slept, the net changed

let numHeard = 0;

// Whether the service tells this page of changes, so that nothing need be asked from time to time.
export const isTold = () => numHeard > 0;

export class LiveUpdates {
  #refresh;
  #isBusy;
  #onEvent;
  #stops = null;
  #line = new AbortController(); // of the stream that is listened to
  #heardAt_ms = 0;
  #timer = 0;
  #silence = 0;
  #isNudged = false;
  #hasFailed = false;
  #isRunning = false;
  #isWanted = false;
  #isUrgent = false;
  #hurry = () => {};

  // `refresh()` reads the state and tells whether it could; `isBusy()` tells whether work is going on
  // that will change it; `onEvent({event, data})` may use what the nudge happens to say, and tells how to
  // refresh for it: "now", "soon", or "" for not at all.
  constructor(refresh, isBusy, onEvent) {
    this.#refresh = refresh;
    this.#isBusy = isBusy;
    this.#onEvent = onEvent;
    document.addEventListener("visibilitychange", () => document.hidden || this.#doubt());
    for (const turn of ["online", "serviceback"]) addEventListener(turn, () => this.#doubt());
  }

  // `seen`: the number of the last event that what is shown has seen; null when nothing could be read.
  start(kbId, seen) {
    this.stop();
    this.#stops = new AbortController();
    this.#listen(kbId, seen, this.#stops.signal);
    this.#plan();
    if (this.#isWanted) this.poke();
  }

  stop() {
    this.#stops?.abort();
    this.#stops = null;
    clearTimeout(this.#timer);
  }

  // Refreshes soon, once for many calls; a call during a refresh leads to one more. One that is not
  // urgent waits longer for others.
  async poke(isUrgent = true) {
    this.#isWanted = true;
    this.#isUrgent ||= isUrgent;
    if (isUrgent) this.#hurry();
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isWanted && this.#stops) {
      [this.#isWanted, this.#isUrgent] = [false, false];
      this.#hasFailed = !(await this.#refresh());
      await pause(MIN_GAP_MS);
      if (!this.#isUrgent) await this.#rest();
    }
    this.#isRunning = false;
    if (this.#stops) this.#plan();
  }

  #rest() {
    return new Promise((resolve) => {
      setTimeout(resolve, REST_MS);
      this.#hurry = () => resolve(undefined);
    });
  }

  // Something may have been missed: a line that is silent is begun anew, without one the state is read.
  #doubt() {
    if (!this.#stops) return;
    if (!this.#isNudged) this.poke();
    else if (Date.now() - this.#heardAt_ms > DOUBTED_MS) this.#line.abort();
  }

  // Who is told of everything asks for nothing by the clock, unless the state could not be read.
  #plan() {
    clearTimeout(this.#timer);
    if (this.#isNudged && !this.#hasFailed) return;
    const wait_ms = this.#hasFailed || this.#isBusy() ? ACTIVE_POLL_MS : IDLE_POLL_MS;
    this.#timer = setTimeout(() => (document.hidden ? this.#plan() : this.poke()), wait_ms);
  }

  async #listen(kbId, seen, signal) {
    for (let last = seen; !signal.aborted; last = null) {
      this.#line = new AbortController();
      try {
        const further = last === null ? {} : { "Last-Event-ID": String(last) };
        const response = await send("GET", `${basePath(kbId)}/events`, { signal: AbortSignal.any([signal, this.#line.signal]), accept: "text/event-stream", further });
        this.#mark(true);
        if (last === null) this.poke(); // what happened in between had nobody to tell
        for await (const event of readEvents(response, () => this.#heard())) {
          if (signal.aborted) break;
          const how = this.#onEvent(event);
          if (how) this.poke(how === "now");
        }
      } catch (error) {
        if (!signal.aborted) console.info(`events: ${error.message}; polling instead`);
      }
      this.#mark(false);
      if (signal.aborted) return;
      dispatchEvent(new Event("eventslost")); // the service may be away: who tells so looks
      if (!this.#line.signal.aborted) await pause(RECONNECT_MS);
    }
  }

  #mark(isNudged) {
    if (isNudged !== this.#isNudged) numHeard += isNudged ? 1 : -1;
    this.#isNudged = isNudged;
    clearTimeout(this.#silence);
    if (isNudged) this.#heard();
    if (this.#stops) this.#plan();
  }

  #heard() {
    this.#heardAt_ms = Date.now();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#line.abort(), SILENT_MS);
  }
}

const pause = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));
