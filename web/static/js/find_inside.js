// Looking for words inside the document that the viewer has open: a box, the next place, the one
// before. Knows neither the text nor how it is shown.

import { el, iconButton } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";

export class FindInside {
  #on;
  #words = "";
  #places = [];
  #index = 0;
  #box = /** @type {HTMLInputElement} */ (el("input", { type: "search", autocomplete: "off", "aria-label": t("find_inside"), placeholder: t("find_short") }));
  #label = el("span", { class: "stepper-label", role: "status" });
  element;

  // on: {find(words): promise of places, show(place)}
  constructor(on) {
    this.#on = on;
    const submit = (event) => {
      event.preventDefault();
      this.#go(1);
    };
    this.element = el("form", { class: "find-inside", role: "search", onsubmit: submit }, this.#box, this.#label,
      iconButton("left", t("find_previous"), () => this.#go(-1)), iconButton("right", t("find_next"), () => this.#go(1)));
  }

  async #go(step) {
    const words = this.#box.value.trim();
    if (!words) return;
    try {
      if (words === this.#words) this.#index = (this.#index + step + this.#places.length) % Math.max(1, this.#places.length);
      else await this.#begin(words);
    } catch (error) {
      this.#label.textContent = errorText(error);
      return;
    }
    const count = this.#places.length;
    this.#label.textContent = count ? t("find_place", { index: this.#index + 1, count }) : t("find_none");
    if (count) this.#on.show(this.#places[this.#index]);
  }

  async #begin(words) {
    this.#places = await this.#on.find(words);
    this.#words = words;
    this.#index = 0;
  }
}
