// What a reader does with an answer: copy it with its references, link to it, keep asking it, rate it with a word of
// why. Draws the row of buttons and the note; knows the feedback call.

import { getBlob, sendJson } from "./api.js";
import { answerMarkdown, fileName } from "./answer_text.js";
import { copyText, saveFile } from "./clipboard.js";
import { announce, el, iconButton, redraw } from "./dom.js";
import { errorText, t } from "./i18n/i18n.js";
import { menuButton } from "./menu.js";

const RATINGS = [["up", "thumb_up"], ["down", "thumb_down"]];

// Kept over redraws of its answer, so that a comment in the making is not lost.
export class AnswerActions {
  #handlers;
  #state = null;
  #feedback = null; // {rating, comment}
  #isRated = false; // here; before that the stored answer tells
  #problem = el("p", { class: "meta", role: "alert" });
  #row = el("div", { class: "answer-actions" });
  #note = el("div", { class: "answer-note" });
  element = el("div", {}, this.#row, this.#note, this.#problem);

  // handlers: {onLink(answer)} gives the address of an answer; {onWatch(answer)} keeps its question; {onAgain()} gives
  // the words of the question back
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** @param {any} state as of AnswerView */
  update(state) {
    this.#state = state;
    if (!this.#isRated) this.#feedback = state.feedback;
    this.#draw();
  }

  #draw() {
    const { answer } = this.#state;
    const rating = this.#feedback?.rating;
    const thumbs = RATINGS.map(([name, symbol]) =>
      iconButton(symbol, t(`rate_${name}`), () => this.#rate(name), { "aria-pressed": String(rating === name), "data-key": `rate-${name}` }));
    redraw(this.#row,
      iconButton("copy", t("copy_answer"), () => this.#copy(answerMarkdown(this.#state), "copied"), { "data-key": "copy" }),
      menuButton(t("save_answer"), this.#formats(answer), { "data-key": `save ${answer.id}` }, "download"),
      iconButton("pencil", t("ask_again_edited"), () => this.#handlers.onAgain(), { "data-key": "again" }),
      iconButton("link", t("copy_link"), () => this.#copy(this.#handlers.onLink(answer), "link_copied"), { "data-key": "link" }),
      ...(answer.kind === "small_talk" ? [] : [iconButton("watch", t("watch_add"), () => this.#handlers.onWatch(answer), { "data-key": "watch", "data-needs": "write" })]),
      ...(answer.stored ? thumbs : []));
    if (!rating) this.#note.replaceChildren();
  }

  // What the service has not kept it cannot write; the words are here.
  /** @param {Api["AnswerBody"]} answer */
  #formats({ id, question, stored }) {
    const entry = (key, run) => ({ label: t(key), run: () => this.#run(run), isDanger: false });
    const fetched = (path, suffix) => async () => saveFile(fileName(question, suffix), "", await getBlob(`answers/${encodeURIComponent(id)}/${path}`));
    const markdown = async () => saveFile(fileName(question, "md"), "text/markdown;charset=utf-8", answerMarkdown(this.#state));
    const reports = [entry("menu_export_html", fetched("report", "html")), entry("menu_export_docx", fetched("report.docx", "docx"))];
    return [entry("menu_export_md", markdown), ...(stored ? reports : [])];
  }

  #copy(text, said) {
    this.#run(async () => {
      await copyText(text);
      announce(t(said));
      this.#problem.textContent = t(said);
    });
  }

  #rate(rating) {
    this.#run(async () => {
      await this.#send(rating, this.#feedback?.comment ?? "");
      announce(t("rated"));
      this.#askWhy();
    });
  }

  async #send(rating, comment) {
    await sendJson("POST", `answers/${encodeURIComponent(this.#state.answer.id)}/feedback`, { rating, comment });
    this.#isRated = true;
    this.#feedback = { rating, comment };
    this.#draw();
  }

  #askWhy() {
    const box = /** @type {HTMLInputElement} */ (el("input", { type: "text", maxlength: 2000, value: this.#feedback.comment, "aria-label": t("rate_comment"), placeholder: t("rate_comment") }));
    const submit = (event) => {
      event.preventDefault();
      this.#run(async () => {
        await this.#send(this.#feedback.rating, box.value.trim());
        this.#note.replaceChildren(el("p", { class: "meta", role: "status" }, t("rate_thanks")));
      });
    };
    this.#note.replaceChildren(el("form", { class: "rate-form", onsubmit: submit }, box, el("button", { type: "submit", class: "plain-button" }, t("rate_send"))));
  }

  async #run(action) {
    this.#problem.textContent = "";
    try {
      await action();
    } catch (error) {
      this.#problem.textContent = errorText(error);
    }
  }
}
