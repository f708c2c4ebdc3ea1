"""Readings that tell of others than a question asks for: another thing, office, kind, time, amount.

Pure. Knows the words around a reading; knows no model and weighs nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from kb_service.domain.questions import Question, QuestionKind, SubjectKind
from kb_service.domain.reading import Reading
from kb_service.domain.times import TimeWindow
from kb_service.language.amounts import lacks_amount
from kb_service.language.cells import is_of_another
from kb_service.language.counted import asks_how_many, can_count
from kb_service.language.events import event_kinds
from kb_service.language.kinds import kind_of
from kb_service.language.numbered import numbered_things, tells_others
from kb_service.language.offices import is_of_another_office, names_no_holder
from kb_service.language.text import normalise
from kb_service.language.time_words import time_windows
from kb_service.services.named import Named

_MONTH_DAYS = 28
"""Of a single day a sentence about its month may tell as well: on the 3rd."""


def told_of_others(
    question: Question, named: Named, known: Mapping[str, str]
) -> Callable[[Reading], bool]:
    """Return what is true for readings of others than the question asks for.

    `known`: what was read of each document by id, normalised.
    """
    asked = question.normalised
    is_counted = asks_how_many(asked)
    is_count = kind_of(question) is QuestionKind.COUNT
    things = [asked[start:end] for start, end, _ in numbered_things(asked)]
    months = [one.window for one in named.told if _days(one.window) >= _MONTH_DAYS]

    def is_of_others(reading: Reading) -> bool:
        return (
            (is_count and _is_of_other_kind(reading, named))
            or (is_counted and not _can_count(reading))
            or ((is_count or is_counted) and _is_of_longer_time(reading, months))
            or _tells_of_another(reading, asked, things, known[reading.passage.document_id])
        )

    return is_of_others


def _is_of_other_kind(reading: Reading, named: Named) -> bool:
    """True where a sentence tells of happenings, and of none of the kind that is counted."""
    asked = {form for s in named.subjects if s.kind is SubjectKind.EVENT for form in s.forms}
    told = event_kinds(normalise(_around(reading)))
    return bool(asked and told) and not asked & told


def _tells_of_another(reading: Reading, asked: str, things: Sequence[str], known: str) -> bool:
    """True where its sentence tells of another office, thing or kind of amount than asked.

    `known`: what was read of its document, normalised.
    """
    words = normalise(_around(reading))
    return (
        is_of_another_office(asked, words)
        or names_no_holder(asked, words, normalise(reading.words))
        or lacks_amount(asked, words)
        or tells_others(words, things)
        or is_of_another(asked, words, known)
    )


def _is_of_longer_time(reading: Reading, asked: Sequence[TimeWindow]) -> bool:
    """True where its sentence tells of longer times around those asked for, and of none in them.

    How many there were between January and March is no number for March.
    """
    if not asked:
        return False
    told = time_windows(_around(reading), date(asked[-1].last.year, 12, 31))
    wider = [one for one in told if any(_is_around(one, window) for window in asked)]
    return bool(wider) and not any(_is_in(one, window) for one in told for window in asked)


def _is_around(one: TimeWindow, window: TimeWindow) -> bool:
    return _is_in(window, one) and not _is_in(one, window)


def _is_in(one: TimeWindow, window: TimeWindow) -> bool:
    return window.first <= one.first and one.last <= window.last


def _days(window: TimeWindow) -> int:
    return (window.last - window.first).days + 1


def _can_count(reading: Reading) -> bool:
    """False where what was read is an amount, a length of time or a date: no number of things."""
    text, span = reading.passage.text, reading.span
    return can_count(reading.words, text[: span.start], text[span.end :])


def _around(reading: Reading) -> str:
    """The sentences, fields or rows that a reading lies in."""
    passage = reading.passage
    around = [u.span.of(passage.text) for u in passage.units if u.span.overlap(reading.span)]
    return " ".join((*around, reading.words))
