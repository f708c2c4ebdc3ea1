"""Stretches of days with the words around them: from, until, before, since, between two.

Pure functions on a text and the stretches that it names. Which days these are is not known here.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from kb_service.domain.spans import TextSpan
from kb_service.language.folding import fold
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_DAY = timedelta(days=1)
_SORTS = ("after", "since", "before", "until", "between", "within")
_LETTER = regex(r"[^\W\d_]")
_YEAR = regex(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_TOLD = ("days", "weeks", "months", "these_quarters", "years", "turns", "units")
_FROM_TODAY = regex(any_of(w for key in _TOLD for w in _LEXICON.paired("time_words", key)))
"""Words by which a time is told from today: it is of a year, though it names none."""


def _patterns(key: str, form: str) -> re.Pattern[str]:
    found = "|".join(f"(?:{one})" for one in _LEXICON.patterns("time_bounds", key)) or "(?!)"
    return regex(form.format(found))


_BEFORE = {
    name: _patterns(f"{name}_before", r"(?:^|(?<=\W)|(?<=[^\x00-\x7f]))(?:{})\s*$")
    for name in _SORTS
}
_BEHIND = {name: _patterns(f"{name}_behind", r"\s*(?:{})") for name in _SORTS}
_JOINS = _patterns("joins", r"\s*(?<![a-z])(?:{})(?![a-z])\s*")
_PAIRS = _patterns("pairs", r"\s*(?:{})\s*")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days from `first` to `last`, both included, that the words of `span` name.

    `is_yearless`: they name no year.
    """

    span: TextSpan
    first: date
    last: date
    is_yearless: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """Days that are asked for; None: without an end there. `span`: with the words around them.

    `is_yearless`: they have both ends, and their words name no year.
    """

    span: TextSpan
    first: date | None
    last: date | None
    is_yearless: bool = False

    def within(self, other: "Bound") -> "Bound | None":
        """Return the days of both, None where there are none."""
        firsts = [day for day in (self.first, other.first) if day]
        lasts = [day for day in (self.last, other.last) if day]
        first, last = max(firsts, default=None), min(lasts, default=None)
        return None if first and last and last < first else Bound(self.span, first, last)

    def in_year(self, year: int) -> "Bound | None":
        """Return the same days with the first of them in a year; None where it has no such days."""
        if self.first is None or self.last is None:
            return None
        behind = self.last + _DAY  # the last day of February is another one in some years
        first = _in_year(self.first, year)
        after = _in_year(behind, year + behind.year - self.first.year)
        last = after - _DAY if after else None
        return replace(self, first=first, last=last) if first and last else None


def bounds_in(text: str, stretches: Sequence[Stretch]) -> list[Bound]:
    """Return the days that a text asks for by the stretches that it names, in order."""
    plain = fold(text).text
    if len(plain) != len(text):
        plain = text.lower()
    found: list[Bound] = []
    left = _in_years(plain, sorted(stretches, key=lambda one: one.span.start))
    while left:
        pair = _pair(plain, left[0], left[1]) if len(left) > 1 else None
        found.append(pair or _one(plain, left[0]))
        left = left[2 if pair else 1 :]
    return _closed(plain, found)


def _closed(plain: str, bounds: Sequence[Bound]) -> list[Bound]:
    """Return the bounds; an end without a year lies behind the beginning that is told before it.

    去年春节以后到五一之前: the first of May behind that spring.
    """
    found = list(bounds)
    for at, (one, other) in enumerate(pairwise(bounds)):
        is_open = one.first and not one.last and other.last and not other.first
        if is_open and one.first and other.last and _names_no_year(other.span.of(plain)):
            years = (one.first.year, one.first.year + 1)
            ends = (day for year in years if (day := _in_year(other.last, year)))
            last = next((day for day in ends if day >= one.first), other.last)
            found[at + 1] = replace(other, last=last)
    return found


def _in_years(plain: str, stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches, those without a year in that of their neighbour: March and May 2024."""
    found = list(stretches)
    for here, there in [*pairwise(range(len(found))), *pairwise(reversed(range(len(found))))]:
        one, other = found[here], found[there]
        first, last = sorted((one.span, other.span))
        gap = plain[first.end : last.start]
        is_joined = _JOINS.fullmatch(gap) or _PAIRS.fullmatch(gap)
        if is_joined and _YEAR.search(one.span.of(plain)) and _is_yearless(other, plain):
            begins, ends = (_in_year(day, one.first.year) for day in (other.first, other.last))
            if begins and ends and begins <= ends:
                found[there] = Stretch(other.span, begins, ends)
    return found


def _is_yearless(stretch: Stretch, plain: str) -> bool:
    return _names_no_year(stretch.span.of(plain))


def _names_no_year(words: str) -> bool:
    return not _YEAR.search(words) and not _FROM_TODAY.search(words)


def _pair(plain: str, one: Stretch, other: Stretch) -> Bound | None:
    """From the one to the other; what lies before it was said without its year."""
    begin, end = one.span.start, other.span.end
    gap = plain[one.span.end : other.span.start]
    opens = _BEFORE["between"].search(plain[:begin]) or _BEFORE["since"].search(plain[:begin])
    closes = _BEHIND["between"].match(plain, end)
    is_joined = _JOINS.fullmatch(gap) or ((opens or closes) and _PAIRS.fullmatch(gap))
    last = other.last if other.last >= one.first else _in_year(other.last, one.first.year)
    if not is_joined or last is None or last < one.first:
        return None
    begin = opens.start() if opens else begin
    last_words = closes or _BEHIND["until"].match(plain, end)
    is_yearless = one.is_yearless and other.is_yearless
    end = last_words.end() if last_words else end
    return Bound(TextSpan(begin, end), one.first, last, is_yearless)


def _one(plain: str, one: Stretch) -> Bound:
    begin, end = one.span.start, one.span.end
    joint = _JOINS.search(one.span.of(plain))
    is_range = joint is not None and _LETTER.search(joint.group()) is not None
    for name in _SORTS:
        before = _BEFORE[name].search(plain[:begin])
        behind = _BEHIND[name].match(plain, end)
        if before or behind:
            span = TextSpan(before.start() if before else begin, behind.end() if behind else end)
            is_whole = is_range and name == "since"  # from the one to the other, named as one
            return _bound("between" if is_whole else name, span, one)
    return Bound(one.span, one.first, one.last, one.is_yearless)


def _bound(name: str, span: TextSpan, one: Stretch) -> Bound:
    match name:
        case "after":
            return Bound(span, one.last + _DAY, None)
        case "since":
            return Bound(span, one.first, None)
        case "before":
            return Bound(span, None, one.first - _DAY)
        case "until":
            return Bound(span, None, one.last)
    return Bound(span, one.first, one.last, one.is_yearless)


def _in_year(day: date, year: int) -> date | None:
    with suppress(ValueError):
        return day.replace(year=year)
    return None
