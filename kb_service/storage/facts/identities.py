"""By what a record is known to tell of an incident, and whether two are known to tell of one.

Pure functions. Reads no table, and knows of no incident which records it has.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb_service.domain.facts import (
    BEFALLS,
    BY_REPORT,
    HAPPENED,
    Fact,
    FactField,
    FactMethod,
    Precision,
    Record,
    ReportStatus,
    name_an_incident,
)
from kb_service.domain.time_roles import OF_ARRIVAL, marks_of, with_mark

_MAX_APART = timedelta(minutes=30)
"""Between what two documents give as the time of one incident."""
_MOST_DAYS = 1
"""Between the days that rows of two ledgers give to one numbered incident."""
_MAX_ROW_NUMBER = 3
"""Digits of a number that only says which row of its own ledger it stands in."""
_MIN_PLACE, _MIN_NAMED = 3, 4
_GOING_ON = (ReportStatus.FOLLOW_UP, ReportStatus.CORRECTED, ReportStatus.FINAL)
_ROUGH = (Precision.YEAR, Precision.MONTH)
IDENTIFYING = (
    FactField.TIME,
    FactField.REPORTED,
    FactField.KIND,
    FactField.NUMBER,
    FactField.PLACE,
    FactField.FOLLOWS,
    FactField.STATUS,
    *sorted(BEFALLS),
)
"""What `identity_of` reads of a record."""


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a record is known to tell of an incident; "" and None where it does not say.

    `begins`: of what it gives as the time. `is_row`: of a ledger, and no report of one in it.
    `is_of_thing`: the number is of a lift or a bed, to which several incidents happen. `goes_on`:
    it says of itself that it goes on from another paper, or closes what others began.
    """

    begins: datetime
    number: str = ""
    follows: tuple[str, ...] = ()
    occurrence: str = ""
    place: str = ""
    minute: datetime | None = None
    is_row: bool = False
    is_of_thing: bool = False
    goes_on: bool = False

    @property
    def day(self) -> str:
        """Its day where it names one and what happened, "" otherwise."""
        return self.occurrence.partition(" ")[0]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Its number, and those of what it goes on from."""
        return tuple(filter(None, (self.number, *self.follows)))


def identity_of(record: Record) -> Identity | None:
    """Return by what a record is known, None where it tells of no incident.

    An incident has a time, and a kind or a number, or its record tells of a happening as a whole; a
    month alone needs a place or a number too.
    """
    time = record.first(FactField.TIME) or record.first(FactField.REPORTED)
    status = record.first(FactField.STATUS)
    kind, number = record.first(FactField.KIND), record.first(FactField.NUMBER)
    if time is None or time.time_from is None:
        return None
    is_account = any(HAPPENED in marks_of(fact.role) for fact in record.facts if fact.time_from)
    if not (is_account or name_an_incident(record.facts)):
        return None
    is_dated = time.precision not in _ROUGH
    place = record.first(FactField.PLACE)
    if not (is_dated or place or number):
        return None  # a month's statistics tell of no incident of their own
    occurrence = f"{time.time_from:%Y-%m-%d} {kind.text}" if kind and is_dated else ""
    return Identity(
        time.time_from,
        number.text if number and not number.is_unknown else "",
        tuple(fact.text for fact in record.facts if fact.field == FactField.FOLLOWS),
        occurrence,
        _tight(place) if place else "",
        _minute(time),
        is_row=is_dated and time.method is FactMethod.COLUMN and status is None,
        is_of_thing=number is not None and number.is_of_thing,
        goes_on=status is not None and status.text in _GOING_ON,
    )


def dated_by_reports(found: Iterable[Fact]) -> list[Fact]:
    """Return facts; the times of reports marked as such of which their records say no other."""
    told = list(found)
    dated = {one.record for one in told if one.field == FactField.TIME and one.time_from}

    def stands_in(one: Fact) -> bool:
        is_report = one.field == FactField.REPORTED and one.time_from is not None
        return is_report and one.role in ("", OF_ARRIVAL) and one.record not in dated

    return [
        replace(one, role=with_mark(one.role, BY_REPORT)) if stands_in(one) else one for one in told
    ]


def is_at_other_time(one: Identity, other: Identity) -> bool:
    """True for times of day that are too far apart for one incident, or different days."""
    if one.minute and other.minute:
        return abs(one.minute - other.minute) > _MAX_APART
    return one.begins.date() != other.begins.date()


def shares_no_more(number: str, one: Identity, other: Identity) -> bool:
    """True for records of two documents whose times say that the number is all they share."""
    if number in one.follows or number in other.follows:
        return False
    if one.is_of_thing or other.is_of_thing:
        return is_at_other_time(one, other)
    apart = abs((one.begins.date() - other.begins.date()).days)
    if is_of_row(number):
        return apart > 0 and (one.is_row or other.is_row)
    return one.is_row and other.is_row and apart > _MOST_DAYS


def is_of_row(number: str) -> bool:
    """True for a number that may only say which row of its own ledger it stands in."""
    return number.isdecimal() and len(number) <= _MAX_ROW_NUMBER


def is_same(one: Identity, other: Identity) -> bool:
    """True for records of one day and kind whose places and times of day go together."""
    if one.minute and other.minute and abs(one.minute - other.minute) > _MAX_APART:
        return False
    short, long = sorted((one.place, other.place), key=len)
    return len(short) >= _MIN_PLACE and short in long


def is_same_otherwise(one: Identity, other: Identity) -> bool:
    """True for reports of one day and place, one of which goes on, that name what happened apart.

    What began as a fire is an explosion when it is looked into.
    """
    goes_on = (one.goes_on or other.goes_on) and not (one.is_row or other.is_row)
    is_named = min(len(one.place), len(other.place)) >= _MIN_NAMED
    return goes_on and is_named and is_same(one, other)


def _tight(place: Fact) -> str:
    return "".join(character for character in place.text if character.isalnum())


def _minute(time: Fact) -> datetime | None:
    is_exact = time.precision in (Precision.MINUTE, Precision.SECOND)
    return time.time_from if is_exact and time.field == FactField.TIME else None
