// Keeps a view fresh: a server-sent nudge when the service can send one, polling when it cannot.
// The state is what `refresh()` reads; a nudge only says when. Knows nothing of what is shown.

import { basePath, send } from "./api.js";
import { readEvents } from "./sse.js";

const MIN_GAP_MS = 400;
const RECONNECT_MS = 5000;
const ACTIVE_POLL_MS = 2000;
const NUDGED_POLL_MS = 10000;
const IDLE_POLL_MS = 30000;

export class LiveUpdates {
  #refresh;
  #isBusy;
  #onEvent;
  #stops = null;
  #timer = 0;
  #isNudged = false;
  #isRunning = false;
  #isWanted = false;

  // `refresh()` reads the state; `isBusy()` tells whether work is going on that will change it;
  // `onEvent({event, data})` may use what the nudge happens to say.
  constructor(refresh, isBusy, onEvent) {
    this.#refresh = refresh;
    this.#isBusy = isBusy;
    this.#onEvent = onEvent;
    document.addEventListener("visibilitychange", () => document.hidden || (this.#stops && this.poke()));
    for (const turn of ["online", "serviceback"]) addEventListener(turn, () => this.#stops && this.poke());
  }

  start(kbId) {
    this.stop();
    this.#stops = new AbortController();
    this.#listen(kbId, this.#stops.signal);
    this.#plan();
  }

  stop() {
    this.#stops?.abort();
    this.#stops = null;
    clearTimeout(this.#timer);
  }

  // Refreshes soon, once for many calls; a call during a refresh leads to one more.
  async poke() {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isWanted && this.#stops) {
      this.#isWanted = false;
      await this.#refresh();
      await pause(MIN_GAP_MS);
    }
    this.#isRunning = false;
    if (this.#stops) this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    const busy_ms = this.#isNudged ? NUDGED_POLL_MS : ACTIVE_POLL_MS;
    this.#timer = setTimeout(() => (document.hidden ? this.#plan() : this.poke()), this.#isBusy() ? busy_ms : IDLE_POLL_MS);
  }

  async #listen(kbId, signal) {
    for (let isAgain = false; !signal.aborted; isAgain = true) {
      try {
        const response = await send("GET", `${basePath(kbId)}/events`, { signal, accept: "text/event-stream" });
        this.#isNudged = true;
        if (isAgain) this.poke(); // what happened in between had nobody to tell
        for await (const event of readEvents(response)) {
          if (signal.aborted) return;
          this.#onEvent(event);
          this.poke();
        }
      } catch (error) {
        if (signal.aborted) return;
        console.info(`events: ${error.message}; polling instead`);
      }
      dispatchEvent(new Event("eventslost")); // the service may be away: who tells so looks
      this.#isNudged = false;
      await pause(RECONNECT_MS);
    }
  }
}

const pause = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));
