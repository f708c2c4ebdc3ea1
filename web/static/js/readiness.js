// What the service says about itself: which model answers, what a user should know about it, what
// it accepts, and why it is not ready or works with less. Asked again, so that what heals goes; by the
// clock where the service does not tell of it.

import { getJson, readiness } from "./api.js";
import { byId, clear, el, redraw } from "./dom.js";
import { isTold } from "./live.js";
import { answersBy } from "./models_view.js";
import { codeText, formatBytes, language, onLanguage, reasonText, t } from "./i18n/i18n.js";

const TROUBLED_MS = 2000;
const DEGRADED_MS = 5000;
const WELL_MS = 30000;

export class Readiness {
  /** @type {Api["ReadinessBody"]} */
  #state = null;
  /** @type {Api["LimitsBody"]} */
  #limits = null;
  #notices;
  #hooks;
  #timer = 0;
  #isKnown = false; // whether it was asked before

  // hooks: {loaded(): something new is known; limits(limits)}
  constructor(notices, hooks) {
    this.#notices = notices;
    this.#hooks = hooks;
    onLanguage(() => this.#render());
    for (const turn of ["offline", "online", "eventslost"]) addEventListener(turn, () => this.load());
  }

  async load() {
    clearTimeout(this.#timer);
    const wasAway = this.#isKnown && !this.#state;
    const before = JSON.stringify(this.#state?.generator);
    if (!document.hidden || !this.#state) this.#state = await readiness();
    if (!this.#limits && this.#state) await this.#loadLimits();
    this.#isKnown = true;
    if (wasAway && this.#state) dispatchEvent(new Event("serviceback"));
    this.#render();
    if (JSON.stringify(this.#state?.generator) !== before) this.#hooks.loaded();
    clearTimeout(this.#timer);
    this.#plan();
  }

  // What was well is not asked again while the service would tell that it is not. An answer while the
  // computer is offline may be the last that came through, or come from this computer itself.
  #plan() {
    const isWell = this.#state?.status === "ready" && navigator.onLine;
    const known_ms = navigator.onLine && { ready: WELL_MS, degraded: DEGRADED_MS }[this.#state?.status];
    const wait_ms = known_ms || TROUBLED_MS;
    this.#timer = setTimeout(() => (isWell && isTold() ? this.#plan() : this.load()), wait_ms);
  }

  // Without them nothing is told beforehand; the service holds its limits all the same.
  async #loadLimits() {
    try {
      this.#limits = await getJson("limits");
      this.#hooks.limits(this.#limits);
    } catch (error) {
      console.info(`limits: ${error.message}`);
    }
  }

  #render() {
    this.#renderModel(this.#state?.generator);
    this.#renderLimits();
    this.#notices.set("readiness", this.#trouble(), { isBad: !this.#state });
    const state = this.#state;
    const code = state?.codes.storage;
    const say = code ? () => reasonOf(state, "storage") : null;
    this.#notices.set("storage", say, { isBad: code !== "disk_low" });
  }

  // What a user should know about the generator, in the language of the page; "" when nothing.
  get modelNotice() {
    const generator = this.#state?.generator;
    if (!generator) return "";
    return { en: generator.notice_en, zh: generator.notice_zh }[language()] || generator.notice_en;
  }

  #trouble() {
    const state = this.#state;
    if (!state) return () => t(navigator.onLine ? "error_network" : "offline");
    const parts = Object.keys(state.reasons).filter((part) => part !== "storage");
    if (state.status === "ready" || !parts.length) return null;
    const named = (part) => t("part_reason", { part: codeText("part", part), reason: reasonOf(state, part) });
    return () => t(state.status, { reasons: parts.map(named).join(t("list_comma")) });
  }

  /** @param {Api["GeneratorBody"]} generator */
  #renderModel(generator) {
    const line = byId("model-line");
    if (!generator) {
      clear(line);
      return;
    }
    const notice = this.modelNotice;
    const name = el("span", { class: "model-name" }, answersBy(generator));
    const label = el("span", { class: "eyebrow" }, t("model"));
    const called = el("p", {}, t("model_called"), " ", el("bdi", {}, generator.name));
    redraw(line, el("details", { "data-key": "model" }, el("summary", {}, label, name),
      el("div", { class: "model-notice" }, called, notice && el("p", {}, notice))));
  }

  #renderLimits() {
    const limits = this.#limits;
    if (!limits) {
      byId("drop-hint").textContent = t("drop_hint");
      return;
    }
    byId("drop-hint").textContent = `${t("drop_hint")} — ${t("max_size", { size: formatBytes(limits.max_file_bytes) })}`;
    byId("file-input").accept = limits.accepted_suffixes.join(",");
  }
}

// Why a part is not as it should be, in the language of the page; "loading" says it all.
/** @param {Api["ReadinessBody"]} state @param {string} part */
function reasonOf({ reasons, codes }, part) {
  const code = codes[part];
  return reasonText({ code, message: code === "loading" ? "" : reasons[part], details: null });
}
