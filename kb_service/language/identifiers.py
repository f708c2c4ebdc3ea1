"""Identifiers in a text: case and report numbers, tail numbers, host names, plates, phones.

Pure functions on strings. What is an identifier is decided here for index, gate and reader alike;
whether one is rare enough to pin documents is decided where the index is.
"""

import re
from collections.abc import Iterable, Iterator

from kb_service.language.dates import CALENDAR, without_dates
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex

MIN_PIN_LENGTH = 4
"""A shorter identifier (v2, h7) stands in too many texts to pin one."""

_MIN_DIGITS = 6
_TOKEN = regex(r"(?<![a-z0-9])[a-z0-9]+(?:[-_/.:@][a-z0-9]+)*")
_UNITS = "|".join(shipped_lexicon().listed("numerals", "units"))
# 19th, 1990s, 100km, 3.5mg, 20kg/m, 1,500-foot: counted or measured, not named.
_QUANTITY = regex(
    rf"\d+(?:[.,:]\d+)*(?:[^\W\d_]{{1,3}}|{_UNITS})?(?:/[^\W\d_]{{1,3}})?(?:-[a-z]+)*"
)
# 2013/14 is a season, 12345678.90 an amount; a dotted address has three dots.
_NUMERIC = regex(r"\d+(?:/\d+)*|\d+\.\d+|[\d:]+")
_LABELS, _LABELS_BEHIND = (
    "|".join(shipped_lexicon().patterns("subjects", key)) or "(?!)"
    for key in ("labels", "labels_behind")
)
_LABELLED = (
    regex(rf"(?<![a-z0-9_])(?:{_LABELS})\s*(?P<number>\d{{2,}})(?![\w.,:]*\d|[a-z])"),
    regex(rf"(?<![\w.,:-])(?P<number>\d{{{MIN_PIN_LENGTH},}})(?:{_LABELS_BEHIND})"),
)
_YEAR = regex(r"(?:1[5-9]|20)\d\d")
_FILE = regex(
    r"[^\s,;:?!\"'<>|/\\]+\.(?:pdf|docx?|xlsx?|pptx?|txt|md|csv|html?|eml|msg|odt|ods|odp)(?![a-z0-9])"
)
_COUNTED = shipped_lexicon().characters("numerals", "counted")


def identifiers_in(normalised: str) -> tuple[str, ...]:
    """Return the distinct identifiers of a normalised text, whole, in order.

    A token with its joints (SG-2024-001, 10.0.0.1) is one when it has letters and digits and is no
    quantity, or when it is at least six digits that are no date, no amount and count nothing.
    """
    return tuple(dict.fromkeys(match.group() for match in identifier_matches(normalised)))


def identifier_matches(text: str) -> Iterator[re.Match[str]]:
    """Yield the place of every identifier of a normalised text."""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if any(c.isalpha() for c in token):
            if _is_named(token):
                yield match
        elif _is_long(token) and text[match.end() : match.end() + 1] not in (*_COUNTED, "%"):
            yield match


def labelled_numbers(text: str) -> Iterator[re.Match[str]]:
    """Yield the numbers of a normalised question that a label makes identifiers: incident 19008.

    Their group `number` is how a document may write it behind a label of its own.
    """
    for pattern in _LABELLED:
        for match in pattern.finditer(text):
            if match.group().startswith("#") or not _YEAR.fullmatch(match["number"]):
                yield match


def file_names(text: str) -> Iterator[re.Match[str]]:
    """Yield the place of every file name of a normalised text."""
    return _FILE.finditer(text)


def identifiers_asked(normalised: str) -> tuple[str, ...]:
    """Return what a question pins documents by: identifiers, labelled numbers and file names."""
    labelled = (match["number"] for match in labelled_numbers(normalised))
    files = (match.group() for match in file_names(normalised))
    long = (number for number in labelled if len(number) >= MIN_PIN_LENGTH)
    return tuple(dict.fromkeys((*identifiers_in(normalised), *long, *files)))


def _is_named(token: str) -> bool:
    return any(c.isdigit() for c in token) and _QUANTITY.fullmatch(token) is None


def _is_long(token: str) -> bool:
    if not _has_digits(token):
        return False
    if any(pattern.fullmatch(token) for pattern in CALENDAR.date_patterns):
        return False
    return token.isdigit() or _NUMERIC.fullmatch(token) is None


_IN_WORDS = regex("[a-z0-9]")


def names_whole(normalised: str, name: str) -> bool:
    """True when a normalised text holds an identifier or name whole: sg-1 is not in sg-12.

    What ends in a script without spaces may be followed by a number: 桂花巷 is in 桂花巷7号.
    """
    before = r"(?<![a-z0-9])" if _IN_WORDS.match(name) else ""
    behind = r"(?![a-z0-9])" if _IN_WORDS.match(name[-1:]) else ""
    return bool(re.search(rf"{before}{re.escape(name)}{behind}", normalised))


def pinning_terms(terms: Iterable[str]) -> list[str]:
    """Return the distinct index terms that may name one thing, parts of identifiers included.

    A date in digits is among them: it stands in few documents as it is written.
    """
    return [term for term in dict.fromkeys(terms) if _may_pin(term)]


def _may_pin(term: str) -> bool:
    if len(term) < MIN_PIN_LENGTH:
        return False
    return _is_named(term) if any(map(str.isalpha, term)) else _has_digits(term)


def _has_digits(term: str) -> bool:
    return sum(map(str.isdigit, term)) >= _MIN_DIGITS


def without_fixed_values(normalised: str) -> str:
    """Return a normalised text without identifiers and dates; bare years and numbers stay."""
    rest = without_dates(normalised)
    for identifier in identifiers_in(rest):
        rest = rest.replace(identifier, " ")
    return rest
