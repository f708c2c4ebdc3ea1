// The question box: typing, sending, the words kept while they are not sent, what was refused.
// Knows nothing of the ask call.

import { byId, show } from "./dom.js";
import { draftOf, keepDraft } from "./drafts.js";
import { problemParts } from "./error_view.js";
import { onLanguage, t } from "./i18n/i18n.js";
import { Scope } from "./scope.js";
import { numPoints } from "./spans.js";

const NEARLY = 0.9; // of the limit: from here on the characters are counted

export class Composer {
  #box = byId("question");
  #kbId = null;
  #maxChars = null;
  #error = null;
  #scope;

  // `onSubmit(text)` when the reader sends; `onStop()` when an answer shall end; `guard(run)` runs
  // what may fail.
  constructor({ onSubmit, onStop, guard }) {
    this.#scope = new Scope(guard);
    const send = () => onSubmit(this.#box.value);
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    this.#box.addEventListener("keydown", (event) => {
      // An input method uses Enter to choose a word: that Enter must not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      send();
    });
    this.#box.addEventListener("input", () => this.#changed());
    byId("stop").addEventListener("click", onStop);
    onLanguage(() => this.#draw());
  }

  // Another base: what was typed for it stands there again.
  enter(kbId) {
    this.#kbId = kbId;
    this.#box.value = kbId ? draftOf(kbId) : "";
    this.#error = null;
    this.#scope.enter(kbId);
    this.#draw();
  }

  // Of the next question; undefined when everything is asked.
  get filters() {
    return this.#scope.filters;
  }

  // Further bases of the next question.
  get bases() {
    return this.#scope.bases;
  }

  askOnly(docs) {
    this.#scope.only(docs);
    this.focus();
  }

  limit(maxChars) {
    this.#maxChars = maxChars;
    this.#draw();
  }

  isTooLong(text) {
    return this.#maxChars !== null && numPoints(text) > this.#maxChars;
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  // Puts words into the box for the reader to change, behind what is being written there.
  put(text) {
    const typed = this.#box.value.trim();
    this.#box.value = typed && typed !== text ? `${typed}\n${text}` : text;
    this.#changed();
    this.focus();
  }

  clear() {
    this.#box.value = "";
    this.#changed();
  }

  // The service did not take the question: its words go back into the box with the reason.
  refuse(text, error) {
    this.put(text);
    this.#error = error;
    this.#draw();
  }

  setAsking(isAsking) {
    const hadFocus = [byId("send"), byId("stop"), document.body].includes(document.activeElement);
    show(byId("send"), !isAsking);
    show(byId("stop"), isAsking);
    if (hadFocus) byId(isAsking ? "stop" : "question").focus({ preventScroll: true });
  }

  #changed() {
    this.#error = null;
    if (this.#kbId) keepDraft(this.#kbId, this.#box.value);
    this.#draw();
  }

  #draw() {
    const problem = byId("composer-problem");
    problem.replaceChildren(...(this.#error ? problemParts(this.#error) : []));
    show(problem, this.#error !== null);
    const count = numPoints(this.#box.value.trim());
    const isCounted = this.#maxChars !== null && count > this.#maxChars * NEARLY;
    const hint = byId("composer-hint");
    hint.textContent = isCounted ? t("question_chars", { count, max: this.#maxChars }) : t("question_hint");
    hint.classList.toggle("is-counted", isCounted);
    hint.classList.toggle("is-over", isCounted && count > this.#maxChars);
  }
}
