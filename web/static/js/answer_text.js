// Answers as text that leaves the page: with the numbers of their citations and, below, what these
// point at. Markdown, and a page of its own. Pure functions on answers; knows no network.

import { el } from "./dom.js";
import { formatDate, formatTime, language, t } from "./i18n/i18n.js";
import { pagesText } from "./source_row.js";
import { pieces } from "./spans.js";

const STYLE = `body{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;max-width:44em;margin:2em auto;padding:0 1em;color:#1d1f24}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}.answer{white-space:pre-wrap}ol{padding-left:1.4em;font-size:.9em;color:#575c66}blockquote{margin:.2em 0 .6em;padding-left:.8em;border-left:3px solid #b98500}`;

// The text with "[1]" behind what the first citation supports.
export function markedText(text, citations) {
  return pieces(text, citations, null).map((piece) =>
    piece.text.replace(/\s*$/u, (space) => piece.marks.map((mark) => `[${mark.number}]`).join("") + space)).join("");
}

// "[1] Title, file.pdf, 8 May 2026, page 3"
/** @param {Api["CitationBody"]} citation */
function reference(citation) {
  const { title, document_name: name, document_date: day } = citation;
  return [title, name === title ? "" : name, day ? formatDate(day) : "", pagesText(citation)].filter(Boolean).join(", ");
}

const oneLine = (text) => text.replace(/\s+/gu, " ").trim();

export function answerMarkdown({ text, citations }) {
  const lines = citations.map((citation) => `[${citation.number}] ${reference(citation)}: “${oneLine(citation.cited_text)}”`);
  return lines.length ? `${markedText(text, citations)}\n\n${lines.join("\n")}` : text;
}

// turns: [{question, state}] as of thread.js
export function conversationMarkdown(title, turns) {
  const parts = turns.map(({ question, state }) => `## ${oneLine(question)}\n\n${answerMarkdown(state)}${askedAt(state)}`);
  return `# ${oneLine(title)}\n\n${parts.join("\n\n")}\n`;
}

const askedAt = ({ answer }) => (answer ? `\n\n*${formatTime(answer.created_at)}*` : "");

// A page without scripts that opens anywhere; every text in it is a text node before it is written.
export function conversationHtml(title, turns) {
  const sections = turns.map(({ question, state }) =>
    el("section", {},
      el("h2", {}, question),
      el("p", { class: "answer" }, markedText(state.text, state.citations)),
      el("ol", {}, state.citations.map((citation) => el("li", { value: citation.number }, reference(citation), el("blockquote", {}, citation.cited_text)))),
      state.answer ? el("p", {}, el("small", {}, formatTime(state.answer.created_at))) : ""));
  const head = el("head", {}, el("meta", { charset: "utf-8" }), el("title", {}, title), el("style", {}, STYLE));
  const page = el("html", { lang: language() }, head, el("body", {}, el("h1", {}, title), sections, el("p", {}, el("small", {}, t("exported_by")))));
  return `<!doctype html>\n${new XMLSerializer().serializeToString(page)}\n`;
}

// A name that every file system takes.
export const fileName = (title, suffix) => `${title.replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ").trim().slice(0, 80) || "conversation"}.${suffix}`;
