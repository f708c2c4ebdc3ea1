"""How long something took, worked out where records state only when it began and was over. Pure.

The time between the one start and the one end that a record states to the minute; told as such.
"""

from collections.abc import Collection, Iterable

from kb_service.domain.facts import FactField, Precision
from kb_service.domain.record_queries import RecordQuery
from kb_service.domain.record_sets import Unit, Value
from kb_service.language.lengths import says_end, says_start

_PRECISE = frozenset({Precision.MINUTE, Precision.SECOND})
_MINUTES = "minutes"
_WORKED_OUT = "worked out"
"""In the place of the precision of a length, which is stated with none."""


def ends_of(have: Iterable[str]) -> frozenset[str]:
    """Return the columns of a base that say when something was over."""
    return frozenset(name for name in have if says_end(name))


def starts_of(have: Iterable[str]) -> frozenset[str]:
    """Return the fields of a base that say when something began."""
    return frozenset(str(name) for name in have if name == FactField.TIME or says_start(name))


def states_length(have: Collection[str]) -> bool:
    """True where records state how long something took, or from when until when."""
    return FactField.DURATION in have or bool(starts_of(have) and ends_of(have))


def sources_of(query: RecordQuery, have: Collection[str]) -> frozenset[str]:
    """Return the fields from which the length follows that a query asks for."""
    is_asked = query.field == FactField.DURATION and states_length(have)
    return starts_of(have) | ends_of(have) if is_asked else frozenset()


def work_out(units: Iterable[Unit], have: Collection[str]) -> None:
    """Put to units that state no length the one that follows from their start and end."""
    starts, ends = starts_of(have), ends_of(have)
    for unit in units:
        is_open = FactField.DURATION not in unit.values
        if is_open and (length := _length(unit, starts, ends)):
            unit.values[FactField.DURATION] = [length]


def is_worked_out(unit: Unit) -> bool:
    """True where the length of a unit follows from when it began and ended."""
    return any(value.precision == _WORKED_OUT for value in unit.values.get(FactField.DURATION, ()))


def _length(unit: Unit, starts: Iterable[str], ends: Iterable[str]) -> Value | None:
    began, over = _moment(unit, starts), _moment(unit, ends)
    if not (began and began.time_from and over and over.time_from):
        return None
    minutes = (over.time_from - began.time_from).total_seconds() / 60
    if minutes < 0:
        return None
    return over._replace(
        field=str(FactField.DURATION),
        text=f"{minutes:g}",
        value=f"{minutes:g}",
        number=minutes,
        unit=_MINUTES,
        time_from=None,
        time_to=None,
        precision=_WORKED_OUT,
    )


def _moment(unit: Unit, names: Iterable[str]) -> Value | None:
    """Return the one moment that a unit states by any of the names, to the minute."""
    found = (value for name in sorted(names) if (value := unit.settled(name)))
    told = [value for value in found if not value.is_by_report]
    moments = {value.time_from: value for value in told if value.precision in _PRECISE}
    return next(iter(moments.values())) if len(moments) == 1 else None
