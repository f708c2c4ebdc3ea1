"""Whom and what a question names: identifiers, names of every sort, dates, numbers, events.

Pure functions on a question, without a dictionary. What is only a sort of thing is no subject: a
document that does not speak of a subject is taken for the wrong one. Knows no documents.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.language.background import background_of
from kb_service.language.clock import clock_times
from kb_service.language.date_orders import dates_in_any_order
from kb_service.language.dates import CALENDAR
from kb_service.language.events import event_places
from kb_service.language.folding import Folded, fold_asked
from kb_service.language.han_names import han_names
from kb_service.language.identifiers import (
    MIN_PIN_LENGTH,
    file_names,
    identifier_matches,
    labelled_numbers,
)
from kb_service.language.latin_names import latin_names
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.messages import language_of
from kb_service.language.numbered import is_numbered, numbered_things, other_writings
from kb_service.language.numbers import NUMBERS
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.language.time_words import time_windows

_LEXICON = shipped_lexicon()
_QUOTED = [
    regex(pattern)
    for pattern in (
        *_LEXICON.patterns("titles", "patterns"),
        *_LEXICON.patterns("subjects", "quoted"),
    )
]
_YEAR = regex(r"(?<![\d.,:/-])(?:1[5-9]|20)\d\d(?![\d.,:/%-]|\s*[a-z]*(?:km|kg))")
_OF_A_COUNTRY = regex(f"^(?:{any_of(_LEXICON.listed('subjects', 'countries'))})(?=.{{3}})")
_GOES_ON = regex(r"[-/]\d|s\b|(?<=[-/]\d)|[a-z]*[-_/][a-z0-9]")
"""Behind a number that is a part of something else: a season, a decade."""

_ROUGH = regex(rf"(?:{'|'.join(_LEXICON.patterns('subjects', 'rough'))})\s*$")
"""Before a number that is not meant to the digit."""

_ROUGH_BEHIND = regex(rf"\s*(?:{'|'.join(_LEXICON.patterns('subjects', 'rough_behind'))})")

_FEW_YEARS = regex(r"num:\d{1,2}")
_YEARS = regex(r"(?:1[5-9]|20)\d\d[-/](?:\d\d|(?:1[5-9]|20)\d\d)")
"""A season or a stretch of years."""

_ANY_DAY = date(2000, 1, 1)
"""Which words tell a time is the same on every day."""

_Found = tuple[int, int, SubjectKind, tuple[str, ...]]
"""Start and end in the folded text, kind and forms."""


def subjects_in(question: Question) -> tuple[Subject, ...]:
    """Return what a question names, in order, none over another."""
    folded = fold_asked(question.text)
    found: list[_Found] = []
    for finder in _FINDERS:
        for item in finder(folded, question.text):
            if all(item[1] <= start or end <= item[0] for start, end, *_ in found):
                found.append(item)
    behind = background_of(question.text)
    subjects = [_subject(question, folded, *item) for item in sorted(found)]
    return tuple(
        replace(s, is_background=behind is not None and s.span.end <= behind.end) for s in subjects
    )


def _subject(
    question: Question,
    folded: Folded,
    start: int,
    end: int,
    kind: SubjectKind,
    forms: tuple[str, ...],
) -> Subject:
    span = folded.typed(start, end)
    return Subject(span.of(question.text), kind, span, forms)


def _files(folded: Folded, typed: str) -> Iterator[_Found]:
    for match in file_names(folded.text):
        stem = match.group().rsplit(".", 1)[0]
        yield *match.span(), SubjectKind.FILE_NAME, (match.group(), stem)


def _identifiers(folded: Folded, typed: str) -> Iterator[_Found]:
    things = [(start, end) for start, end, _ in numbered_things(folded.text)]
    for match in identifier_matches(folded.text):
        in_thing = any(start < match.end() and match.start() < end for start, end in things)
        if in_thing or _YEARS.fullmatch(match.group()):
            continue
        is_long = len(match.group()) >= MIN_PIN_LENGTH
        kind = SubjectKind.IDENTIFIER if is_long else SubjectKind.NAME
        yield *match.span(), kind, (match.group(),)
    for match in labelled_numbers(folded.text):
        yield *match.span(), SubjectKind.IDENTIFIER, (match["number"],)


def _quoted(folded: Folded, typed: str) -> Iterator[_Found]:
    for pattern in _QUOTED:
        for match in pattern.finditer(folded.text):
            start, end = match.span("title")
            yield start, end, SubjectKind.NAME, (match["title"],)


def _dates(folded: Folded, typed: str) -> Iterator[_Found]:
    for start, end, values in dates_in_any_order(folded.text):
        if values:
            yield start, end, SubjectKind.DATE, values
    for match, (value, _) in CALENDAR.dates(folded.text):
        if not _FEW_YEARS.fullmatch(value):
            yield *match.span(), SubjectKind.DATE, (value,)
    for match in _YEAR.finditer(folded.text):
        yield *match.span(), SubjectKind.DATE, (f"num:{match.group()}",)


def _clock(folded: Folded, typed: str) -> Iterator[_Found]:
    for start, end, values in clock_times(folded.text):
        if values and not _is_rough(folded.text, start, end):
            yield start, end, SubjectKind.NUMBER, values


def _is_rough(text: str, start: int, end: int) -> bool:
    return bool(_ROUGH.search(text[:start]) or _ROUGH_BEHIND.match(text, end))


def _han(folded: Folded, typed: str) -> Iterator[_Found]:
    masked = folded.text
    for window in time_windows(masked, _ANY_DAY):
        masked = f"{masked[: window.span.start]}{' ' * len(window.span)}{masked[window.span.end :]}"
    for name in han_names(masked):
        whole = folded.text[name.start : name.end]
        if not is_numbered(whole):
            forms = (whole, name.core, _OF_A_COUNTRY.sub("", whole), *other_writings(whole)[1:])
            yield name.start, name.end, name.kind, tuple(dict.fromkeys(forms))


def _things(folded: Folded, typed: str) -> Iterator[_Found]:
    for start, end, writings in numbered_things(folded.text):
        yield start, end, SubjectKind.NAME, writings


def _latin(folded: Folded, typed: str) -> Iterator[_Found]:
    if typed.isupper() and language_of(typed) == "en":
        return
    at = {place: index for index, place in reversed(list(enumerate(folded.places)))}
    for start, end, kind in latin_names(typed):
        if start in at and end - 1 in at:
            last = at[end - 1] + 1
            yield at[start], last, kind, (normalise(typed[start:end]),)


def _numbers(folded: Folded, typed: str) -> Iterator[_Found]:
    times = [(start, end) for start, end, _ in clock_times(folded.text)]
    for match in NUMBERS.patterns[0].finditer(folded.text):
        read = NUMBERS.number(match)
        digits = match["digits"].replace(",", "")
        is_telling = len(digits) > 1 or match["percent"] or match["before"]
        before, after = folded.text[: match.start()], folded.text[match.end() :]
        end = match.start() + len(match.group().rstrip())
        if any(first < end and match.start() < last for first, last in times):
            continue
        if read and is_telling and not _ROUGH.search(before) and not _GOES_ON.match(after):
            yield match.start(), end, SubjectKind.NUMBER, (read[0],)


def _events(folded: Folded, typed: str) -> Iterator[_Found]:
    for kind, start, end in event_places(folded.text):
        yield start, end, SubjectKind.EVENT, (kind,)


_FINDERS: tuple[Callable[[Folded, str], Iterator[_Found]], ...] = (
    _files,
    _quoted,
    _dates,
    _clock,
    _identifiers,
    _han,
    _things,
    _latin,
    _numbers,
    _events,
)
"""What one has found the next ones leave alone."""
