// Building blocks of the page: elements, icons, announcements. Text enters the page as text nodes
// only; nothing here reads markup from a string. Knows nothing of the API.

const ICONS = {
  plus: ["M12 5v14M5 12h14"],
  menu: ["M4 7h16M4 12h16M4 17h16"],
  pencil: ["M4 20l1-4L16 5l3 3L8 19z", "M14 7l3 3"],
  trash: ["M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13", "M10 11v5M14 11v5"],
  upload: ["M12 15V4M7.5 8.5L12 4l4.5 4.5", "M4 15v5h16v-5"],
  download: ["M12 4v11M7.5 10.5L12 15l4.5-4.5", "M4 19.5h16"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.3 15.3L20 20"],
  send: ["M12 19V5M6 11l6-6 6 6"],
  stop: ["M7 7h10v10H7z"],
  refresh: ["M19 12a7 7 0 1 1-2.2-5.1", "M19 4v4h-4"],
  history: ["M5 12a7 7 0 1 0 2.2-5.1", "M5 4v4h4", "M12 8v4.5l3 2"],
  close: ["M6 6l12 12M18 6L6 18"],
  left: ["M14.5 5.5L8 12l6.5 6.5"],
  right: ["M9.5 5.5L16 12l-6.5 6.5"],
  zoom_in: ["M12 6v12M6 12h12"],
  zoom_out: ["M6 12h12"],
  more: ["M5 12h.01M12 12h.01M19 12h.01"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  link: ["M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7", "M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7L12 17"],
  thumb_up: ["M7 11v9H4v-9zM7 11l4-8c1.6 0 2.6 1.2 2.3 2.8L12.8 9H18a2 2 0 0 1 2 2.4l-1.3 6.8A2.2 2.2 0 0 1 16.5 20H7"],
  thumb_down: ["M17 13V4h3v9zM17 13l-4 8c-1.6 0-2.6-1.2-2.3-2.8l.5-3.2H6a2 2 0 0 1-2-2.4l1.3-6.8A2.2 2.2 0 0 1 7.5 4H17"],
  filter: ["M4 6h16M7 12h10M10 18h4"],
  incident: ["M5 4h14v16H5z", "M9 9h6M9 13h6M9 17h3"],
  watch: ["M6 16V11a6 6 0 0 1 12 0v5l2 2H4z", "M10 20.5h4"],
  pause: ["M8.5 6v12M15.5 6v12"],
  play: ["M8 5.5l11 6.5-11 6.5z"],
  columns: ["M4 5h16v14H4z", "M4 10h16M10 5v14"],
  alert: ["M12 4l9 16H3z", "M12 10v4M12 17v.5"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
};
const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const shape of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

// Whether a value of a table is one word of figures or Latin letters, as a date or a number of a case is:
// it is not broken at its hyphens.
export const isOneWord = (value) => /^[!-~]{1,16}$/.test(value);

// el("button", {class: "x", onclick: fn, "aria-label": "y"}, child, "text", null)
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => ![null, undefined, false, ""].includes(child)));
  return node;
}

export function iconButton(name, label, onclick, props = {}) {
  const button = { class: "icon-button", type: "button", "aria-label": label, title: label, onclick };
  return el("button", { ...button, ...props }, icon(name));
}

// What kind of element an id names is index.html's to know.
/** @type {(id: string) => any} */
export const byId = (id) => document.getElementById(id);

/** @type {() => HTMLElement} */
export const focused = () => /** @type {HTMLElement} */ (document.activeElement);

// The elements inside `root` that a selector finds, in order.
/** @type {(root: ParentNode, selector: string) => HTMLElement[]} */
export const all = (root, selector) => [...root.querySelectorAll(selector)].map((node) => /** @type {HTMLElement} */ (node));

export function show(node, visible) {
  node.hidden = !visible;
}

// Fills placeholders of index.html such as <span data-icon="send">.
export function placeIcons(root) {
  for (const node of all(root, "[data-icon]")) {
    if (!node.firstElementChild) node.append(icon(node.dataset.icon));
  }
}

// Says a short message to screen readers; the same text twice is spoken twice.
export function announce(text) {
  const line = el("p", {}, text);
  byId("announcer").replaceChildren(line);
}

export function debounce(run, wait_ms) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), wait_ms);
  };
}

// However often it is called, `run` runs once before the next picture is drawn.
export function oncePerFrame(run) {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      run();
    });
  };
}

// Puts other elements into a place, which stays where it was scrolled to. Folds stay open or closed and the
// keyboard stays where it was, known by their data-key. While something in the place is pressed it
// waits: the click would be lost.
/** @param {HTMLElement} root @param {...(Node | string)} nodes */
export function redraw(root, ...nodes) {
  if (pressed && root.contains(pressed)) return void waiting.set(root, nodes);
  waiting.delete(root);
  const had = root.contains(focused()) ? /** @type {HTMLElement | null} */ (focused().closest("[data-key]")) : null;
  const keyed = (name) => all(root, `[data-key="${CSS.escape(name)}"]`);
  const at = had && keyed(had.dataset.key).indexOf(had); // a citation may stand in several places
  const folds = new Map(all(root, "details[data-key]").map((fold) => [fold.dataset.key, fold.hasAttribute("open")]));
  const top = root.scrollTop;
  root.replaceChildren(...nodes);
  root.scrollTop = top;
  for (const [name, isOpen] of folds) keyed(name)[0]?.toggleAttribute("open", isOpen);
  const again = had && keyed(had.dataset.key)[at];
  if (again) (again.matches("details") ? again.querySelector("summary") : again).focus();
}

// Empties a place at once; what waited for it comes no more.
/** @param {HTMLElement} root */
export function clear(root) {
  waiting.delete(root);
  root.replaceChildren();
}

const CLICK_WITHIN_MS = 300;

/** @type {Node | null} */
let pressed = null;
/** @type {Map<HTMLElement, (Node | string)[]>} */
const waiting = new Map(); // what comes into a place when nothing in it is pressed any more

function letGo() {
  pressed = null;
  for (const [root, nodes] of [...waiting]) redraw(root, ...nodes);
}

let unpressing = 0;
addEventListener("pointerdown", ({ target }) => {
  clearTimeout(unpressing);
  pressed = /** @type {Node} */ (target);
}, true);
// The click comes after the button is up (of a finger a while after), and what it calls may draw.
addEventListener("click", () => {
  clearTimeout(unpressing);
  pressed = null;
  unpressing = setTimeout(letGo);
}, true);
addEventListener("pointerup", () => (unpressing = setTimeout(letGo, CLICK_WITHIN_MS)), true);
addEventListener("pointercancel", letGo, true);

// True for a row that a list shows whole, and for one that is not there yet.
export function isInView(row, list) {
  if (!row) return true;
  const [inner, outer] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  return inner.top >= outer.top && inner.bottom <= outer.bottom;
}
