"""Entries of a log: lines that begin with a number or a time of day and tell of a happening each.

Pure functions on plain text. A text is a log where its first lines call it one, or each entry has a
number of its own: the steps of one happening are told by the clock as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kb_service.domain.facts import Precision
from kb_service.domain.spans import TextSpan
from kb_service.language.identifiers import identifier_matches
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import Clock, Moment, at_clock, clocks_in, moments_in
from kb_service.language.stated.sentences import happenings_in

_HEADS = regex("|".join(shipped_lexicon().patterns("stated", "log_heads")))
_LINE = regex(r"[^\n]+")
_MARK = regex(
    r"\s*[(\[\uff08\u3010]?\s*(?:\d{1,3}\s*(?:[)\]\uff09\u3011.\uff0e\u3001]|:(?!\d))\s*)?"
)
_HEAD_LINES = 3
_MIN_ENTRIES = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an entry stands, and when it happened; `clock`: where its time of day is written.

    None where it does not begin with it.
    """

    span: TextSpan
    clock: TextSpan | None = None
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a line of a log begins that a time of day leads, and the day it is of."""

    place: int
    clock: TextSpan
    moment: Moment | None


def entries_in(plain: str, year: int | None) -> tuple[Entry, ...]:
    """Return the entries of a log that tell of a happening on a known day, in order."""
    lines = [TextSpan(*match.span()) for match in _LINE.finditer(plain)]
    is_called_one = any(_HEADS.search(line.of(plain)) for line in lines[:_HEAD_LINES])
    starts = list(_starts(plain, lines, year))
    ends = [*(start.place for start in starts), len(plain)][1:]
    told = [plain[start.place : end] for start, end in zip(starts, ends, strict=True)]
    if not (is_called_one or _have_numbers(told)):
        return ()
    found = tuple(
        Entry(TextSpan(start.place, end), start.clock, start.moment)
        for start, end in zip(starts, ends, strict=True)
        if start.moment and happenings_in(plain[start.place : end])
    )
    return found if len(found) >= _MIN_ENTRIES else ()


def _have_numbers(told: list[str]) -> bool:
    """True where each entry has a number of its own: steps of one happening have not."""
    numbers = [next((m.group() for m in identifier_matches(words)), "") for words in told]
    return len(numbers) >= _MIN_ENTRIES and all(numbers) and len(set(numbers)) == len(numbers)


def _starts(plain: str, lines: list[TextSpan], year: int | None) -> Iterator[_Start]:
    day: Moment | None = None
    for line in lines:
        words = line.of(plain)
        mark = _MARK.match(words)
        lead = mark.end() if mark else 0
        clock = _leading(words[lead:])
        if clock is None:
            days = [m for m in moments_in(words, year) if m.precision is Precision.DAY]
            day = days[0] if days else day
            continue
        begin = line.start + lead
        moment = day and at_clock(day, clock)
        yield _Start(line.start, TextSpan(begin + clock.start, begin + clock.end), moment)


def _leading(words: str) -> Clock | None:
    """The time of day that words begin with."""
    return next((clock for clock in clocks_in(words[:20])[:1] if clock.start == 0), None)
