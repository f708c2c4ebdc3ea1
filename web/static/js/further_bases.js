// One question asked of further bases too. Each answers by itself, from its own documents, in a
// conversation of its own; which answers belong together is kept in the browser. Draws them below the
// answer of the base that is open. Knows the ask call through streaming.js.

import { linkTo } from "./address.js";
import { getJson } from "./api.js";
import { AnswerView } from "./answer_view.js";
import { el, oncePerFrame } from "./dom.js";
import { besideOf, keepBeside } from "./drafts.js";
import { errorText, t } from "./i18n/i18n.js";
import { streamAnswer } from "./streaming.js";
import { doneState, EMPTY } from "./thread.js";

/** @typedef {{id: string, name: string}} Base */
/** @typedef {Base & {answerId: string, conversationId: string}} Beside */

export class FurtherBases {
  #hooks;
  /** @type {{base: Base, view: AnswerView, head: HTMLElement}[]} */
  #shown = [];
  /** @type {Map<string, string>} */
  #conversations = new Map(); // base id -> the conversation there that goes with the one shown

  // hooks: {open(base, conversationId) goes there, put(question) gives words back, cite(kbId, view, citation,
  // mark), watch(kbId, answer)}
  constructor(hooks) {
    this.#hooks = hooks;
  }

  clear() {
    this.#shown = [];
    this.#conversations.clear();
  }

  relabel() {
    for (const { base, view, head } of this.#shown) {
      view.relabel();
      head.textContent = t("answer_in_base", { name: base.name });
    }
  }

  // {view, citation} by the name that `AnswerView.nameOf` gives it, or null.
  find(name) {
    for (const { view } of this.#shown) {
      const citation = view.citations.find((one) => view.nameOf(one) === name);
      if (citation) return { view, citation };
    }
    return null;
  }

  // Asks each base; resolves when all are through. `turn`: the element below which they are shown.
  /** @param {Base[]} bases @param {object | undefined} filters */
  async ask(turn, question, bases, filters, signal) {
    const given = withoutDocuments(filters);
    return Promise.all(bases.map((base) => this.#askOne(this.#add(turn, question, base), base, question, given, signal)));
  }

  // Keeps what was answered beside an answer of the base that is open.
  keep(kbId, answerId, made) {
    const kept = made.filter(Boolean);
    if (answerId && kept.length) keepBeside(kbId, answerId, kept);
  }

  // Shows what was answered beside a stored answer.
  async show(turn, question, kbId, answerId, signal) {
    await Promise.all(besideOf(kbId, answerId).map((beside) => this.#showOne(turn, question, beside, signal)));
  }

  /** @param {Base} base */
  async #askOne(view, base, question, filters, signal) {
    const state = { ...EMPTY, isStreaming: true };
    view.update(state);
    const draw = oncePerFrame(() => state.isStreaming && view.update(state));
    try {
      await streamAnswer(base.id, { question, conversation_id: this.#conversations.get(base.id), filters }, state, draw, signal);
    } catch (error) {
      if (signal.aborted) state.isStopped = true;
      else state.error = error;
    }
    state.isStreaming = false;
    view.update(state);
    if (!state.answer) return null;
    this.#conversations.set(base.id, state.answer.conversation_id);
    return { ...base, answerId: state.answer.id, conversationId: state.answer.conversation_id };
  }

  /** @param {Beside} beside */
  async #showOne(turn, question, beside, signal) {
    const view = this.#add(turn, question, beside);
    this.#conversations.set(beside.id, beside.conversationId);
    try {
      /** @type {Api["AuditedAnswerBody"]} */
      const answer = await getJson(`answers/${encodeURIComponent(beside.answerId)}`, {}, signal);
      view.update(doneState(answer, answer.feedback));
    } catch (error) {
      if (!signal.aborted) view.element.replaceChildren(el("p", { class: "meta" }, errorText(error)));
    }
  }

  /** @param {Base} base */
  #add(turn, question, base) {
    const view = new AnswerView(question, this.#handlers(question, base, () => view));
    const open = () => this.#hooks.open(base, this.#conversations.get(base.id) ?? null);
    const head = el("button", { type: "button", class: "quiet-button", onclick: open }, t("answer_in_base", { name: base.name }));
    const part = el("section", { class: "beside", "aria-label": base.name }, el("h3", {}, head), view.element);
    turn.append(part);
    this.#shown.push({ base, view, head });
    return view;
  }

  // As of AnswerView. A base that did not answer is asked again by itself.
  /** @param {Base} base @param {() => AnswerView} view */
  #handlers(question, base, view) {
    const put = () => this.#hooks.put(question);
    return {
      onCite: (citation, mark) => this.#hooks.cite(base.id, view(), citation, mark),
      onLink: (answer) => linkTo(base.id, answer),
      onWatch: (answer) => this.#hooks.watch(base.id, answer),
      onIncident: () => this.#hooks.open(base, this.#conversations.get(base.id) ?? null),
      onRetry: () => this.#askOne(view(), base, question, undefined, new AbortController().signal),
      onEdit: put,
      onAgain: put,
      onFull: (full) => this.#hooks.put(full),
    };
  }
}

// Documents are those of one base; what else narrows a question holds everywhere.
function withoutDocuments(filters) {
  const others = Object.entries(filters ?? {}).filter(([name]) => name !== "document_ids");
  return others.length ? Object.fromEntries(others) : undefined;
}
