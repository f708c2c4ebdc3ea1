// Questions that a base was found to answer, read once for each change of it. Knows the call; without
// an answer to it there are none.

import { basePath, getJson } from "./api.js";

const AGAIN_MS = 20000; // after a change the worker asks them anew

export class Suggestions {
  #changed;
  #key = ""; // base and change that they were read for
  #kbId = "";
  #timer = 0;
  /** @type {Api["SuggestionBody"][]} */
  #items = [];

  // `changed()`: there are others now
  constructor(changed) {
    this.#changed = changed;
  }

  // What is known now; others are on their way when the base has changed.
  of({ id, change }) {
    const key = `${id} ${change}`;
    if (id !== this.#kbId) this.#items = [];
    this.#kbId = id;
    if (key !== this.#key) {
      this.#key = key;
      clearTimeout(this.#timer);
      this.#read(id);
      this.#timer = setTimeout(() => this.#key === key && !document.hidden && this.#read(id), AGAIN_MS);
    }
    return this.#items;
  }

  async #read(kbId) {
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
