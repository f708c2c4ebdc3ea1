// One line for what is wrong, whatever part says it. A notice may belong to one base: it goes when
// that base is left, and is never shown over another. Knows nothing of the causes.

import { byId, show } from "./dom.js";
import { requestsOf } from "./error_view.js";
import { onLanguage } from "./i18n/i18n.js";

export class Notices {
  #said = new Map(); // source -> {say(), isBad, isAway, owner}
  #entered = null;

  constructor() {
    onLanguage(() => this.#draw());
    // That the service was away is past: whatever could not reach it says so anew, or nothing.
    addEventListener("serviceback", () => {
      for (const [source, { isAway }] of this.#said) if (isAway) this.#said.delete(source);
      this.#draw();
    });
  }

  // The reader is in this base now (an id, or null).
  enter(owner) {
    this.#entered = owner;
    for (const [source, notice] of this.#said) if (this.#isElsewhere(notice)) this.#said.delete(source);
    this.#draw();
  }

  // `say()` gives the text in the language of the page; null: nothing is wrong any more.
  // `isBad`: something failed; otherwise it is only worth knowing. `isAway`: the service could not be
  // reached. `error`: of a call, where it is one. A source clears only what it said
  // itself; what comes late for a base that was left is not shown.
  set(source, say, { isBad = true, isAway = false, owner = null, error = null } = {}) {
    const notice = { say, isBad, isAway, owner, error };
    if (this.#isElsewhere(notice)) return;
    if (say) this.#said.set(source, notice);
    else this.#said.delete(source);
    this.#draw();
  }

  #isElsewhere({ owner }) {
    return owner !== null && owner !== this.#entered;
  }

  #draw() {
    const said = [...this.#said.values()];
    const joined = [...new Set(said.map((one) => one.say()))].join(" · ");
    const line = byId("page-notice");
    line.classList.toggle("notice-bad", said.some((one) => one.isBad));
    line.classList.toggle("notice-plain", !said.some((one) => one.isBad));
    const requests = requestsOf(said.map((one) => one.error));
    const state = `${joined}${requests && requests.textContent}`;
    if (line.textContent !== state) line.replaceChildren(...[joined, requests].filter(Boolean));
    show(line, joined !== "");
  }
}
