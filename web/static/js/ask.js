// Asking: the composer, the streamed reply, stopping, going on with a conversation.
// Knows the ask call and its events; an answer draws itself (answer_view.js).

import { basePath, errorFrom, getJson, send } from "./api.js";
import { AnswerView } from "./answer_view.js";
import { announce, byId, el, show } from "./dom.js";
import { errorText, onLanguage, t } from "./i18n/i18n.js";
import { readEvents } from "./sse.js";
import { teaching } from "./welcome.js";

const conversationItem = (kbId) => `kb.conversation.${kbId}`;

export class Ask {
  #base = null;
  #conversationId = null;
  #turns = []; // AnswerView, oldest first
  #stops = null;
  #hooks;

  // hooks: {cite(view, citation, mark), hasDocuments(), demo(), openBase(base), openDocuments(),
  // modelNotice()}
  constructor(hooks) {
    this.#hooks = hooks;
    const question = byId("question");
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(question.value);
    });
    question.addEventListener("keydown", (event) => {
      // An input method uses Enter to choose a word: that Enter must not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit(question.value);
    });
    byId("stop").addEventListener("click", () => this.#stops?.abort());
    byId("new-conversation").addEventListener("click", () => this.#begin());
    onLanguage(() => {
      for (const view of this.#turns) view.relabel();
      this.showTeaching();
    });
  }

  async choose(base) {
    this.#stops?.abort();
    this.#base = base;
    this.#reset();
    if (base) await this.#restore();
    this.showTeaching();
  }

  // The empty thread shows what one can ask; called again when the documents change.
  showTeaching() {
    if (!this.#base || this.#turns.length) return;
    const ask = (text) => this.#submit(text);
    byId("thread").replaceChildren(teaching(this.#base, { ask, ...this.#hooks }));
  }

  #reset() {
    this.#turns = [];
    this.#conversationId = null;
    byId("thread").replaceChildren();
    show(byId("new-conversation"), false);
  }

  #begin() {
    this.#stops?.abort();
    sessionStorage.removeItem(conversationItem(this.#base.id));
    this.#reset();
    this.showTeaching();
    announce(t("conversation_begun"));
    byId("question").focus();
  }

  #remember(conversationId) {
    this.#conversationId = conversationId;
    sessionStorage.setItem(conversationItem(this.#base.id), conversationId);
  }

  // After a reload the conversation of this tab stands there again.
  async #restore() {
    const base = this.#base;
    const id = sessionStorage.getItem(conversationItem(base.id));
    if (!id) return;
    try {
      const { messages } = await getJson(`conversations/${encodeURIComponent(id)}`);
      const ids = messages.map((message) => message.answer_id).filter(Boolean);
      const answers = await Promise.all(ids.map((answerId) => getJson(`answers/${encodeURIComponent(answerId)}`)));
      if (base !== this.#base || this.#turns.length) return;
      const questions = messages.filter((message) => message.role === "user").map((message) => message.content);
      answers.forEach((answer, index) => this.#addTurn(questions[index] ?? "").update(doneState(answer)));
      this.#conversationId = id;
    } catch {
      sessionStorage.removeItem(conversationItem(base.id));
    }
  }

  #addTurn(question) {
    if (!this.#turns.length) byId("thread").replaceChildren();
    const view = new AnswerView(question, {
      onCite: (citation, mark) => this.#hooks.cite(view, citation, mark),
      onRetry: () => this.#submit(question),
    });
    this.#turns.push(view);
    byId("thread").append(view.element);
    show(byId("new-conversation"), true);
    return view;
  }

  async #submit(text) {
    const question = text.trim();
    if (!question || this.#stops) {
      byId("question").focus();
      return;
    }
    byId("question").value = "";
    const view = this.#addTurn(question);
    this.#setAsking(true);
    announce(t("answering"));
    const stops = new AbortController();
    this.#stops = stops;
    const state = { text: "", citations: [], answer: null, error: null, isStopped: false, isStreaming: true };
    view.update(state);
    bringToTop(view.element);
    try {
      await this.#stream(question, view, state, stops.signal);
      if (!state.answer) throw new Error(t("error_cut_off"));
    } catch (error) {
      if (stops.signal.aborted) state.isStopped = true;
      else state.error = errorText(error);
    }
    state.isStreaming = false;
    view.update(state);
    announce(t(state.isStopped ? "stopped" : state.error ? "answer_failed" : "answer_ready"));
    this.#stops = null;
    this.#setAsking(false);
  }

  async #stream(question, view, state, signal) {
    const base = this.#base;
    const body = { question, stream: true };
    if (this.#conversationId) body.conversation_id = this.#conversationId;
    const response = await send("POST", `${basePath(base.id)}/ask`, { body, signal, accept: "text/event-stream" });
    const draw = oncePerFrame(() => state.isStreaming && view.update(state));
    for await (const { event, data } of readEvents(response)) {
      take(state, event, JSON.parse(data));
      draw();
    }
    if (state.answer?.conversation_id && base === this.#base) this.#remember(state.answer.conversation_id);
  }

  #setAsking(isAsking) {
    const hadFocus = [byId("send"), byId("stop"), document.body].includes(document.activeElement);
    show(byId("send"), !isAsking);
    show(byId("stop"), isAsking);
    if (hadFocus) byId(isAsking ? "stop" : "question").focus({ preventScroll: true });
  }
}

// Applies one event of a streamed answer to its state.
function take(state, event, data) {
  if (event === "token") state.text += data.text;
  else if (event === "citation") state.citations = [...state.citations, data];
  else if (event === "done") Object.assign(state, { answer: data, text: data.answer, citations: data.citations });
  else if (event === "error") throw errorFrom(0, data.error ? data : { error: data });
}

function doneState(answer) {
  return { text: answer.answer, citations: answer.citations, answer, error: null, isStopped: false, isStreaming: false };
}

// Scrolls the thread alone; scrollIntoView would move the frame around it too.
function bringToTop(element) {
  const scroller = byId("thread-scroll");
  scroller.scrollTop += element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 20;
}

function oncePerFrame(run) {
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
