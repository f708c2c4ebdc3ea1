"""Which of all that a record states holds: of a field that it has once the surest value.

Pure functions on facts. Reads no text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb_service.domain.facts import (
    COUNTS_OF_PEOPLE,
    REPLACED,
    STATED_ONCE,
    Fact,
    FactField,
    FactMethod,
    Precision,
    ReportStatus,
)
from kb_service.domain.spans import TextSpan
from kb_service.language.stated.places import Places

_GOING_ON = (ReportStatus.FOLLOW_UP, ReportStatus.CORRECTED)
NAMED, UNHURT = "named", "unhurt"
"""Roles of a count until the whole record is read: of one person by name, of some who are well."""


def _is_surer(item: Fact, best: Fact) -> bool:
    """True for what is stated more surely, or as surely and more exactly: 14 Mill Lane, 9:05.

    The day by which a title calls an incident gives way to any time of day on it.
    """
    if item.field == FactField.PLACE and item.confidence == best.confidence:
        return item.text != best.text and best.text in item.text
    is_called = best.method is FactMethod.TITLE and item.field == FactField.TIME
    is_as_sure = item.confidence == best.confidence or is_called
    if not is_as_sure or best.precision is not Precision.DAY:
        return item.confidence > best.confidence
    is_within = item.time_from and best.time_from and item.time_from.date() == best.time_from.date()
    return bool(is_within) and item.precision not in (Precision.DAY, best.precision)


def without_signed_day(found: Iterable[Fact]) -> list[Fact]:
    """Return the facts without the day of signing as a time, of a paper that goes on from another.

    It happened when the other one says.
    """
    listed = list(found)
    signed = {item.span for item in listed if item.field == FactField.REPORTED}
    goes_on = any(
        item.field == FactField.FOLLOWS
        or (item.field == FactField.STATUS and item.text in _GOING_ON)
        for item in listed
    )
    return [
        item
        for item in listed
        if not (goes_on and item.field == FactField.TIME and item.span in signed)
    ]


def one_of_each(found: Iterable[Fact]) -> list[Fact]:
    """Return the surest fact of a field that a record has once, and each value of the others once.

    Somebody in two roles is stated twice. What a sentence says in the place of a label is no other.
    """
    listed = _with_named(list(found))
    labelled_spans: dict[str, list[TextSpan]] = {}
    for item in listed:
        if item.method is FactMethod.FORM:
            labelled_spans.setdefault(item.field, []).append(item.span)
    under = {field: Places(sorted(spans)) for field, spans in labelled_spans.items()}
    best: dict[tuple[str, str, str], Fact] = {}
    for item in listed:
        is_said = item.method is FactMethod.SENTENCE and item.field not in STATED_ONCE
        if is_said and item.field in under and under[item.field].touches(item.span):
            continue
        is_one = item.field in STATED_ONCE and item.role != REPLACED
        key = (item.field, "", "") if is_one else (item.field, item.text, item.role)
        if key not in best or _is_surer(item, best[key]):
            best[key] = item
    return sorted(best.values(), key=lambda item: (item.span, item.field))


def _with_named(listed: Sequence[Fact]) -> list[Fact]:
    """Return the facts with one count of the people who are named, where no other is stated.

    That others came off unhurt says nothing against them.
    """
    named: dict[str, dict[str, Fact]] = {}
    told: list[Fact] = []
    for item in listed:
        if item.role == NAMED and item.field in COUNTS_OF_PEOPLE:
            named.setdefault(item.field, {}).setdefault(item.text, item)
        else:
            told.append(item)
    if named:
        told = [one for one in told if not (_is_of_unhurt(one) and one.field in named)]
    stated = {item.field for item in told if item.role != REPLACED}
    told = [replace(one, role="") if _is_of_unhurt(one) else one for one in told]
    for field, people in named.items():
        if field not in stated:
            first, number = next(iter(people.values())), len(people)
            told.append(replace(first, text=str(number), number=float(number), role=""))
    return told


def _is_of_unhurt(item: Fact) -> bool:
    return item.role == UNHURT and item.field in COUNTS_OF_PEOPLE
