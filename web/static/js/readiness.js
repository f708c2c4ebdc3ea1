// What the service says about itself: which model answers, what a user should know about it, and
// why it is not ready. Every word about a model comes from the service.

import { readiness } from "./api.js";
import { byId, el } from "./dom.js";
import { formatBytes, language, onLanguage, t } from "./i18n/i18n.js";

const RETRY_MS = 2000;

export class Readiness {
  #state = null;
  #notices;
  #onLoaded;

  // `onLoaded()`: something new is known.
  constructor(notices, onLoaded) {
    this.#notices = notices;
    this.#onLoaded = onLoaded;
    onLanguage(() => this.#render());
  }

  async load() {
    this.#state = await readiness();
    this.#render();
    this.#onLoaded();
    if (!isReady(this.#state)) setTimeout(() => this.load(), RETRY_MS);
  }

  #render() {
    this.#renderModel(this.#state?.generator);
    this.#renderLimits(this.#state?.limits);
    this.#notices.set("readiness", this.#trouble(), !this.#state);
  }

  // What a user should know about the generator, in the language of the page; "" when nothing.
  get modelNotice() {
    const generator = this.#state?.generator ?? {};
    return generator[`notice_${language()}`] || generator.notice_en || "";
  }

  #trouble() {
    if (!this.#state) return t("error_network");
    const reasons = reasonsOf(this.#state).join(", ");
    if (isReady(this.#state)) return reasons ? t("degraded", { reasons }) : null;
    return t("not_ready", { reasons });
  }

  #renderModel(generator) {
    const line = byId("model-line");
    if (!generator) {
      line.replaceChildren();
      return;
    }
    const notice = this.modelNotice;
    const name = el("span", { class: "model-name" }, generator.name);
    const label = el("span", { class: "eyebrow" }, t("model"));
    const isOpen = line.querySelector("details")?.open ?? false;
    line.replaceChildren(notice
      ? el("details", { open: isOpen }, el("summary", {}, label, name), el("p", { class: "model-notice" }, notice))
      : el("div", {}, label, name));
  }

  #renderLimits(limits) {
    if (limits?.max_question_chars) byId("question").maxLength = limits.max_question_chars;
    const parts = [];
    if (limits?.accepted?.length) parts.push(limits.accepted.map((suffix) => suffix.replace(".", "").toUpperCase()).join(" · "));
    if (limits?.max_file_bytes) parts.push(t("max_size", { size: formatBytes(limits.max_file_bytes) }));
    byId("drop-hint").textContent = parts.join(" — ") || t("drop_hint");
    if (limits?.accepted?.length) byId("file-input").accept = limits.accepted.join(",");
  }
}

const isReady = (state) => state !== null && state.ready !== false
  && (state.status === "degraded" || (state.status !== "not_ready" && !reasonsOf(state).length));

function reasonsOf(state) {
  const reasons = state.reasons ?? [];
  if (Array.isArray(reasons)) return reasons;
  return Object.entries(reasons).map(([part, reason]) => `${part}: ${reason}`);
}
