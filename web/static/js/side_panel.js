// A dialog that is a side panel on wide screens and modal on narrow ones, and changes over when the
// window crosses the width. Knows nothing of what it shows.

import { byId } from "./dom.js";

const WIDE = matchMedia("(min-width: 900px)");

export class SidePanel {
  #dialog;
  #isMoving = false;

  // `closed()`: the reader closed it
  constructor(dialog, closed) {
    this.#dialog = dialog;
    dialog.addEventListener("close", () => {
      if (this.#isMoving) this.#isMoving = false;
      else {
        byId("app").classList.remove("with-viewer");
        closed();
      }
    });
    addEventListener("keydown", (event) => {
      // A modal closes by itself; the side panel needs this.
      if (event.key === "Escape" && dialog.open && !document.querySelector("dialog:modal")) this.close();
    });
    WIDE.addEventListener("change", () => this.#moveAcross());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  // Whether it leaves what is beside it in reach.
  get isBeside() {
    return WIDE.matches;
  }

  open() {
    if (this.#dialog.open) return;
    if (WIDE.matches) this.#dialog.show();
    else this.#dialog.showModal();
    byId("app").classList.toggle("with-viewer", WIDE.matches);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #moveAcross() {
    if (!this.#dialog.open) return;
    this.#isMoving = true;
    this.#dialog.close();
    this.open();
  }
}
