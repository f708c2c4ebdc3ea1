"""Papers that count the happenings of a month, a quarter or a year, and tell of none of their own.

Pure functions. Knows how happenings are counted, and asks `events` for their kinds.
"""

import re
from collections.abc import Iterable

from kb_service.domain.facts import Fact, FactField, Precision
from kb_service.language.events import event_kinds
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.numerals import whole_number
from kb_service.language.regexes import regex

MIN_COUNTS = 3
"""A report of one happening may count those before it: the second of two this year."""

_PATTERNS = tuple(map(regex, shipped_lexicon().patterns("stated", "counted_happenings")))
_ROUGH = (Precision.YEAR, Precision.MONTH)


def without_stretch_counted(found: Iterable[Fact], folded: str) -> list[Fact]:
    """Return the facts of a paper without a month or a year as its time where it is of statistics.

    What is counted over a stretch of time happened at none.
    """
    listed = list(found)
    rough = [one for one in listed if one.field == FactField.TIME and one.precision in _ROUGH]
    if not rough or _num_counts(folded) < MIN_COUNTS:
        return listed
    return [one for one in listed if one not in rough]


def _num_counts(folded: str) -> int:
    """In how many places more than one happening is counted."""
    return sum(_counts_several(match) for one in _PATTERNS for match in one.finditer(folded))


def _counts_several(match: re.Match[str]) -> bool:
    number = whole_number(match["n"].replace(",", "")) or 0
    what = match.groupdict().get("what")
    return number > 1 and (what is None or bool(event_kinds(what.rpartition(" ")[2])))
