// One question and its answer: text with citation marks at the ends of what they support, status,
// model, sources, passages. Draws an Answer, whole or still streaming; knows no network.

import { all, el, icon } from "./dom.js";
import { codeText, errorText, formatNumber, reasonText, t } from "./i18n/i18n.js";
import { nearestList, nearestQuotes } from "./nearest.js";
import { pagesText, sourceRow } from "./source_row.js";
import { pieces } from "./spans.js";

// Reasons of answers with words that nothing supports.
const UNSURE = new Set(["unsupported_sentences_dropped", "unverified_sentences", "max_tokens_reached"]);
const LAST_SIGN = /\S\s*$/u;

// `state`: {text, citations, answer (null until done), error, phase (of the work, while nothing is
// written), isStopped, isUnfinished (asked before, and no answer came), isStored, isStreaming}
// `onCite(citation, mark)` when a mark or a source is chosen, also a passage that comes nearest, in the
// shape of a citation; `onRetry()` asks again; `onEdit()`
// gives the words of the question back; `onFull(question)` those of the question as it was read.
export class AnswerView {
  #handlers;
  element = el("article", { class: "turn" });
  #reply = el("div", { class: "reply" });
  #state = null;

  constructor(question, handlers) {
    this.#handlers = handlers;
    this.element.append(
      el("div", { class: "question" }, el("h3", { class: "visually-hidden" }, t("you_asked")), el("p", { class: "question-text", dir: "auto" }, question)),
      this.#reply);
  }

  // What the viewer steps through.
  get citations() {
    return [...(this.#state?.citations ?? []), ...nearestQuotes(this.#state?.answer)];
  }

  get hasAnswer() {
    return Boolean(this.#state?.answer) || Boolean(this.#state?.isStored);
  }

  update(state) {
    this.#state = state;
    const folds = [...this.#reply.querySelectorAll("details")];
    const openIds = folds.length ? folds.filter((fold) => fold.open).map((fold) => fold.dataset.part) : ["sources", "nearest"];
    this.#reply.setAttribute("aria-busy", String(state.isStreaming));
    this.#reply.replaceChildren(...[
      understoodLine(state, this.#handlers),
      statusLine(state),
      this.#text(state),
      el("div", { class: "reply-notes" }, ...notes(state, this.#handlers)),
      state.answer ? nearestList(state.answer, openIds.includes("nearest"), this.#handlers.onCite) : "",
      state.answer ? this.#sources(state.answer, openIds) : "",
      state.answer ? passagesUsed(state.answer, openIds) : "",
      state.answer ? footLine(state.answer) : "",
    ].filter(Boolean));
  }

  relabel() {
    this.element.querySelector("h3").textContent = t("you_asked");
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
    const parts = pieces(text, citations, answer?.highlight ?? null);
    return el("p", { class: "answer-text", dir: "auto" }, parts.flatMap((part) => this.#piece(part)));
  }

  #piece({ text, ids, isAnswer, isUnsupported, marks }) {
    const words = (part, isEnd = true) =>
      el(isAnswer ? "strong" : "span", { class: isAnswer ? "answer-core" : null, "data-supports": ids.length ? ids.join(" ") : null }, isUnsupported ? unsupported(part, isEnd) : part);
    if (!marks.length) return [words(text)];
    // The last sign and its marks stay on one line.
    const tail = LAST_SIGN.exec(text)?.[0] ?? "";
    const head = text.slice(0, text.length - tail.length);
    const kept = el("span", { class: "keep" }, tail ? words(tail) : "", marks.map((citation) => this.#mark(citation)));
    return [head ? words(head, !tail) : "", kept];
  }

  /** @param {Api["CitationBody"]} citation */
  #mark(citation) {
    const label = t("citation_label", { number: citation.number, title: citation.title, pages: pagesText(citation) });
    return el("button", {
      type: "button",
      class: `mark mark-${citation.status}`,
      "data-citation": citation.id,
      "aria-label": citation.status === "unverified" ? `${label} (${t("unverified")})` : label,
      title: citation.cited_text,
      onclick: (event) => this.#handlers.onCite(citation, event.currentTarget),
      onmouseenter: () => this.#hover(citation.id, true),
      onmouseleave: () => this.#hover(citation.id, false),
    }, String(citation.number));
  }

  #hover(citationId, isOver) {
    for (const piece of all(this.#reply, "[data-supports]")) {
      if (piece.dataset.supports.split(" ").includes(citationId)) piece.toggleAttribute("data-hover", isOver);
    }
  }

  /** @param {Api["AnswerBody"]} answer @param {string[]} openIds */
  #sources(answer, openIds) {
    if (!answer.citations.length) return "";
    const rows = answer.citations.map((citation) => sourceRow(citation, this.#handlers.onCite));
    const isOpen = openIds.includes("sources");
    return el("details", { class: "fold", "data-part": "sources", open: isOpen }, el("summary", {}, t("sources", { count: rows.length })), el("ol", { class: "source-list" }, rows));
  }
}

// Words that no cited words say. A reader of the screen hears so behind the last of them.
function unsupported(words, isEnd) {
  return el("span", { class: "unsupported", title: t("unsupported_words") }, words, isEnd ? el("span", { class: "visually-hidden" }, ` (${t("unsupported_words")})`) : "");
}

// How a question was read that left out what it is about.
function understoodLine({ answer }, { onFull }) {
  const understood = /** @type {Api["AnswerBody"]} */ (answer)?.understood;
  if (!understood?.about) return null;
  const { about, question } = understood;
  return el("p", { class: "understood" },
    el("button", { type: "button", class: "quiet-button", title: question, "aria-label": t("understood_label", { about, question }), onclick: () => onFull(question) }, el("bdi", {}, about)));
}

function statusLine({ answer, phase, isStreaming, isStopped, isUnfinished, error }) {
  if (error) return null;
  if (isStopped) return el("p", { class: "status status-stopped" }, t("stopped"));
  if (isUnfinished) return el("p", { class: "status status-stopped" }, t("unfinished"));
  if (isStreaming) return el("p", { class: "status status-streaming" }, phase ? codeText("phase", phase) : t("answering"));
  if (!answer) return null;
  if (answer.reason === "greeting") return el("p", { class: "status" }, codeText("reason", answer.reason));
  if (answer.reason === "document_deleted") return el("p", { class: "status status-stopped" }, icon("alert"), el("span", {}, t("answer_deleted")));
  const reason = answer.reason ? ` — ${codeText("reason", answer.reason)}` : "";
  const symbol = icon(answer.status === "answered" ? "check" : "alert");
  return el("p", { class: `status status-${answer.status}` }, symbol, el("span", {}, codeText("answer", answer.status), reason));
}

function notes({ answer, error, isStopped, isUnfinished }, { onRetry, onEdit }) {
  const again = () => el("div", { class: "again" },
    el("button", { type: "button", class: "plain-button", onclick: onRetry }, t("ask_again")),
    el("button", { type: "button", class: "quiet-button", onclick: onEdit }, t("ask_edited")));
  if (error) return [el("p", { class: "notice notice-bad", role: "alert" }, errorText(error)), again()];
  if (isStopped || isUnfinished) return [again()];
  const unkept = answer?.not_stored ? [el("p", { class: "notice notice-plain" }, t("not_stored", { reason: reasonText({ ...answer.not_stored, details: null }) }))] : [];
  return [...unkept, ...statusNotes(answer)];
}

/** @param {Api["AnswerBody"]} answer */
function statusNotes(answer) {
  if (!answer) return [];
  const unmet = answer.missing.length ? [missingLine(answer.missing)] : [];
  if (answer.status === "refused") return [...unmet, el("p", { class: "meta" }, t(answer.nearest.length ? "refused_near" : "refused_note"))];
  return UNSURE.has(answer.reason) ? [...unmet, el("p", { class: "meta" }, t("partial_note"))] : unmet;
}

const missingLine = (missing) =>
  el("p", { class: "missing" }, t("missing"), missing.flatMap((words) => [" ", el("bdi", { class: "missing-words" }, words)]));

/** @param {Api["AnswerBody"]} answer @param {string[]} openIds */
function passagesUsed({ passages, citations }, openIds) {
  if (!passages?.length) return "";
  const cited = new Set(citations.map((citation) => citation.document_id));
  const rows = passages.map((passage) =>
    el("li", { class: "passage" },
      el("p", { class: "source-title" }, el("span", { class: "passage-number" }, String(passage.number)), el("bdi", {}, passage.title), cited.has(passage.document_id) ? el("span", { class: "tag" }, t("cited")) : null),
      el("p", { class: "passage-text", dir: "auto" }, passage.text)));
  const isOpen = openIds.includes("passages");
  return el("details", { class: "fold", "data-part": "passages", open: isOpen }, el("summary", {}, t("passages_used", { count: passages.length })), el("ol", { class: "passage-list" }, rows));
}

/** @param {Api["AnswerBody"]} answer */
function footLine({ model, timings, usage }) {
  const parts = [el("span", {}, model)];
  if (timings?.total_s !== undefined) parts.push(el("span", {}, t("seconds", { value: formatNumber(Number(timings.total_s.toFixed(2))) })));
  if (usage?.completion_tokens) parts.push(el("span", {}, t("num_tokens", { count: usage.completion_tokens })));
  return el("p", { class: "meta reply-foot" }, parts);
}
