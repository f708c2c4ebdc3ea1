"""From selected units to what was asked of them: numbers, groups, order. Pure functions.

What a unit does not state is never filled in: it is left out and told.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, median
from typing import NamedTuple

from kb_service.domain.facts import FactField
from kb_service.domain.record_periods import is_within, period_label, periods_between
from kb_service.domain.record_queries import PERIODS, ByPeriod, Measure, Operation, RecordQuery
from kb_service.domain.record_sets import Unit, Value

_NO_TIME = "~"  # behind every digit
_MAX_NUMBER = 2**63
_MAX_DIGITS = len(str(_MAX_NUMBER))
_ANY_TIME = datetime.fromisoformat("2000-01-01")


@dataclass(frozen=True, slots=True)
class Number:
    """An aggregate of a field over the `units` that state it in one `unit` of measure."""

    value: float
    unit: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Units that share a label. `number`: what was measured of them, None when none states it."""

    label: str
    units: tuple[Unit, ...]
    number: float | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Units that state a field, and those that do not or not to the point."""

    stating: tuple[Unit, ...] = ()
    lacking: tuple[Unit, ...] = ()
    unclear: tuple[Unit, ...] = ()


def stating_number(units: Iterable[Unit], name: str, *, orders: bool = False) -> Sorted:
    """Part units by whether they state one number for a field; a range is not to the point.

    `orders`: a time is to the point too, where its day is known.
    """
    stating, lacking, unclear = list[Unit](), list[Unit](), list[Unit]()
    for unit in units:
        value = unit.settled(name)
        if value is None or not value.is_known:
            lacking.append(unit)
        elif not (_is_to_the_point(value) or (orders and _is_dated(value))):
            unclear.append(unit)
        else:
            stating.append(unit)
    return Sorted(tuple(stating), tuple(lacking), tuple(unclear))


def measured(units: Sequence[Unit], measure: Measure, name: str) -> tuple[Number, ...]:
    """Return the aggregate of a field over units that state it, one for each unit of measure."""
    by_unit: dict[str, list[Unit]] = {}
    for unit in units:
        by_unit.setdefault(_value(unit, name).unit, []).append(unit)
    by_unit = _with_nothing(by_unit, name)
    return tuple(
        Number(_AGGREGATES[measure]([_number(one, name) for one in same]), key, tuple(same))
        for key, same in sorted(by_unit.items())
    )


def _with_nothing(by_unit: dict[str, list[Unit]], name: str) -> dict[str, list[Unit]]:
    """No loss at all is of no currency: it counts with those of the only one there is."""
    bare, others = by_unit.get("", []), [key for key in by_unit if key]
    if len(others) != 1 or any(_number(unit, name) for unit in bare):
        return by_unit
    return {others[0]: [*by_unit[others[0]], *bare]}


def ranked(units: Iterable[Unit], name: str, *, descending: bool) -> list[Unit]:
    """Return units by their number or time of a field; equals keep their order."""
    return sorted(units, key=lambda one: _place_in_order(one, name), reverse=descending)


def extremes(units: Sequence[Unit], name: str, *, most: bool) -> list[Unit]:
    """Return every unit that states the most, or the least, of a field."""
    if not units:
        return []
    best = (max if most else min)(_number(unit, name) for unit in units)
    return [unit for unit in units if _number(unit, name) == best]


def in_time(units: Iterable[Unit]) -> list[Unit]:
    """Return units by the time of the incident; those without one last, in their order."""
    return sorted(units, key=place_in_time)


class PlaceInTime(NamedTuple):
    """Where a unit stands among others in time. `when`: sorts like the moment, if there is one."""

    when: str
    revision_id: int
    record: int

    @property
    def moment(self) -> datetime | None:
        """The time of the incident, None where it is not stated."""
        return None if self.when == _NO_TIME else datetime.fromisoformat(self.when)

    @property
    def row(self) -> tuple[int, int]:
        """The first of the unit's records."""
        return self.revision_id, self.record


def place_in_time(unit: Unit) -> PlaceInTime:
    """Return where a unit stands among others in time."""
    value, first = unit.settled(FactField.TIME), unit.records[0]
    stated = value.time_from if value else None
    when = stated.isoformat() if stated else _NO_TIME
    return PlaceInTime(when, first.revision_id, first.record)


def place_of(keys: Sequence[str]) -> PlaceInTime | None:
    """Return the place that was written as three texts; None for what is none."""
    when, *numbers = keys
    if not all(one.isascii() and one.isdecimal() for one in numbers):
        return None
    if any(len(one) > _MAX_DIGITS for one in numbers):
        return None
    place = PlaceInTime(when, *map(int, numbers))
    try:
        moment = place.moment
    except ValueError:
        return None
    is_local = moment is None or moment.tzinfo is None
    return place if is_local and max(place.row) < _MAX_NUMBER else None


def behind(units: Iterable[Unit], place: PlaceInTime) -> list[Unit]:
    """Return the units behind a place in time."""
    return [unit for unit in units if place_in_time(unit) > place]


def grouped(units: Iterable[Unit], by: str) -> tuple[dict[str, list[Unit]], Sorted]:
    """Return units by their labels of a field or period, and which have none.

    A unit that states several values (of people, say) stands in several groups.
    """
    label_of = _period_labels(by) if by in PERIODS else _texts(by)
    groups: dict[str, list[Unit]] = {}
    stating, lacking, unclear = list[Unit](), list[Unit](), list[Unit]()
    name = FactField.TIME if by in PERIODS else by
    for unit in units:
        labels = label_of(unit)
        for label in labels:
            groups.setdefault(label, []).append(unit)
        if labels:
            stating.append(unit)
        else:
            (unclear if unit.all(name) else lacking).append(unit)
    return groups, Sorted(tuple(stating), tuple(lacking), tuple(unclear))


def groups_of(query: RecordQuery, units: Sequence[Unit]) -> tuple[list[Group], Sorted]:
    """Return the groups that a query asks for: periods in their order, others the largest first."""
    by = query.field if query.op is Operation.WHICH else query.by
    found, parts = grouped(units, by or "")
    if query.op is Operation.TREND and found:
        found = {label: found.get(label, []) for label in periods_between(found, ByPeriod(str(by)))}
    told = [_group(query, _as_written(label, same, by), same) for label, same in found.items()]
    if by in PERIODS:
        return sorted(told, key=lambda group: group.label), parts
    sign = -1 if query.descending else 1

    def order(group: Group) -> tuple[bool, float, str]:
        return group.number is None, sign * (group.number or 0), group.label

    return sorted(told, key=order), parts


def _as_written(label: str, units: Sequence[Unit], by: str | None) -> str:
    """Return a label with the capitals of who writes it first, where only these differ."""
    values = (value for unit in units for value in unit.all(by or "") if value.text == label)
    written = (" ".join(value.value.split()) for value in values)
    return next((words for words in written if words.casefold() == label), label)


def side(query: RecordQuery, label: str, units: Sequence[Unit]) -> Group:
    """Return one side of a comparison."""
    return _group(query, label, list(units))


def plain(number: float) -> float | int:
    """Return a number as people write it: whole where it is, without the dust of fractions."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _group(query: RecordQuery, label: str, units: list[Unit]) -> Group:
    if query.measure is Measure.COUNT or not query.field:
        return Group(label, tuple(units), len(units))
    stating = stating_number(units, query.field).stating
    numbers = measured(stating, query.measure, query.field)
    if len(numbers) != 1:
        return Group(label, tuple(units), None)
    return Group(label, tuple(units), numbers[0].value, numbers[0].unit)


def _texts(by: str) -> Callable[[Unit], list[str]]:
    def labels(unit: Unit) -> list[str]:
        return list(dict.fromkeys(value.text for value in unit.all(by)))

    return labels


def _period_labels(by: str) -> Callable[[Unit], list[str]]:
    period = ByPeriod(by)

    def labels(unit: Unit) -> list[str]:
        found = [
            period_label(value.time_from, value.precision, period)
            for value in unit.all(FactField.TIME)
            if value.time_from is not None
        ]
        return [label for label in found if label]

    return labels


def _is_to_the_point(value: Value) -> bool:
    return value.number is not None and value.number_to in (None, value.number)


def _is_dated(value: Value) -> bool:
    return value.time_from is not None and is_within(value.precision, ByPeriod.DAY)


def _value(unit: Unit, name: str) -> Value:
    value = unit.settled(name)
    if value is None or value.number is None:
        raise ValueError(f"a unit that does not state {name} is measured")
    return value


def _number(unit: Unit, name: str) -> float:
    number = _value(unit, name).number
    return 0.0 if number is None else number


def _place_in_order(unit: Unit, name: str) -> float:
    value = unit.settled(name)
    if value is not None and value.time_from is not None:
        return (value.time_from - _ANY_TIME).total_seconds()
    return _number(unit, name)


_AGGREGATES: dict[Measure, Callable[[Sequence[float]], float]] = {
    Measure.COUNT: lambda numbers: float(len(numbers)),
    Measure.SUM: math.fsum,
    Measure.MIN: min,
    Measure.MAX: max,
    Measure.AVERAGE: fmean,
    Measure.MEDIAN: median,
}
