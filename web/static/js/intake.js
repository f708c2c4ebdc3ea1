// Where files come in: pickers and drops. They are for the base that was on the page when they were
// given; before the page knows its base they wait for it. Reads files, sends nothing.

import { ApiError } from "./api.js";
import { byId } from "./dom.js";
import { acceptDrops, pickedFiles } from "./file_drop.js";
import { lacks } from "./rights.js";

export class Intake {
  #hooks;
  /** @type {(kbId: string | null) => void} */
  #settle;
  #settled = new Promise((resolve) => (this.#settle = resolve));
  #isSettled = false;

  // hooks: {guard(run), baseId(): of the base on the page or null, add(kbId or null, entries)}
  constructor(hooks) {
    this.#hooks = hooks;
    this.#connectPicker("pick-files", "file-input");
    this.#connectPicker("pick-folder", "folder-input");
    acceptDrops(byId("drop-overlay"), () => !document.querySelector("dialog:modal") && !lacks("write"), (reading) => this.#take(this.#meant, reading));
  }

  // The page knows its base now (an id), or that there is none (null). Only the first call counts.
  settle(kbId) {
    this.#isSettled = true;
    this.#settle(kbId);
  }

  /** @returns {string | null | Promise<string | null>} */
  get #meant() {
    return this.#hooks.baseId() ?? (this.#isSettled ? null : this.#settled);
  }

  #take(meant, reading) {
    return this.#hooks.guard(async () => {
      const entries = await reading.catch(unreadable);
      this.#hooks.add(await meant, entries);
    });
  }

  // A reader may go elsewhere, or the base may go, while the browser's dialog is open.
  #connectPicker(buttonId, inputId) {
    const input = byId(inputId);
    let clicked = null;
    byId(buttonId).addEventListener("click", () => {
      clicked = this.#meant;
      input.click();
    });
    input.addEventListener("cancel", () => (clicked = null));
    input.addEventListener("change", () => {
      const entries = pickedFiles(input.files);
      input.value = "";
      this.#take(clicked ?? this.#meant, Promise.resolve(entries));
      clicked = null;
    });
  }
}

// What the browser says of it has no code of ours.
function unreadable(error) {
  throw new ApiError(0, "unreadable_files", error.message);
}
