// What is said of an error beside its text, for who wants it exactly: the service's own words, which are
// English, and the number by which an operator finds the request in the log. Behind a fold.

import { el } from "./dom.js";
import { errorText, language, t } from "./i18n/i18n.js";

const fold = (summary, ...body) => el("details", { class: "own-words" }, el("summary", {}, summary), ...body);

// On an English page the text has these words already.
export function ownWords(error) {
  if (language() === "en" || !error.message) return null;
  return fold(t("own_words"), el("p", { lang: "en", dir: "ltr" }, error.message));
}

// What went wrong with calls, each number once; "" where none is known.
export function requestsOf(errors) {
  const ids = [...new Set(errors.map((error) => error?.requestId).filter(Boolean))];
  return ids.length ? fold(t("details"), ids.map((id) => el("p", {}, t("error_request", { id })))) : "";
}

// An error of a call as it stands in a notice.
export const problemParts = (error) => [errorText(error), requestsOf([error])].filter(Boolean);
