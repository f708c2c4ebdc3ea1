"""Lines that stand one under another and begin with a time or a day, as entries of a log do.

Pure functions on strings. Knows no meaning: which of them tell of something, and on which day that
was, is not decided here.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from kb_service.language.dates import CALENDAR
from kb_service.language.lexicon import BULLETS, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_LEADS = "|".join(shipped_lexicon().patterns("stated", "weekday_leads"))
_MARK = regex(
    rf"[\s\u3000]*(?:[-*+{BULLETS}\u2013\u2014]\s)?[\s\u3000*_#]*(?:[(\[]?\d{{1,3}}[)\].\u3001:]\s*)?"
    rf"[*_]*[(\[\u3010<]?\s*(?:(?:{_LEADS})[,.:\s]*)?"
)
_FOUR_DIGITS = regex(r"(?:[01]\d|2[0-3])[.h]?[0-5]\d(?=\s|hrs|h\b)")
_REACH = 48
_MIN_LINES, _MIN_SHARE = 3, 0.25
"""Of lines without an empty one between: in wrapped prose fewer begin with a time by chance."""


def entry_lines(text: str, lines: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the indexes of the lines, each (start, end), that begin such entries."""
    return frozenset(at for block in _blocks(text, lines) for at in _of_block(text, lines, block))


def _blocks(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    number = 0
    keyed: list[tuple[int, int]] = []
    for at, (start, _) in enumerate(lines):
        gap = text[lines[at - 1][1] : start] if at else ""
        number += gap.count("\n") > 1 or not text[slice(*lines[at])].strip()
        keyed.append((number, at))
    for _, block in groupby(keyed, key=lambda item: item[0]):
        yield [at for _, at in block]


def _of_block(text: str, lines: Sequence[tuple[int, int]], block: Sequence[int]) -> list[int]:
    if len(block) < _MIN_LINES:
        return []
    found = [at for at in block if begins_with_time(text[slice(*lines[at])])]
    return found if len(found) >= max(_MIN_LINES, _MIN_SHARE * len(block)) else []


def begins_with_time(line: str) -> bool:
    """True for a line that begins with a time of day or a day, behind its mark and number."""
    near = line[:_REACH]
    if not any(map(str.isdigit, near)):
        return False
    near = normalise(near)
    mark = _MARK.match(near)
    for lead in {0, mark.end() if mark else 0}:
        words = near[lead:]
        if _FOUR_DIGITS.match(words) or _is_dated(words):
            return True
    return False


def _is_dated(words: str) -> bool:
    dated = (
        match
        for pattern in CALENDAR.date_patterns
        if (match := pattern.match(words)) and CALENDAR.date(match)
    )
    timed = (
        match
        for pattern in CALENDAR.time_patterns
        if (match := pattern.match(words)) and CALENDAR.time(match)
    )
    return any(match.groupdict().get("d") for match in dated) or any(timed)
