"""What a sentence states, by patterns: counts of people, amounts, causes, times, places, names.

Pure functions. A sentence states what it says itself; nothing is concluded from several.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kb_service.domain.facts import COUNTS_OF_PEOPLE, UNKNOWN, Fact, FactField
from kb_service.language.dates import DATE_WORDS
from kb_service.language.events import event_places
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.corrections import corrections_in
from kb_service.language.stated.fields import (
    Place,
    compared,
    counted,
    fact,
    kind_of,
    numbered,
    tight,
    timed,
)
from kb_service.language.stated.moments import Moment, moments_in
from kb_service.language.stated.plain import Line
from kb_service.language.stated.sorts import EMAIL
from kb_service.language.stated.values import Number, amount_in, duration_in, number_in

_LEXICON = shipped_lexicon()
_HAN = regex(f"[{HAN}]")


class _Patterns(tuple[re.Pattern[str], ...]):
    """Patterns, and those of them that may match where all characters are ASCII."""

    ascii: tuple[re.Pattern[str], ...]

    def on(self, plain: str) -> tuple[re.Pattern[str], ...]:
        """Return the patterns that may match in a text."""
        return self.ascii if plain.isascii() else self


def _patterns(written: Iterable[str]) -> _Patterns:
    found = _Patterns(map(regex, written))
    found.ascii = tuple(p for p in found if not _HAN.search(p.pattern))
    return found


def _compiled(key: str) -> _Patterns:
    return _patterns(_LEXICON.patterns("stated", key))


_NO_PATTERNS = _patterns(())
_COUNTS = {field: _compiled(field) for field in COUNTS_OF_PEOPLE}
_ZEROS = {field: _compiled(f"zero_{field}") for field in (*COUNTS_OF_PEOPLE, FactField.LOSS)}
_UNKNOWNS = {
    field: _compiled(f"unknown_{field}")
    for field in (FactField.DEAD, FactField.INJURED, FactField.LOSS)
}
_ZERO_ALL, _UNKNOWN_ALL = _compiled("zero_casualties"), _compiled("unknown_casualties")
_AMOUNTS = {field: _compiled(field) for field in (FactField.LOSS, FactField.FINE)}
_DURATIONS = _compiled("duration")
_CAUSES, _UNKNOWN_CAUSE = _compiled("cause"), _compiled("unknown_cause")
_PLACES, _CASED_PLACES = _compiled("places"), _compiled("cased_places")
_NAMES = {
    (FactField.PERSON, False): _compiled("persons"),
    (FactField.PERSON, True): _compiled("cased_persons"),
    (FactField.ORGANISATION, False): _compiled("organisations"),
    (FactField.ORGANISATION, True): _compiled("cased_organisations"),
    (FactField.VEHICLE, False): _compiled("plates"),
    (FactField.PHONE, False): _compiled("phones"),
    (FactField.EMAIL, False): _patterns([f"(?P<who>{EMAIL.pattern})"]),
}
_TIGHT = (FactField.VEHICLE, FactField.PHONE)
_NUMBERS, _FOLLOWS = _compiled("numbers"), _compiled("follows")
_NO_EVENT = _compiled("no_event")
_TIME, _REPORTED, _OTHER = (
    regex("|".join(_LEXICON.patterns("stated", key)))
    for key in ("time_words", "reported_words", "other_times")
)
_CORRECTS = regex("|".join(_LEXICON.patterns("stated", "corrects")))
_REACH = 60
"""Characters around a time in which its verb stands."""
_LESS, _MORE = 0.15, 0.1
_GENERAL = 0.02
"""By so much less sure is what is said of all casualties than what is said of the dead alone."""


def sentence_facts(line: Line, at: Place) -> Iterator[Fact]:
    """Yield what a sentence states."""
    yield from corrections_in(line, at)
    yield from _people(line, at)
    yield from _money(line, at)
    yield from _length(line, at)
    yield from _cause(line, at)
    yield from _names(line, at)
    yield from numbers_of(line, at)
    yield from _happening(line, at)


def _people(line: Line, at: Place) -> Iterator[Fact]:
    both = (FactField.DEAD, FactField.INJURED)
    if _CORRECTS.search(line.plain):
        at = replace(at, confidence=at.confidence + _MORE)
    for patterns, number in ((_ZERO_ALL, Number(0.0)), (_UNKNOWN_ALL, None)):
        if match := _first(patterns, line.plain):
            less = replace(at, confidence=at.confidence - _GENERAL)
            for field in both:
                yield _counted(field, line, match, less, number)
    for field in COUNTS_OF_PEOPLE:
        none = _first(_ZEROS[field], line.plain)
        match = _first(_COUNTS[field], line.plain)
        if match and not (none and none.start() < match.end() and match.start() < none.end()):
            yield _counted(field, line, match, at, number_in(match["number"]))
        if none:
            yield _counted(field, line, none, at, Number(0.0))
        if match := _first(_UNKNOWNS.get(field, _NO_PATTERNS), line.plain):
            yield _counted(field, line, match, at, None)


def _counted(
    field: str, line: Line, match: re.Match[str], at: Place, number: Number | None
) -> Fact:
    span = line.span(*match.span())
    return counted(field, line.value(span), span, at, number)


def _money(line: Line, at: Place) -> Iterator[Fact]:
    for field, patterns in _AMOUNTS.items():
        if match := _first(patterns, line.plain):
            place = match.span("amount")
            amount = amount_in(match["amount"])
            if amount:
                span = line.span(*place)
                yield numbered(field, line.value(span), span, at, amount, amount.unit)
    for patterns, number in (
        (_ZEROS[FactField.LOSS], Number(0.0)),
        (_UNKNOWNS[FactField.LOSS], None),
    ):
        if match := _first(patterns, line.plain):
            span = line.span(*match.span())
            value = line.value(span)
            yield numbered(FactField.LOSS, value, span, at, number, "")


def _length(line: Line, at: Place) -> Iterator[Fact]:
    match = _first(_DURATIONS, line.plain)
    number = duration_in(match["words"]) if match else None
    if match and number:
        span = line.span(*match.span("words"))
        yield numbered(FactField.DURATION, line.value(span), span, at, number, number.unit)


def _cause(line: Line, at: Place) -> Iterator[Fact]:
    for patterns, text in ((_UNKNOWN_CAUSE, UNKNOWN), (_CAUSES, "")):
        if match := _first(patterns, line.plain):
            yield _worded(FactField.CAUSE, line, match.span("words"), at, text)
            return


def _names(line: Line, at: Place) -> Iterator[Fact]:
    for (field, is_cased), patterns in _NAMES.items():
        for pattern in patterns.on(line.plain):
            for match in pattern.finditer(line.written if is_cased else line.plain):
                start, end = match.span("who")
                folded = line.plain[start:end]
                text = tight(folded) if field in _TIGHT else compared(folded)
                role = match.groupdict().get("role") or ""
                span = line.span(start, end)
                yield fact(field, line.value(span), span, at, text, role=role)


def numbers_of(line: Line, at: Place) -> Iterator[Fact]:
    """Yield the number that a line says to be the document's own, and what it goes on from."""
    follows = _first(_FOLLOWS, line.plain)
    if follows:
        yield _worded(FactField.FOLLOWS, line, follows.span("words"), at, tight(follows["words"]))
    for pattern in _NUMBERS.on(line.plain):
        for match in pattern.finditer(line.plain):
            is_other = follows and match.start("words") < follows.end("words")
            if not is_other or (follows and match.end("words") <= follows.start()):
                text = tight(match["words"])
                yield _worded(FactField.NUMBER, line, match.span("words"), at, text)
                return


def happenings_in(plain: str) -> list[tuple[str, int, int]]:
    """Return the kinds of happening that a line tells of, first named first, with their words.

    A field that says there was none ("Aircraft Fire: None") tells of nothing.
    """
    found = sorted(event_places(plain), key=lambda item: item[1])
    return [one for one in found if not any(p.match(plain, one[2]) for p in _NO_EVENT)]


def _happening(line: Line, at: Place) -> Iterator[Fact]:
    """When and where it happened, and what: of a sentence that speaks of a happening."""
    kinds = happenings_in(line.plain)
    is_told = bool(kinds) or bool(_TIME.search(line.plain))
    if kinds:
        kind, start, end = kinds[0]
        span = line.span(start, end)
        less = replace(at, confidence=at.confidence - _LESS)
        yield fact(FactField.KIND, line.value(span), span, less, kind)
    moments = moments_in(line.plain, at.year)
    for moment in moments:
        yield from _moment(line, moment, moments, at, is_told=is_told)
    if is_told:
        yield from _place(line, moments, at)


def _moment(
    line: Line, moment: Moment, moments: list[Moment], at: Place, *, is_told: bool
) -> Iterator[Fact]:
    low = max((m.end for m in moments if m.end <= moment.start), default=0)
    high = min((m.start for m in moments if m.start >= moment.end), default=len(line.plain))
    field = _role_of(line.plain, moment, max(low, moment.start - _REACH), high)
    if field is None:
        return
    less = 0.0 if field and is_told else _LESS
    place = replace(at, confidence=at.confidence - less)
    span = line.span(moment.start, moment.end)
    yield timed(field, line.value(span), span, place, moment)


def _role_of(plain: str, moment: Moment, low: int, high: int) -> str | None:
    """Return the field of the verb that stands nearest to a time; None where it is of neither."""
    nearest: tuple[int, str | None] | None = None
    roles = ((_TIME, FactField.TIME), (_REPORTED, FactField.REPORTED), (_OTHER, None))
    for pattern, field in roles:
        behind = pattern.search(plain, moment.end, min(high, moment.end + _REACH))
        before = [m.end() for m in pattern.finditer(plain, low, moment.start)]
        gaps = [behind.start() - moment.end] if behind else []
        gaps += [moment.start - max(before)] if before else []
        if gaps and (nearest is None or min(gaps) < nearest[0]):
            nearest = (min(gaps), field)
    return nearest[1] if nearest else FactField.TIME


def _place(line: Line, moments: list[Moment], at: Place) -> Iterator[Fact]:
    for patterns, words in ((_PLACES, line.plain), (_CASED_PLACES, line.written)):
        for pattern in patterns.on(line.plain):
            for match in pattern.finditer(words):
                start, end = match.span("words")
                is_time = any(m.start < end and start < m.end for m in moments)
                first = line.plain[start:end].split(" ")[0].strip(".,")
                if (
                    not is_time
                    and first not in DATE_WORDS
                    and kind_of(line.plain[start:end]) is None
                ):
                    yield _worded(FactField.PLACE, line, (start, end), at, "")
                    return


def _worded(field: str, line: Line, place: tuple[int, int], at: Place, text: str) -> Fact:
    start, end = place
    while end > start and line.plain[end - 1] in " ,.;:":
        end -= 1
    span = line.span(start, end)
    return fact(field, line.value(span), span, at, text or compared(line.plain[start:end]))


def _first(patterns: _Patterns, plain: str) -> re.Match[str] | None:
    """Return what the first pattern that stands there matches."""
    return next((match for pattern in patterns.on(plain) if (match := pattern.search(plain))), None)
