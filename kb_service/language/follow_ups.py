"""Words by which a question goes on from the one before. Pure functions; knows no conversation."""

import re
from collections.abc import Sequence

from kb_service.domain.questions import Question, Subject
from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise


def _any(key: str) -> re.Pattern[str]:
    return regex("|".join(shipped_lexicon().patterns("follow_up", key)), re.IGNORECASE)


_POINTS_BACK, _STANDS_ALONE, _LEADS, _FILLS = map(
    _any, ("points_back", "stands_alone", "leads", "fills")
)
_WHO = _any("asks_who")
_THOSE = _any("those")
_PRONOUNS = shipped_lexicon().paired("follow_up", "pronouns")
_PERSON = regex(
    rf"(?<![a-z])(?:{any_of([*shipped_lexicon().listed('follow_up', 'not_pronouns'), *_PRONOUNS])})"
    r"(?![a-z])",
    re.IGNORECASE,
)
_NAME = regex(rf"[{HAN}\u00b7 ]{{2,12}}|(?:[A-Z][\w.'\u2019-]*)(?: [\w.'\u2019-]+){{0,4}}")
_BARE_NUMBERS = [
    regex(pattern) for pattern in shipped_lexicon().patterns("follow_up", "bare_number")
]
_EDGES = " .,;:!?" + shipped_lexicon().characters("sentences", "edges")
_MARKS = regex(r"[\W_]+")
_SHORT_GAP = 4


def points_back(normalised: str) -> bool:
    """True for a normalised question with a pronoun, or an opening that goes on from another."""
    return bool(_POINTS_BACK.search(normalised))


def stands_alone(normalised: str) -> bool:
    """True for a normalised question about the world or all documents, whatever was asked before.

    What a word means, how something is done, what all of them say.
    """
    return bool(_STANDS_ALONE.search(normalised))


def without_lead(text: str) -> str:
    """Return a question without the word that only joins it to the one before."""
    match = _LEADS.match(text)
    rest = text[match.end() :].lstrip() if match else text
    return rest or text


def bare_number(normalised: str) -> str:
    """Return the number that a normalised question is and nothing else ("and no. 6?"), else ""."""
    asked = normalised.strip(_EDGES)
    found = (pattern.fullmatch(asked) for pattern in _BARE_NUMBERS)
    return next((match["number"] for match in found if match), "")


def told_person(normalised: str, words: str) -> str:
    """Return the words that answer a normalised question where they name a person, else ""."""
    is_name = bool(_NAME.fullmatch(words)) and not any(letter.isdigit() for letter in words)
    return words if is_name and _WHO.search(normalised) else ""


def with_person(text: str, name: str) -> str:
    """Return a question with a name in the place of every pronoun that means one person."""

    def put(pronoun: re.Match[str]) -> str:
        told = _PRONOUNS.get(pronoun.group().lower())
        return told.format(name=name) if told else pronoun.group()

    return _PERSON.sub(put, text) if name else text


def only_names(question: Question, subjects: Sequence[Subject]) -> bool:
    """True when a question says nothing but what it names: "and in Lisbon?", "那乙公司呢？"."""
    rest = question.text
    for subject in reversed(subjects):
        rest = f"{rest[: subject.span.start]} {rest[subject.span.end :]}"
    return bool(subjects) and only_joins(normalise(rest))


def points_at_those(normalised: str) -> bool:
    """True for a normalised question that asks of several told of before: 其中, of those."""
    return bool(_THOSE.search(normalised))


def only_joins(words: str) -> bool:
    """True for normalised words that only join a name to the question before it."""
    return not _MARKS.sub("", _FILLS.sub(" ", words))


def joined(text: str, subjects: Sequence[Subject], language: str) -> str:
    """Return the names of a question as words, those that stand side by side as they stand."""
    words: list[str] = []
    end = -1
    for subject in subjects:
        start = subject.span.start
        if words and start - end <= _SHORT_GAP:
            words[-1] += text[end : subject.span.end]
        else:
            words.append(subject.text)
        end = subject.span.end
    return _JOINS[language].join(words)


_JOINS = {"zh": shipped_lexicon().characters("follow_up", "joins"), "en": ", "}
