// A small menu that opens beside its button: the browser keeps it above everything and closes it on
// Escape and on a click elsewhere. Knows no meaning of its entries.

import { all, el, focused, iconButton } from "./dom.js";

const GAP = 4;

// entries: [{label, run, isDanger}]; `label` names the button. The menu is in the page only while open.
export function menuButton(label, entries, props = {}, symbol = "more") {
  const button = iconButton(symbol, label, () => open(button, label, entries), { "aria-haspopup": "menu", "aria-expanded": "false", ...props });
  return button;
}

function open(button, label, entries) {
  const items = entries.map(({ label: words, run, isDanger }) =>
    el("button", { type: "button", role: "menuitem", tabindex: "-1", class: isDanger ? "menu-item is-danger" : "menu-item", onclick: () => choose(run) }, words));
  const menu = el("div", { class: "menu", role: "menu", popover: "auto", "aria-label": label }, items);
  const choose = (run) => {
    menu.hidePopover();
    giveBack(button);
    run();
  };
  menu.addEventListener("toggle", (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) return;
    menu.remove();
    giveBack(button);
  });
  menu.addEventListener("keydown", (event) => move(menu, event));
  // Not beside its button: a list that is drawn again meanwhile would take the menu with it.
  (button.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, button);
  items[0].focus();
}

// The keyboard goes back to the button; where that was drawn again meanwhile, to the one in its place.
function giveBack(button) {
  const { key } = button.dataset;
  if (focused() === document.body && key) /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus();
}

// Below its button, beginning where that begins, and inside the window; above it where there is no room below.
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const left = Math.max(GAP, Math.min(at.left, innerWidth - menu.offsetWidth - GAP));
  const below = at.bottom + GAP;
  const top = below + menu.offsetHeight > innerHeight ? at.top - menu.offsetHeight - GAP : below;
  Object.assign(menu.style, { left: `${left}px`, top: `${Math.max(GAP, top)}px` });
}

function move(menu, event) {
  const items = all(menu, "button");
  const at = items.indexOf(focused());
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Tab") menu.hidePopover();
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}
