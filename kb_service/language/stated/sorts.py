"""What sort of value words are, whatever label they have: a day, a phone, a number, plain words.

Pure functions. Knows no label and no field.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from kb_service.language.identifiers import identifier_matches
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import clocks_in, moments_in
from kb_service.language.stated.plain import plain
from kb_service.language.stated.values import (
    amount_in,
    is_number,
    quantity_in,
    says_nothing,
    says_unknown,
    says_zero,
)

_LEXICON = shipped_lexicon()
EMAIL = regex(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PLATES, PHONES = (
    tuple(map(regex, _LEXICON.patterns("stated", key))) for key in ("plates", "phones")
)
_ROADS = tuple(map(regex, _LEXICON.patterns("stated", "roads")))
PHONE_LIKE = r"(?:(?:\+?\d{1,3}[ -])?\(?\d{2,5}\)?[ -]\d{3,4}(?:[ -]\d{3,4})?|1\d{10}|0\d{9,11})"
"""Digits in the groups of a phone; elsewhere they may mean something else."""
_BARE_PHONE = regex(PHONE_LIKE)
IDENTIFIER = regex(
    r"(?=.*\d)[a-z]{1,8}[-/]?\d[\da-z]*(?:[-/][\da-z]+)*|(?=.*\d)[a-z]{1,8}(?:[-/]\w+)+"
)
_NAME = regex(rf"[^\W\d_]+\.?(?: [^\W\d_][\w'\u2019-]*\.?){{1,3}}|[{HAN}\xb7]{{2,5}}")
PLACE = regex("|".join(_LEXICON.patterns("stated", "place_values")))
ORGANISATION = regex("|".join(_LEXICON.patterns("stated", "organisation_values")))
_MAX_COUNT, _MAX_VALUE = 24, 60


class Sort(StrEnum):
    """A sort of value; what says none or not known, and what is empty, is of no sort."""

    DAY = "day"
    CLOCK = "clock"
    PHONE = "phone"
    EMAIL = "email"
    PLATE = "plate"
    IDENTIFIER = "identifier"
    AMOUNT = "amount"
    COUNT = "count"
    WORDS = "words"


def sort_of(written: str) -> Sort | None:
    """Return the sort of a value as it is written, None for one that may stand for any."""
    value = plain(written).strip()
    if says_nothing(value) or says_zero(value) or says_unknown(value):
        return None
    if len(value) > _MAX_VALUE or not any(map(str.isdigit, value)):
        return Sort.COUNT if _is_count(value) else Sort.WORDS
    for sort, patterns in ((Sort.PHONE, (*PHONES, _BARE_PHONE)), (Sort.EMAIL, (EMAIL,))):
        if any(p.fullmatch(value) for p in patterns):
            return sort
    if any(p.fullmatch(value) for p in PLATES):
        return Sort.PLATE
    return _numeric(value)


def measured_sort(written: str) -> Sort | None:
    """Return the sort of a value of which a number with its unit is a count: 12 bar, 850 rpm."""
    sort = sort_of(written)
    is_measured = sort is Sort.WORDS and quantity_in(plain(written).strip()) is not None
    return Sort.COUNT if is_measured else sort


def _numeric(value: str) -> Sort:
    days = moments_in(value, 2000)
    if days and days[0].start <= 1 and days[0].end >= len(value) - 3:
        return Sort.DAY
    clocks = clocks_in(value)
    if clocks and clocks[0].start == 0 and clocks[0].end >= len(value) - 1:
        return Sort.CLOCK
    if IDENTIFIER.fullmatch(value):
        return Sort.IDENTIFIER
    amount = amount_in(value)
    if amount and amount.unit and len(value) <= _MAX_COUNT:
        return Sort.AMOUNT
    return Sort.COUNT if _is_count(value) else Sort.WORDS


def _is_count(value: str) -> bool:
    return len(value) <= _MAX_COUNT and is_number(value)


def is_name(value: str) -> bool:
    """True for what may be the name of somebody."""
    return _NAME.fullmatch(value.strip()) is not None


def own_numbers(words: str) -> Iterator[re.Match[str]]:
    """Yield the identifiers of words that are no phone, no plate and no road."""
    others = [m.span() for p in (*PHONES, *PLATES, *_ROADS) for m in p.finditer(words)]
    for match in identifier_matches(words):
        if not any(start < match.end() and match.start() < end for start, end in others):
            yield match
