// The sidebar of a narrow screen: a drawer over the page.

import { byId } from "./dom.js";

function openDrawer() {
  byId("app").classList.add("with-drawer");
  byId("menu-button").setAttribute("aria-expanded", "true");
  byId("sidebar").querySelector("button").focus();
}

export function closeDrawer() {
  byId("app").classList.remove("with-drawer");
  byId("menu-button").setAttribute("aria-expanded", "false");
}

export function connectDrawer() {
  byId("menu-button").addEventListener("click", openDrawer);
  byId("scrim").addEventListener("click", closeDrawer);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !byId("app").classList.contains("with-drawer")) return;
    closeDrawer();
    byId("menu-button").focus();
  });
}
