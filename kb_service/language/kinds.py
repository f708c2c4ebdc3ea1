"""What has to be done for a question: look a fact up, list, count, compare, sum up, or just greet.

Pure functions on the words of a question. Knows no documents and decides no answer.
"""

import re

from kb_service.domain.questions import Question, QuestionKind
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.values import stated_values

_LEXICON = shipped_lexicon()
_IN_ORDER = (
    QuestionKind.SMALL_TALK,
    QuestionKind.ABOUT_DOCUMENT,
    QuestionKind.SUMMARY,
    QuestionKind.COMPARISON,
    QuestionKind.LIST_DOCUMENTS,
    QuestionKind.COUNT,
    QuestionKind.YES_NO,
    QuestionKind.LIST,
)
"""The first kind whose words stand there wins: what is asked of many before what is told in one."""

_PATTERNS = {
    kind: [regex(pattern) for pattern in _LEXICON.patterns("kinds", kind.value)]
    for kind in _IN_ORDER
}
_HAPPENED = [regex(pattern) for pattern in _LEXICON.patterns("kinds", "happened")]
_COUNTED = [regex(pattern) for pattern in _LEXICON.patterns("kinds", "counted")]
_COUNTS = "|".join(_LEXICON.patterns("kinds", "counting"))
_BEFORE = [regex(pattern) for pattern in _LEXICON.patterns("kinds", "wrappings_before")]
_AFTER = [regex(f"(?:{pattern})$") for pattern in _LEXICON.patterns("kinds", "wrappings_after")]
_SPACES = regex(r"\s+")
_END_MARKS = " \t\r\n.,;:!?~" + _LEXICON.characters("sentences", "edges")


def kind_of(question: Question) -> QuestionKind:
    """Return what has to be done for a question; a fact is looked up when nothing says more."""
    asked = bare_question(question.normalised).rstrip(_END_MARKS)
    for kind in _IN_ORDER:
        if any(pattern.search(asked) for pattern in _PATTERNS[kind]):
            return kind
    return QuestionKind.FACT


def counts_what_is_asked(question: Question, words: str) -> bool:
    """False for words that count something else than the question does: persons for incidents."""
    asked = [m["counter"] for p in _COUNTED for m in p.finditer(question.normalised)]
    return not asked or any(
        re.search(rf"(?:{_COUNTS})\s*{re.escape(counter)}", words) for counter in asked
    )


def asks_what_happened(question: Question) -> bool:
    """True for a question that asks for a whole incident and for nothing of it in particular.

    A time of the clock is something in particular: what stands beside it in a log.
    """
    return _asks_of_happening(question) and not moments_asked(question)


def moments_asked(question: Question) -> frozenset[str]:
    """Return the times of the clock (`time:10:17`) of which a question asks what happened."""
    if not _asks_of_happening(question):
        return frozenset()
    stated = stated_values(question.normalised, question.normalised)
    return frozenset(value for value in stated if value.startswith("time:"))


def _asks_of_happening(question: Question) -> bool:
    asked = bare_question(question.normalised).rstrip(_END_MARKS)
    return any(pattern.search(asked) for pattern in _HAPPENED)


def bare_question(normalised: str) -> str:
    """Return a normalised question without greetings, requests and thanks around what it asks.

    What is nothing else stays: a greeting alone is one.
    """
    asked = _SPACES.sub(" ", normalised).strip()
    while (shorter := _without_one(asked)) and shorter != asked:
        asked = shorter
    return asked


def _without_one(asked: str) -> str:
    """Return the words without the first wrapping that leaves something, or as they are."""
    ends = [match.end() for pattern in _BEFORE if (match := pattern.match(asked))]
    starts = [match.start() for pattern in _AFTER if (match := pattern.search(asked))]
    left = (asked[end:].strip() for end in ends)
    right = (asked[:start].strip() for start in starts)
    return next((rest for rest in (*left, *right) if rest.strip(_END_MARKS)), asked)
