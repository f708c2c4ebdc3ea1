"""Which units of a document a question is about, and which are about their likes.

Other rows of a table, other days of a log. Pure functions over what was read of one document; knows
no file format.
"""

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from datetime import date
from functools import partial

from kb_service.domain.questions import Subject, SubjectKind
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit
from kb_service.domain.times import TimeWindow
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.days import states_day_of
from kb_service.language.mentions import mentions
from kb_service.language.regexes import regex
from kb_service.language.rows import is_of_labels, is_row, labels_of, says_a_cell
from kb_service.language.text import normalise
from kb_service.language.values import placed_values, stated_values

Part = tuple[str, Sequence[Unit]]
"""A text, and units of it."""

_Place = tuple[int, int]

MAX_HEAD_CHARS = 60
"""A line is the head of what stands under it when it is so short and begins with a day."""

_ENDS = regex(r"[.!?;:,\u3002\uff01\uff1f\uff1b\uff1a\uff0c]\s*$")
_DAY_FIRST = regex(r"\W*\d")
_BESIDE = regex(r"\s*$|\s*[,(\[|/\u2013\u2014-]|\s+[^\x00-\x7f]")

_NO_DAY = TimeWindow(TextSpan(0, 0), date.min, date.min)
"""Only a text that states no day is of it."""


def units_meant(
    parts: Sequence[Part], asked: str, subjects: Sequence[Subject], windows: Sequence[TimeWindow]
) -> list[tuple[Unit, ...]]:
    """Return the units of each part without those that are about others than a question's words.

    `parts`: what was read of one document, in order; `asked`: the normalised question. A row is
    meant when the question says one of its cells, or names a subject, a day or a time of day that
    it states; where rows are meant, the others beside them are left out, and those with the same
    labels elsewhere. So are the line of labels above rows that have each its own, and what stands
    under the head of another day where one is of the day asked for.
    """
    ordered = [with_dates_in_order(text) for text, _ in parts]
    words = {
        (p, n): normalise(unit.span.of(ordered[p]))
        for p, (_, units) in enumerate(parts)
        for n, unit in enumerate(units)
    }
    rows = {
        place: words[place]
        for p, (text, units) in enumerate(parts)
        for n, unit in enumerate(units)
        if is_row(unit.span.of(text)) and (place := (p, n))
    }
    left = _other_rows(rows, _aspects(rows, asked, subjects, windows))
    left |= _lines_of_labels(words, rows)
    days = [partial(_states, window=window) for window in windows]
    days += [partial(mentions, subject=s) for s in subjects if s.kind is SubjectKind.DATE]
    left |= _under_other_days(words, rows, days)
    return [
        tuple(unit for n, unit in enumerate(units) if (p, n) not in left)
        for p, (_, units) in enumerate(parts)
    ]


def _aspects(
    rows: dict[_Place, str],
    asked: str,
    subjects: Sequence[Subject],
    windows: Sequence[TimeWindow],
) -> list[set[_Place]]:
    """Return the rows that are meant by the things of each sort that the question says.

    Of two lifts or two days the rows of both. A kind of happening tells rows apart only where
    nothing else does: any row of an outage may say that something failed.
    """
    clock = {value for value in stated_values(asked, asked) if value.startswith("time:")}
    by_sort: dict[str, list[Callable[[str], bool]]] = {"cell": [partial(says_a_cell, asked)]}
    for subject in subjects:
        by_sort.setdefault(subject.kind, []).append(partial(mentions, subject=subject))
    days = [partial(_states, window=window) for window in windows]
    by_sort.setdefault(SubjectKind.DATE, []).extend(days)
    if clock:
        by_sort["clock"] = [lambda words: bool(clock & stated_values(words, words))]
    events = by_sort.pop(SubjectKind.EVENT, [])
    told = [_meant(rows, tests) for tests in by_sort.values()]
    return told if any(told) else [_meant(rows, events)]


def _meant(rows: dict[_Place, str], tests: Sequence[Callable[[str], bool]]) -> set[_Place]:
    return {place for place, words in rows.items() if any(is_of(words) for is_of in tests)}


def _states(words: str, window: TimeWindow) -> bool:
    return states_day_of(words, window) and not states_day_of(words, _NO_DAY)


def _other_rows(rows: dict[_Place, str], aspects: Iterable[set[_Place]]) -> set[_Place]:
    labels = {place: frozenset(labels_of(words)) for place, words in rows.items()}
    left: set[_Place] = set()
    for meant in aspects:
        parts = {part for part, _ in meant}
        tables = {labels[place] for place in meant} - {frozenset()}
        left |= {
            place
            for place in rows.keys() - meant
            if place[0] in parts or any(_is_one_table(labels[place], of) for of in tables)
        }
    return left


def _is_one_table(labels: Collection[str], others: Collection[str]) -> bool:
    """True when most labels are the same: a row lacks those of its empty cells."""
    return 2 * len(set(labels) & set(others)) > max(len(labels), len(others))


def _lines_of_labels(words: dict[_Place, str], rows: dict[_Place, str]) -> set[_Place]:
    labels = [
        {label for place, row in rows.items() if place[0] == part for label in labels_of(row)}
        for part in range(max((p for p, _ in words), default=-1) + 1)
    ]
    return {place for place, line in words.items() if is_of_labels(line, labels[place[0]])}


def _under_other_days(
    words: dict[_Place, str], rows: Container[_Place], days: Sequence[Callable[[str], bool]]
) -> set[_Place]:
    """Return what stands under the heads of other days, and does not state the day itself."""
    heads: dict[_Place, str] = {}
    for place, line in words.items():
        head = "" if place in rows else _head(line)
        if head := head or heads.get((place[0], place[1] - 1), ""):
            heads[place] = head

    def is_meant(line: str) -> bool:
        return any(is_of(line) for is_of in days)

    if not any(map(is_meant, heads.values())):
        return set()
    return {p for p, head in heads.items() if not is_meant(head) and not is_meant(words[p])}


def _head(words: str) -> str:
    """Return the first line of some words when it is a day and what stands beside it in a log.

    Prose goes on behind a day with a word: 4 November was a day of rain.
    """
    line = words.partition("\n")[0].strip()
    if len(line) > MAX_HEAD_CHARS or _ENDS.search(line) or not _DAY_FIRST.match(line):
        return ""
    day = next((match for match, _ in placed_values(line)), None)
    if day is None or states_day_of(day.group(), _NO_DAY) or not _BESIDE.match(line, day.end()):
        return ""
    return line
