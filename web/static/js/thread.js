// The turns on the page: questions with their answers, stored ones and those without an answer.
// Knows how a conversation is read back; asking is not its business.

import { errorFrom, getJson } from "./api.js";
import { AnswerView } from "./answer_view.js";
import { byId, clear, el, redraw } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";

const answerPath = (id) => `answers/${encodeURIComponent(id)}`;
export const conversationPath = (id) => `conversations/${encodeURIComponent(id)}`;

export const EMPTY = { text: "", citations: [], answer: null, feedback: null, error: null, phase: null, place: null, aboutS: null, isStopped: false, isUnfinished: false, isStored: false, isStreaming: false };

/** @param {Api["AnswerBody"]} answer */
export const doneState = (answer, feedback = null) => ({ ...EMPTY, text: answer.answer, citations: answer.citations, answer, feedback });

// Applies one event of a streamed answer to its state.
export function take(state, event, data) {
  if (event === "token") state.text += data.text;
  else if (event === "status") Object.assign(state, { phase: data.phase, place: null, aboutS: null, ...("place" in data && { place: data.place, aboutS: data.about_s }) });
  else if (event === "citation") state.citations = [...state.citations, data];
  else if (event === "done") Object.assign(state, doneState(data), { isStreaming: true });
  else if (event === "error") throw errorFrom(0, data);
}

// The turns of a stored conversation, in order: [{question, state}]. An answer that cannot be read
// any more leaves its words, which the conversation has itself. Throws ApiError.
export async function readTurns(conversationId, signal) {
  /** @type {Api["ConversationBody"]} */
  const { messages } = await getJson(conversationPath(conversationId), {}, signal);
  const turns = [];
  for (const { role, content, answer_id: answerId } of messages) {
    if (role === "user") turns.push({ question: content, state: { ...EMPTY, isUnfinished: true } });
    else if (turns.length) Object.assign(turns.at(-1), { answerId, state: { ...EMPTY, text: content, isStored: true } });
  }
  const read = async (turn) => {
    if (!turn.answerId) return;
    /** @type {Api["AuditedAnswerBody"]} */
    const answer = await getJson(answerPath(turn.answerId), {}, signal);
    turn.state = doneState(answer, answer.feedback);
  };
  const forgive = (error) => {
    if (error.code !== "answer_not_found") throw error;
  };
  await Promise.all(turns.map((turn) => read(turn).catch(forgive)));
  return turns;
}

export class Thread {
  #element = byId("thread");
  #views = []; // AnswerView, oldest first

  get size() {
    return this.#views.length;
  }

  // Answers that the service has; what was stopped or failed is not among them.
  get numAnswers() {
    return this.#views.filter((view) => view.hasAnswer).length;
  }

  clear() {
    this.#views = [];
    clear(this.#element);
  }

  // What stands there while there is no turn: how to begin, or why nothing can be shown.
  fill(...nodes) {
    if (!this.#views.length) redraw(this.#element, ...nodes);
  }

  showProblem(error, onRetry) {
    this.fill(
      el("p", { class: "notice notice-bad", role: "alert" }, errorText(error)),
      el("p", { class: "thread-retry" }, el("button", { type: "button", class: "plain-button", onclick: onRetry }, t("try_again"))));
  }

  // handlers as of AnswerView, each called with the view first
  add(question, state, handlers) {
    if (!this.#views.length) clear(this.#element);
    const bound = Object.entries(handlers).map(([name, run]) => [name, (...values) => run(view, ...values)]);
    const view = new AnswerView(question, Object.fromEntries(bound));
    view.update(state);
    this.#views.push(view);
    this.#element.append(view.element);
    return view;
  }

  remove(view) {
    this.#views = this.#views.filter((other) => other !== view);
    view.element.remove();
  }

  // {view, citation} of a citation by the name that `AnswerView.nameOf` gives it, or null.
  find(name) {
    for (const view of this.#views) {
      const citation = view.citations.find((one) => view.nameOf(one) === name);
      if (citation) return { view, citation };
    }
    return null;
  }

  // The view of an answer by its id; without one, undefined.
  viewOf(answerId) {
    return this.#views.find((view) => view.answerId === answerId);
  }

  relabel() {
    for (const view of this.#views) view.relabel();
  }

  // Scrolls the thread alone; scrollIntoView would move the frame around it too.
  bringToTop(view = this.#views.at(-1)) {
    const scroller = byId("thread-scroll");
    if (view) scroller.scrollTop += view.element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 20;
  }
}
