// Asking: the streamed reply, stopping, going on with a conversation, and what became of a question
// that has no answer. Knows the ask call and its events; turns draw themselves (thread.js).

import { linkTo } from "./address.js";
import { serverNow } from "./api.js";
import { Composer } from "./composer.js";
import { announce, byId, oncePerFrame, show } from "./dom.js";
import { askedOf, forgetAsked, forgetConversation, keepAsked, nameConversation } from "./drafts.js";
import { FurtherBases } from "./further_bases.js";
import { t } from "./i18n/i18n.js";
import { storedSince, streamAnswer } from "./streaming.js";
import { Suggestions } from "./suggestions.js";
import { EMPTY, readTurns, Thread } from "./thread.js";
import { teaching } from "./welcome.js";

const SEEN_EVERY_MS = 5000;
const GONE = "conversation_not_found";
const BROKEN = new Set(["network", "cut_off"]); // what the service did with the question is not known

export class Ask {
  #base = null;
  #conversationId = null;
  #thread = new Thread();
  #composer = new Composer({ onSubmit: (text) => this.#submit(text), onStop: () => this.#stops?.abort(), guard: (run) => this.#hooks.guard(run) });
  #stops = null; // of the answer that streams
  #loading = new AbortController(); // aborted when what is shown is left
  #running = Promise.resolve();
  #further = new FurtherBases({
    open: (base, id) => this.#hooks.openElsewhere(base, id),
    put: (text) => this.#composer.put(text),
    cite: (...cited) => this.#hooks.cite(...cited),
    watch: (kbId, answer) => this.#hooks.watch(kbId, answer),
  });
  #suggestions = new Suggestions(() => this.showTeaching());
  #hooks;

  // hooks: {cite(kbId, view, citation, mark), incident(kbId, citation), watch(kbId, answer), answered(kbId, conversationId), begin(kbId),
  // openElsewhere(base, conversationId), gone(kbId, conversationId), found(kbId, conversationId), hasDocuments(), present() the base as it is now, demo(), openBase(base),
  // openDocuments(), modelNotice(), guard(run)}
  constructor(hooks) {
    this.#hooks = hooks;
    byId("new-conversation").addEventListener("click", () => this.#base && hooks.begin(this.#base.id));
  }

  relabel() {
    this.#thread.relabel();
    this.#further.relabel();
    this.showTeaching();
  }

  limit(maxChars) {
    this.#composer.limit(maxChars);
  }

  // In what is asked, as filters of a call; undefined: in everything.
  get filters() {
    return this.#composer.filters;
  }

  // From now on only these documents are asked.
  askOnly(docs) {
    this.#composer.askOnly(docs);
  }

  // Brings an answer of the conversation to the top.
  showAnswer(id) {
    this.#thread.bringToTop(this.#thread.viewOf(id));
  }

  find(quote) {
    return this.#thread.find(quote) ?? this.#further.find(quote);
  }

  // Shows a conversation of a base; null is one that begins. The one that is shown stays as it is.
  async open(base, conversationId) {
    if (base?.id === this.#base?.id && conversationId === this.#conversationId) return;
    await this.#load(base, conversationId);
  }

  // A conversation without any turn yet; none in a base that is left while an answer is stopped.
  async begin(kbId) {
    this.#stops?.abort();
    await this.#running;
    forgetConversation(kbId, null);
    if (kbId !== this.#base?.id) return;
    await this.#load(this.#base, null);
    announce(t("conversation_begun"));
    this.#composer.focus();
  }

  async #load(base, conversationId) {
    this.#stops?.abort();
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    if (base?.id !== this.#base?.id) this.#composer.enter(base?.id ?? null);
    this.#base = base;
    this.#conversationId = conversationId;
    this.#thread.clear();
    this.#further.clear();
    this.#showBegin();
    if (!base) return;
    try {
      const turns = conversationId ? await readTurns(conversationId, signal) : [];
      if (!signal.aborted) await this.#show(base, turns, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.code === GONE) this.#hooks.gone(base.id, conversationId);
      else this.#thread.showProblem(error, () => this.#load(base, conversationId));
    }
  }

  async #show(base, turns, signal) {
    const unfinished = [];
    for (const asked of askedOf(base.id, this.#conversationId)) {
      const isStored = turns.slice(asked.numBefore).some((turn) => turn.answerId && turn.question === asked.question);
      if (isStored) forgetAsked(base.id, asked.id);
      else unfinished.push(asked);
    }
    turns.forEach((turn, index) => {
      for (const asked of unfinished.filter(({ numBefore }) => numBefore === index)) this.#addAsked(asked);
      const { element } = this.#add(turn.question, turn.state);
      if (turn.answerId) this.#further.show(element, turn.question, base.id, turn.answerId, signal);
    });
    for (const asked of unfinished.filter(({ numBefore }) => numBefore >= turns.length)) this.#addAsked(asked);
    this.#thread.bringToTop();
    this.showTeaching();
    if (this.#conversationId) return;
    const found = await storedSince(base.id, unfinished.at(-1), signal);
    if (!found) return;
    forgetAsked(base.id, unfinished.at(-1).id);
    this.#hooks.found(base.id, found.id);
  }

  // The empty thread shows what one can ask; called again when the documents or what is suggested
  // change, and when the reader comes back to it.
  showTeaching(areOthers = false) {
    if (areOthers) this.#suggestions.outdate();
    if (!this.#base || this.#thread.size || this.#conversationId || byId("panel-ask").hidden) return;
    this.#thread.fill(teaching(this.#base, this.#suggestions.of(this.#hooks.present() ?? this.#base), { ask: (text) => this.#submit(text), ...this.#hooks }));
  }

  #showBegin() {
    show(byId("new-conversation"), this.#conversationId !== null || this.#thread.size > 0);
  }

  #addAsked(asked) {
    return this.#add(asked.question, { ...EMPTY, isUnfinished: true, isStopped: asked.isStopped }, asked);
  }

  // `asked`: how the question is kept while it has no answer.
  #add(question, state, asked = null) {
    const kbId = this.#base.id;
    const leave = (view) => {
      if (asked) forgetAsked(kbId, asked.id);
      this.#thread.remove(view);
      this.#showBegin();
      this.showTeaching();
    };
    const view = this.#thread.add(question, state, {
      onCite: (from, citation, mark) => this.#hooks.cite(kbId, from, citation, mark),
      onRetry: (from) => {
        if (this.#stops) return;
        leave(from);
        this.#submit(question);
      },
      onEdit: (from) => {
        leave(from);
        this.#composer.put(question);
      },
      onFull: (_from, full) => this.#composer.put(full),
      onLink: (_from, answer) => linkTo(kbId, answer),
      onAgain: () => this.#composer.put(question),
      onWatch: (_from, answer) => this.#hooks.watch(kbId, answer),
      onIncident: (_from, citation) => this.#hooks.incident(kbId, citation),
    });
    this.#showBegin();
    return view;
  }

  async #submit(text) {
    const question = text.trim();
    if (!question || !this.#base || this.#stops || this.#composer.isTooLong(question)) {
      this.#composer.focus();
      return;
    }
    this.#composer.clear();
    this.#running = this.#ask(question);
    await this.#running;
  }

  async #ask(question) {
    const base = this.#base;
    const here = this.#loading.signal;
    const asked = { id: `${Date.now()}-${Math.random()}`, question, conversationId: this.#conversationId, numBefore: this.#thread.numAnswers, at: serverNow(), isAsking: true, isStopped: false };
    const state = { ...EMPTY, isStreaming: true };
    const view = this.#add(question, state, asked);
    const stops = new AbortController();
    this.#stops = stops;
    this.#composer.setAsking(true);
    announce(t("answering"));
    this.#thread.bringToTop(view);
    keepAsked(base.id, asked);
    const seen = setInterval(() => keepAsked(base.id, asked), SEEN_EVERY_MS);
    const filters = this.#composer.filters;
    const beside = this.#further.ask(view.element, question, this.#composer.bases, filters, stops.signal);
    try {
      const draw = oncePerFrame(() => state.isStreaming && view.update(state));
      await streamAnswer(base.id, { question, conversation_id: asked.conversationId ?? undefined, filters }, state, draw, stops.signal);
    } catch (error) {
      if (stops.signal.aborted) state.isStopped = true;
      else state.error = error;
    }
    clearInterval(seen);
    state.isStreaming = false;
    view.update(state);
    if (state.answer) this.#answered(base, asked, state.answer, !here.aborted);
    else this.#unanswered(base, asked, view, state, !here.aborted);
    this.#further.keep(base.id, state.answer?.id, await beside);
    this.#stops = null;
    this.#composer.setAsking(false);
    if (!here.aborted) announce(t(state.isStopped ? "stopped" : state.error ? "answer_failed" : "answer_ready"));
  }

  #answered(base, asked, answer, isHere) {
    forgetAsked(base.id, asked.id);
    if (asked.conversationId === null) nameConversation(base.id, answer.conversation_id);
    if (!isHere) return;
    this.#conversationId = answer.conversation_id;
    this.#hooks.answered(base.id, answer.conversation_id);
  }

  // The words of a question that was refused go back into the box; what broke off stays in the
  // thread. A reader who went elsewhere finds it there: it may still be answered.
  #unanswered(base, asked, view, state, isHere) {
    const isRefused = state.text === "" && state.error?.code && !BROKEN.has(state.error.code);
    if (isRefused && isHere) {
      forgetAsked(base.id, asked.id);
      this.#thread.remove(view);
      this.#showBegin();
      this.showTeaching();
      this.#composer.refuse(asked.question, state.error);
      if (state.error.code === GONE) this.#hooks.gone(base.id, asked.conversationId);
    } else {
      const isAsking = !isHere && state.isStopped;
      keepAsked(base.id, { ...asked, isAsking, isStopped: state.isStopped && isHere });
    }
  }
}
