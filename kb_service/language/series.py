"""Things of a series that are named: ship 6 of a line of ships, key bunch 47, report 3 of a year.

Which units of a document tell of the one that a question names, and which of others of its series.
Pure functions on normalised text. Things told by a sort and a number (pump 4) are known by
`numbered`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.lexicon import CJK, shipped_lexicon
from kb_service.language.numbered import is_numbered
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.language.time_words import time_windows
from kb_service.language.values import stated_values

_LEXICON = shipped_lexicon()
_NUMERAL = rf"(?:\d{{1,4}}|[{''.join(NUMERALS.digits)}{''.join(NUMERALS.powers)}]{{1,3}})"
_TAILS = "|".join(_LEXICON.patterns("series", "tails"))
_WHOLE = regex(rf"(?P<head>.*?[^\W\d_]{{2}}.*?)[-\s]*(?P<number>{_NUMERAL})(?P<tail>{_TAILS}|)")
_SPOKEN = [
    regex(pattern.replace("NUMERAL", _NUMERAL)) for pattern in _LEXICON.patterns("series", "spoken")
]
_GAP = r"[-\s]*(?:no\.?|#)?\s*"
_BREAK = regex(r"\n[ \t]*\n")
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Series:
    """Things that one name and their numbers tell: those that are `asked`, and any that are told.

    `is_code`: told by identifiers, which papers name in passing.
    """

    asked: frozenset[int]
    told: re.Pattern[str]
    is_code: bool

    def tells(self, text: str) -> bool | None:
        """True for a text that names what is asked for, False for only others, None for neither."""
        numbers = {NUMERALS.whole_number(match["number"]) for match in self.told.finditer(text)}
        return bool(numbers & self.asked) if numbers else None


def series_of(question: Question, subjects: Iterable[Subject]) -> tuple[Series, ...]:
    """Return the series of which a question names something."""
    found: dict[tuple[str, str], tuple[set[int], bool]] = {}
    for head, number, tail, is_code in _named(question, subjects):
        value = NUMERALS.whole_number(number)
        if value is not None:
            found.setdefault((head, tail), (set(), is_code))[0].add(value)
    return tuple(
        Series(frozenset(numbers), _telling(head, tail), is_code)
        for (head, tail), (numbers, is_code) in found.items()
    )


def of_others(units: Sequence[Unit], text: str, title: str, series: Series) -> set[int]:
    """Return the places of the units of a text that tell of others of a series than those asked.

    What names none is of what its paragraph named last; where that named none, of what the heading
    above it names, or the title of the paper. A code that the text does not state is told to be
    missing, whatever its likes: none then. All as written.
    """
    left: set[int] = set()
    of_units = [series.tells(normalise(unit.span.of(text))) for unit in units]
    of_paper = series.tells(normalise(title))
    if series.is_code and not of_paper and not any(of_units):
        return left
    of_part = of_here = of_paper
    for place, (unit, told) in enumerate(zip(units, of_units, strict=True)):
        if unit.kind is UnitKind.HEADING:
            of_part = of_here = of_paper if told is None else told
        elif place and _BREAK.search(text[units[place - 1].span.end : unit.span.start]):
            of_here = of_part
        is_aside = told is False and (series.is_code or of_paper is True)
        if told is not None and not is_aside:
            of_here = told
        if of_here is False or (is_aside and not (series.is_code and of_paper)):
            left.add(place)
    return left


def _named(question: Question, subjects: Iterable[Subject]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield head, number and tail of what is named, and whether it is an identifier."""
    for subject in subjects:
        name = subject.forms[0] if subject.forms else ""
        is_code = subject.kind is SubjectKind.IDENTIFIER
        if not (is_code or subject.kind is SubjectKind.NAME) or is_numbered(name):
            continue
        if not is_code and _is_time(name):
            continue
        if whole := _WHOLE.fullmatch(name):
            yield whole["head"], whole["number"], whole["tail"], is_code
    for pattern in _SPOKEN:
        for match in pattern.finditer(question.normalised):
            if not is_numbered(match.group()) and not _is_time(match.group()):
                tail = match.groupdict().get("tail") or ""
                yield match["head"], match["number"], tail, False


def _is_time(name: str) -> bool:
    """True for April 2000, of whose days a text may tell, and the like: days are told by `days`."""
    is_day = any(value.startswith("date:") for value in stated_values(name))
    return is_day or bool(time_windows(name, _ANY_DAY))


def _telling(head: str, tail: str) -> re.Pattern[str]:
    before = "" if re.match(f"[{CJK}]", head) else r"(?<![^\W_])"
    behind = re.escape(tail) or r"(?![^\W_])"
    return re.compile(rf"{before}{re.escape(head)}{_GAP}(?P<number>{_NUMERAL}){behind}")
