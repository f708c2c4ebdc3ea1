// One question and its answer: how it stands, its words, sources, what can be done with it, and the
// details behind a fold. Draws an Answer, whole or still streaming; knows no network.

import { AnswerActions } from "./answer_actions.js";
import { answerBody } from "./answer_body.js";
import { sourceGroups } from "./answer_sources.js";
import { notes, statusLine, understoodLine } from "./answer_status.js";
import { answerTable } from "./answer_table.js";
import { all, el, redraw } from "./dom.js";
import { formatNumber, formatTime, t } from "./i18n/i18n.js";
import { nearestList, nearestQuotes } from "./nearest.js";

// `state`: {text, citations, answer (null until done), feedback, error, phase (of the work, while
// nothing is written), isStopped, isUnfinished (asked before, and no answer came), isStored, isStreaming}
// `onCite(citation, mark)` when a mark or a source is chosen, also a passage that comes nearest, in the
// shape of a citation; `onRetry()` asks again; `onEdit()`
// gives the words of the question back; `onFull(question)` those of the question as it was read;
// `onLink(answer)` tells the address of an answer; `onWatch(answer)` keeps its question; `onIncident(citation)` goes to what it tells of.
export class AnswerView {
  #handlers;
  #actions;
  element = el("article", { class: "turn" });
  #reply = el("div", { class: "reply" });
  #state = null;
  question;

  constructor(question, handlers) {
    this.question = question;
    this.#handlers = handlers;
    this.#actions = new AnswerActions(handlers);
    this.element.append(
      el("div", { class: "question" }, el("h2", { class: "visually-hidden" }, t("you_asked")), el("p", { class: "question-text", dir: "auto" }, question)),
      this.#reply);
  }

  // What the viewer steps through.
  get citations() {
    return [...(this.#state?.citations ?? []), ...nearestQuotes(this.#state?.answer)];
  }

  get hasAnswer() {
    return Boolean(this.#state?.answer) || Boolean(this.#state?.isStored);
  }

  get answerId() {
    return this.#state?.answer?.id ?? null;
  }

  update(state) {
    this.#state = state;
    const { answer } = state;
    if (answer) this.#actions.update(state);
    this.#reply.setAttribute("aria-busy", String(state.isStreaming));
    redraw(this.#reply, ...[
      understoodLine(state, this.#handlers),
      statusLine(state),
      this.#text(state),
      answer ? answerTable(answer, this.#handlers) : "",
      el("div", { class: "reply-notes" }, ...notes(state, this.#handlers)),
      answer ? nearestList(answer, this.#handlers.onCite) : "",
      answer ? sourceGroups(answer, this.#handlers.onCite) : "",
      answer ? this.#actions.element : "",
      answer ? details(answer) : "",
    ].filter(Boolean));
  }

  relabel() {
    this.element.querySelector("h2").textContent = t("you_asked");
    if (this.#state) this.update(this.#state);
  }

  // What a citation is called in an address, null while the answer has no id; ids of citations count
  // from 1 in every answer.
  nameOf(citation) {
    return this.#state?.answer ? `${this.#state.answer.id}.${citation.id}` : null;
  }

  // The button that stands for a citation in the text or among the sources, or null.
  markOf(citationId) {
    return this.#reply.querySelector(`button[data-citation="${CSS.escape(citationId)}"]`);
  }

  // Marks the citation that the viewer shows, and the words of the answer that it supports.
  setCurrent(citationId) {
    for (const mark of all(this.#reply, "[data-citation]")) {
      mark.toggleAttribute("data-current", mark.dataset.citation === citationId);
    }
    for (const piece of all(this.#reply, "[data-supports]")) {
      piece.toggleAttribute("data-current", piece.dataset.supports.split(" ").includes(citationId));
    }
  }

  #text({ text, citations, answer, isStreaming }) {
    if (!text && isStreaming) {
      return el("div", { class: "thinking" }, el("span", { class: "visually-hidden" }, t("answering")), el("i"), el("i"), el("i"));
    }
    return answerBody(text, citations, answer?.highlight ?? null, {
      cite: this.#handlers.onCite,
      hover: (citationId, isOver) => this.#hover(citationId, isOver),
    }, answer?.table?.rows.length > 0);
  }

  #hover(citationId, isOver) {
    for (const piece of all(this.#reply, "[data-supports]")) {
      if (piece.dataset.supports.split(" ").includes(citationId)) piece.toggleAttribute("data-hover", isOver);
    }
  }
}

// What was read for the answer, by what and how long: for who checks, behind one fold.
/** @param {Api["AnswerBody"]} answer */
function details({ passages, citations, model, timings, usage, created_at: at }) {
  const cited = new Set(citations.map((citation) => citation.document_id));
  const rows = passages.map((passage) =>
    el("li", { class: "passage" },
      el("p", { class: "source-title" }, el("span", { class: "passage-number" }, String(passage.number)), el("bdi", {}, passage.title), cited.has(passage.document_id) ? el("span", { class: "tag" }, t("cited")) : null),
      el("p", { class: "passage-text", dir: "auto" }, passage.text)));
  const parts = [formatTime(at), model];
  if (timings.total_s !== undefined) parts.push(t("seconds", { value: formatNumber(Number(timings.total_s.toFixed(2))) }));
  if (usage.completion_tokens) parts.push(t("num_tokens", { count: usage.completion_tokens }));
  return el("details", { class: "fold fold-details", "data-key": "details" },
    el("summary", {}, t("details")),
    el("p", { class: "meta reply-foot" }, parts.map((part) => el("span", {}, part))),
    rows.length ? el("h3", { class: "eyebrow" }, t("passages_used", { count: rows.length })) : "",
    el("ol", { class: "passage-list" }, rows));
}
