// Questions that a base was found to answer, read when they are to be shown and once for each change of
// them. Knows the call; without an answer to it there are none.

import { basePath, getJson } from "./api.js";
import { isTold } from "./live.js";

export class Suggestions {
  #changed;
  #kbId = "";
  #change = -1; // of the base when they were shown last
  #isOld = false;
  /** @type {Api["SuggestionBody"][]} */
  #items = [];

  // `changed()`: there are others now
  constructor(changed) {
    this.#changed = changed;
  }

  // There are others now; they are read when they are to be shown.
  outdate() {
    this.#isOld = true;
  }

  // What is known now; others are on their way when there are some. Where nobody tells of them there
  // may be others whenever the base has changed.
  of({ id, change }) {
    const isOld = this.#isOld || id !== this.#kbId || (change !== this.#change && !isTold());
    if (id !== this.#kbId) this.#items = [];
    [this.#kbId, this.#change] = [id, change];
    if (isOld) this.#read(id);
    return this.#items;
  }

  async #read(kbId) {
    this.#isOld = false;
    const found = await getJson(`${basePath(kbId)}/suggestions`).catch((error) => {
      console.info(`suggestions: ${error.message}`);
      return null;
    });
    if (!found || kbId !== this.#kbId) return;
    const before = JSON.stringify(this.#items);
    this.#items = found.items;
    if (JSON.stringify(found.items) !== before) this.#changed();
  }
}
