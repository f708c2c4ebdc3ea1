"""Values under a label as facts: what is written there, and what it means in that field.

Pure functions. The label says the field; where it says none the value is kept as it is written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kb_service.domain.facts import (
    CASUALTIES,
    CLOCK,
    COUNTS_OF_PEOPLE,
    OTHER_KIND,
    UNKNOWN,
    Fact,
    FactField,
    FactMethod,
    ReportStatus,
)
from kb_service.domain.spans import TextSpan
from kb_service.language.events import event_places
from kb_service.language.lexicon import BULLETS, any_of, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.days_above import DaysAbove
from kb_service.language.stated.labels import Label
from kb_service.language.stated.moments import Moment, moments_in
from kb_service.language.stated.named import names_in
from kb_service.language.stated.plain import plain as plain_of
from kb_service.language.stated.sorts import (
    ORGANISATION,
    PHONE_LIKE,
    PHONES,
    Sort,
    is_name,
    sort_of,
)
from kb_service.language.stated.values import (
    MINUTES,
    Number,
    amount_in,
    duration_in,
    number_in,
    people_in,
    quantity_in,
    says_nothing,
    says_unknown,
    says_zero,
)

PERSONS = "persons"
_LEXICON = shipped_lexicon()
_AMOUNTS = (FactField.LOSS, FactField.FINE)
_TIMES = (FactField.TIME, FactField.REPORTED)
_LOOSE = 0.05
"""By so much less sure is a label that tells its field only where no other does."""
_MAX_BEHIND_CLOCK = 6
"""Characters of a zone or a word like so behind a time of day."""
_EITHER = frozenset(_LEXICON.listed("stated", "owners"))
"""Labels of what a person has, or an organisation."""
_SPACES = regex(r"\s+")
_EDGES = " \t\n\u3000.,;:*_\"'\uff0c\u3002\uff1b\uff1a\u3001"
_ENDS = ";\uff1b\u3002"
_ITEMS = regex(
    r"[;\uff1b\n\u3002]\s*|(?:^|(?<=[\s,;\uff1b\u3002]))[(\uff08]?\d{1,2}[.)\u3001\uff09](?!\d)\s*"
)
_BULLET = regex(rf"\s*(?:[-*]\s+|[{BULLETS}]\s*)?(?:\[[ xX]?\]\s*)?")
_STATUSES = {
    status: regex("|".join(_LEXICON.patterns("stated", status)))
    for status in (
        ReportStatus.CORRECTED,
        ReportStatus.FOLLOW_UP,
        ReportStatus.FINAL,
        ReportStatus.INITIAL,
    )
}
_PEOPLE = {
    field: tuple(map(regex, _LEXICON.patterns("stated", field))) for field in COUNTS_OF_PEOPLE
}
_LEVELS = tuple(
    (
        field,
        regex(rf"(?P<number>\d+)\s*\w?\s*(?:{any_of(hurt)}|(?P<none>{any_of(none)}))(?![a-z])"),
    )
    for field, hurt, none in (
        (FactField.DEAD, _LEXICON.listed("stated", "fatal_words"), ()),
        (
            FactField.INJURED,
            _LEXICON.listed("stated", "hurt_words"),
            _LEXICON.listed("stated", "unhurt_words"),
        ),
    )
)
_WHOLE_KINDS = {
    word: kind
    for tables in shipped_languages().values()
    for kind, words in tables["whole_kinds"].items()
    for word in words
}
_CONTACT_WORDS = "|".join(_LEXICON.patterns("stated", "contact_words"))
_CONTACT = regex(rf"[\s,;(\uff08\u3001]*(?:(?:{_CONTACT_WORDS})[\s.:]*)?$")
_OPENED = regex(r"[\s,;]*[(\uff08][^()\uff08\uff09\d]{0,16}\Z")
_IN_BRACKETS = regex(rf"[(\uff08][^()\uff08\uff09\d]{{0,16}}(?P<who>{PHONE_LIKE})\s*[)\uff09]")
_WORDY = regex(r"[^\W\d_]{2}")
_NO_NUMBERS = (Sort.CLOCK, Sort.PHONE, Sort.PLATE, Sort.IDENTIFIER, Sort.EMAIL)


@dataclass(frozen=True, slots=True)
class Place:
    """Which record states something, how that was found, how surely; the year and days of times
    without; `tells`: that something happened, whatever words say so."""

    record: int
    method: FactMethod
    confidence: float
    year: int | None = None
    days: DaysAbove | None = None
    tells: bool = False


def compared(plain: str) -> str:
    """Return a plain value as it is compared and grouped."""
    return _SPACES.sub(" ", plain).strip(_EDGES)


def labelled(label: Label, written: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    """Yield what the words under a label state; `span`: where they stand, white space and all."""
    lead = len(written) - len(written.lstrip())
    words = written.strip().rstrip(_ENDS)
    folded = plain[lead : lead + len(words)]
    if not words or says_nothing(folded):
        return
    inner = TextSpan(span.start + lead, span.start + lead + len(words))
    field = label.field
    if field == CASUALTIES:
        yield from _casualties(words, folded, inner, at)
    elif field in COUNTS_OF_PEOPLE:
        yield from _count(field, words, folded, inner, at)
    elif field in _AMOUNTS:
        yield from _amount(label, words, folded, inner, at)
    elif field == FactField.DURATION:
        yield from _duration(label, words, folded, inner, at)
    elif field in _TIMES:
        yield from _time(field, words, folded, inner, at)
    elif field == FactField.MEASURE:
        yield from _items(words, folded, inner, at)
    elif field == FactField.STATUS:
        yield from _standing(words, folded, inner, at)
    elif field != CLOCK:
        yield from _named(label, words, folded, inner, at)


def meaning_of(field: str, typed: str) -> Fact | None:
    """Return what words that a person gives for a field mean in it, None where they mean nothing.

    Its value and span are of the words.
    """
    words = typed.strip()
    at = Place(0, FactMethod.PERSON, 1.0)
    span = TextSpan(0, len(words))
    return next(labelled(Label(field, field), words, plain_of(words), span, at), None)


def fact(field: str, value: str, span: TextSpan, at: Place, text: str, **meaning: object) -> Fact:
    """Return a fact of that place."""
    return Fact(
        at.record,
        field,
        value,
        span,
        text,
        at.method,
        at.confidence,
        **meaning,  # type: ignore[arg-type]
    )


def counted(field: str, value: str, span: TextSpan, at: Place, number: Number | None) -> Fact:
    """Return a number of people; None: it is said not to be known."""
    return numbered(field, value, span, at, number, PERSONS)


def numbered(
    field: str, value: str, span: TextSpan, at: Place, number: Number | None, unit: str
) -> Fact:
    """Return a number in a unit; None: it is said not to be known."""
    if number is None:
        return fact(field, value, span, at, text=UNKNOWN, unit=unit)
    shown = [f"{value:.15g}" for value in (number.value, number.to) if value is not None]
    text = "-".join(shown)
    meaning = {"number": number.value, "number_to": number.to, "unit": unit}
    return fact(field, value, span, at, text=text, **meaning)


def timed(field: str, value: str, span: TextSpan, at: Place, moment: Moment) -> Fact:
    """Return a time."""
    return fact(
        field,
        value,
        span,
        at,
        text=moment.since.isoformat(timespec="minutes"),
        time_from=moment.since,
        time_to=moment.until,
        precision=moment.precision,
    )


def status_of(plain: str) -> str | None:
    """Return where a document stands among those of its incident, None where nothing says it."""
    return next((str(s) for s, pattern in _STATUSES.items() if pattern.search(plain)), None)


def kind_of(plain: str) -> str | None:
    """Return the kind of happening that words name first, None where they name none."""
    places = sorted(event_places(plain), key=lambda item: item[1])
    return places[0][0] if places else None


def whole_kind(plain: str) -> str | None:
    """Return the kind that words are the name of where they stand alone, as in a cell."""
    return _WHOLE_KINDS.get(plain)


def _worded(label: Label, words: str, plain: str, span: TextSpan, at: Place) -> Fact:
    if says_unknown(plain):
        return fact(label.field, words, span, at, text=UNKNOWN)
    text, role = compared(plain), ""
    if label.field == FactField.KIND:
        text = kind_of(plain) or whole_kind(text) or text or OTHER_KIND
        at = replace(at, confidence=at.confidence - _LOOSE) if label.is_loose else at
    elif label.field in (FactField.PERSON, FactField.ORGANISATION):
        role = label.name
    elif label.field in (FactField.PHONE, FactField.VEHICLE, FactField.NUMBER):
        text, role = tight(plain), label.name if label.is_of_thing else ""
    if label.is_standard:
        return fact(label.field, words, span, at, text=text or plain, role=role)
    return _typed(label.field, words, plain, span, at, text or plain)


def _typed(field: str, words: str, plain: str, span: TextSpan, at: Place, text: str) -> Fact:
    """Return a value that keeps its own name: with its day, or its number and unit, if it is one.

    Digits of a time of day, a phone or a plate are no number.
    """
    sort, bare = sort_of(words), fact(field, words, span, at, text)
    if sort is Sort.DAY:
        day = next(iter(moments_in(plain, at.year)), None)
        return replace(timed(field, words, span, at, day), text=text) if day else bare
    number = None if sort in _NO_NUMBERS else quantity_in(plain)
    if number is None and sort not in _NO_NUMBERS and not _WORDY.search(plain):
        number = amount_in(plain)
    if number is None:
        return bare
    return replace(bare, number=number.value, number_to=number.to, unit=number.unit)


def _named(label: Label, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    """Yield what is named, and the phone behind a person: Ann Cole, tel. 555-1234."""
    is_person = label.field == FactField.PERSON
    if is_person and ORGANISATION.search(plain):  # attended by: Harbour Police
        label, is_person = replace(label, field=FactField.ORGANISATION), False
    elif compared(plain_of(label.name)) in _EITHER and _is_of_person(plain):  # owner: Ann Cole
        label, is_person = replace(label, field=FactField.PERSON), True
    if is_person and (several := list(names_in(plain))):
        for start, stop in several:
            inner = TextSpan(span.start + start, span.start + stop)
            yield _worded(label, words[start:stop], plain[start:stop], inner, at)
        return
    phone = _phone_behind(plain) if is_person else None
    end = _name_end(plain, phone.start("who")) if phone else 0
    if phone is None or end < 2:
        yield _worded(label, words, plain, span, at)
        return
    yield _worded(label, words[:end], plain[:end], TextSpan(span.start, span.start + end), at)
    start, stop = phone.span("who")
    place = TextSpan(span.start + start, span.start + stop)
    yield fact(FactField.PHONE, words[start:stop], place, at, tight(plain[start:stop]))


def _is_of_person(plain: str) -> bool:
    return is_name(plain) and not ORGANISATION.search(plain)


def _phone_behind(plain: str) -> re.Match[str] | None:
    known = next((m for p in PHONES if (m := p.search(plain))), None)
    return known or _IN_BRACKETS.search(plain)


def _name_end(plain: str, phone: int) -> int:
    """Where a name ends: before the bracket that the phone stands in, or what announces it."""
    bracket = _OPENED.search(plain, 0, phone)
    return bracket.start() if bracket else len(_CONTACT.sub("", plain[:phone]))


def tight(plain: str) -> str:
    """Return a number, plate or phone as it is compared: without spaces and dots between."""
    return re.sub(r"[\s\xb7.()\uff08\uff09]+", "", plain)


def _count(field: str, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    if field == FactField.INJURED and (levels := _levels(plain)):
        for level, people in levels.items():
            yield counted(level, words, span, at, Number(people))
    elif (zero := says_zero(plain)) or says_unknown(plain):
        yield counted(field, words, span, at, Number(0.0) if zero else None)
    elif number := people_in(plain):
        yield counted(field, words, span, at, number)


def _levels(plain: str) -> dict[str, float]:
    """Return how many are dead and how many hurt, where numbers stand before how badly they are."""
    found: dict[str, float] = {}
    for field, pattern in _LEVELS:
        for match in pattern.finditer(plain):
            number = 0.0 if match["none"] else float(match["number"])
            found[field] = found.get(field, 0.0) + number
    return found


def _casualties(words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    """What is said of all counts is said of the dead and the injured."""
    both = (FactField.DEAD, FactField.INJURED)
    if says_zero(plain) or says_unknown(plain):
        number = Number(0.0) if says_zero(plain) else None
        yield from (counted(field, words, span, at, number) for field in both)
        return
    for field, patterns in _PEOPLE.items():
        for match in (m for pattern in patterns if (m := pattern.search(plain))):
            inner = TextSpan(span.start + match.start(), span.start + match.end())
            value = words[match.start() : match.end()]
            yield counted(field, value, inner, at, number_in(match["number"]))
            break


def _amount(label: Label, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    field = label.field
    if says_zero(plain):
        yield numbered(field, words, span, at, Number(0.0), label.unit)
    elif says_unknown(plain):
        yield numbered(field, words, span, at, None, label.unit)
    elif amount := amount_in(plain):
        # What says its own currency says its own scale as well.
        scale = 1.0 if amount.unit else label.scale
        number = Number(amount.value * scale, None if amount.to is None else amount.to * scale)
        yield numbered(field, words, span, at, number, amount.unit or label.unit)


def _standing(words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    status = status_of(plain)
    if status:
        yield fact(FactField.STATUS, words, span, at, text=status)


def _duration(label: Label, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    if says_unknown(plain):
        yield numbered(label.field, words, span, at, None, MINUTES)
    elif number := duration_in(plain, plain_of(label.name)):
        yield numbered(label.field, words, span, at, number, MINUTES)


def _time(field: str, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    if says_unknown(plain):
        yield fact(field, words, span, at, text=UNKNOWN)
        return
    of_month = at.days.in_month(span.start, plain) if at.days else None
    moments = moments_in(plain, at.year)[:1] or ([of_month] if of_month else [])
    for moment in moments:
        inner = TextSpan(span.start + moment.start, span.start + moment.end)
        yield timed(field, words[moment.start : moment.end], inner, at, moment)
    if not moments:
        yield from timed_above(field, words, plain, span, at)


def timed_above(field: str, words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    """Yield a time of day that is all of a value, on the day above it; nothing without one."""
    lead = len(plain) - len(plain.lstrip())
    told = at.days.told_by(span.start, plain) if at.days else []
    for moment in told[:1]:
        if moment.start == lead and len(plain.strip()) <= moment.end - lead + _MAX_BEHIND_CLOCK:
            inner = TextSpan(span.start + moment.start, span.start + moment.end)
            yield timed(field, words[moment.start : moment.end], inner, at, moment)


def _items(words: str, plain: str, span: TextSpan, at: Place) -> Iterator[Fact]:
    cuts = [(m.start(), m.end()) for m in _ITEMS.finditer(plain)]
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(words)]
    for start, end in zip(starts, ends, strict=True):
        part = words[start:end]
        mark = _BULLET.match(part)
        lead = mark.end() if mark else 0
        value = part[lead:].strip()
        if len(value) >= 2:
            begin = start + lead
            inner = TextSpan(begin, begin + len(value))
            text = compared(inner.of(plain))
            yield fact(FactField.MEASURE, value, inner.shifted(span.start), at, text)
