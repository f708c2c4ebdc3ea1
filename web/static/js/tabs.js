// The views as tabs: arrow keys move, only the chosen one is in the tab order.

import { byId, show } from "./dom.js";

export const NAMES = ["ask", "search", "documents", "incidents", "watches", "setup"];

const MARGIN = 16; // pixels

export class Tabs {
  #onChosen;

  // `onChosen(name)`: the reader chose a view.
  constructor(onChosen) {
    this.#onChosen = onChosen;
    NAMES.forEach((name, index) => {
      byId(`tab-${name}`).addEventListener("click", () => onChosen(name));
      byId(`tab-${name}`).addEventListener("keydown", (event) => this.#move(event, index));
    });
  }

  choose(name) {
    for (const other of NAMES) {
      const isChosen = other === name;
      byId(`tab-${other}`).setAttribute("aria-selected", String(isChosen));
      byId(`tab-${other}`).tabIndex = isChosen ? 0 : -1;
      show(byId(`panel-${other}`), isChosen);
    }
    this.#reveal(name);
  }

  // A phone shows some of them; the chosen one is among these.
  #reveal(name) {
    const [bar, tab] = [byId("tabs"), byId(`tab-${name}`)];
    const right = tab.offsetLeft + tab.offsetWidth - bar.offsetLeft;
    if (right > bar.scrollLeft + bar.clientWidth) bar.scrollLeft = right - bar.clientWidth + MARGIN;
    else if (tab.offsetLeft - bar.offsetLeft < bar.scrollLeft) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - MARGIN;
  }

  // Without a base there is nothing to ask and nothing to list.
  enable(isEnabled) {
    show(byId("tabs"), isEnabled);
    for (const name of NAMES) {
      const isChosen = byId(`tab-${name}`).getAttribute("aria-selected") === "true";
      show(byId(`panel-${name}`), isEnabled && isChosen);
      if (isEnabled && isChosen) this.#reveal(name);
    }
  }

  #move(event, index) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const name = NAMES[(index + step + NAMES.length) % NAMES.length];
    this.#onChosen(name);
    byId(`tab-${name}`).focus();
  }
}
