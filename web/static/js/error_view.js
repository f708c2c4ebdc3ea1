// What the service itself said of an error, for who wants it exactly: behind a fold, because it is
// English and the page is not. On an English page the text has it already.

import { el } from "./dom.js";
import { language, t } from "./i18n/i18n.js";

export function ownWords(error) {
  if (language() === "en" || !error.message) return null;
  return el("details", { class: "own-words" }, el("summary", {}, t("own_words")), el("p", { lang: "en", dir: "ltr" }, error.message));
}
