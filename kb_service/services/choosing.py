"""Which typed query the sketch of a question asks for. Pure; knows no base but its fields."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from kb_service.domain.facts import NUMBER_FIELDS, STANDARD_FIELDS, FactField, Role
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import (
    NO_FILTERS,
    PERIODS,
    ByPeriod,
    Counted,
    Measure,
    Operation,
    RecordQuery,
)
from kb_service.language.across import Sketch, says_how_long
from kb_service.services.lengths import ends_of, starts_of, states_length

_SHOWN = (FactField.NUMBER, FactField.TIME, FactField.PLACE, FactField.KIND)
_OF_ORDER = {"deadliest": FactField.DEAD, "costliest": FactField.LOSS}
_LEAST = frozenset({"least", "earliest", "shortest"})
_LONG = frozenset({"longest", "shortest"})
_IN_TIME = frozenset({"latest", "earliest"})
_MEANS = (Operation.AVERAGE, Operation.MEDIAN)
"""Of several fires: how many they are is told beside."""
_AGGREGATES = (Operation.SUM, *_MEANS)

Chosen = tuple[RecordQuery | None, tuple[RecordQuery, ...], tuple[str, ...]]
"""The query, the sums asked for beside it, and the fields that the base lacks for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A sketch with what the base knows of its words.

    `own`: columns of the base's own that it names. `filters`: what it restricts itself; `given`:
    what holds beside that whatever it says. `have`: the fields that the base has; `numeric`: the
    own columns that are numbers. `how_long`: the length of something is asked for.
    """

    sketch: Sketch
    own: Mapping[str, str]
    filters: Filters
    alternatives: tuple[Filters, ...]
    have: Collection[str]
    numeric: Collection[str] = ()
    how_long: bool = False
    given: Filters = NO_FILTERS

    def names(self, asked: Iterable[str]) -> tuple[str, ...]:
        """Return fields under the names that the base has for them."""
        named = (self.own.get(str(one), str(one)) for one in asked)
        return tuple(dict.fromkeys(held_as(one, self.have) for one in named))

    @property
    def of(self) -> Counted:
        """What is counted or listed."""
        return self.sketch.counts or self.sketch.lists or Counted.INCIDENTS

    @property
    def by(self) -> str | None:
        """What is grouped by; None: nothing, or a number, which orders."""
        by = self.sketch.by
        named = held_as(self.own.get(by, by), self.have) if by else None
        return None if named in self.numeric or named in NUMBER_FIELDS else named

    @property
    def numbers(self) -> tuple[str, ...]:
        """The fields whose numbers are asked for, the first one first."""
        sketch = self.sketch
        named = self.names([*sketch.measured, *filter(None, [sketch.by]), *sketch.columns])
        found = tuple(n for n in named if n in NUMBER_FIELDS or n in self.numeric)
        is_length = self.how_long and not found
        return (held_as(FactField.DURATION, self.have),) if is_length else found

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that are asked to be shown."""
        return self.names([*self.sketch.columns, *self.sketch.measured])


def choose(asked: Asked) -> Chosen | None:
    """Return the query that a question asks for; None where it asks for nothing of many."""
    query = next((made for make in _CHOICES if (made := make(asked))), None)
    if query is None:
        return None
    query = replace(query, filters=asked.given.both(query.filters) or asked.given)
    also = _sums(asked, query)
    needed = (query.field, query.by, *(one.field for one in query.filters.fields))
    wanted = [str(n) for n in needed if n and n not in PERIODS]
    if query.by in PERIODS or query.filters.time_from or any(g.time_from for g in query.groups):
        wanted.append(FactField.TIME)
    have = {*asked.have, *([FactField.DURATION] if states_length(asked.have) else [])}
    lacking = [name for name in dict.fromkeys(wanted) if name not in have]
    return query, also, tuple(map(str, lacking))


def _compare(asked: Asked) -> RecordQuery | None:
    if not asked.sketch.compares or len(asked.alternatives) != 2:
        return None
    common = _without(asked.filters, asked.alternatives[0])
    number = next(iter(asked.numbers), None)
    return RecordQuery(
        Operation.COMPARE,
        common,
        asked.of,
        field=number,
        measure=Measure.SUM if number else Measure.COUNT,
        groups=asked.alternatives,
    )


def _ordered(asked: Asked) -> RecordQuery | None:
    """The most, the least, the latest: of records by a number, else of groups by their size."""
    order, sketch = asked.sketch.order, asked.sketch
    if order is None:
        return None
    is_down, top = order not in _LEAST, sketch.top
    number = next(iter(asked.numbers), _OF_ORDER.get(order))
    if order in _IN_TIME:
        number = FactField.TIME
    if order in _LONG and number in (None, FactField.TIME):
        number = length_field(asked.have)
    others = {*asked.numbers, *starts_of(asked.own.values()), *ends_of(asked.own.values())}
    by = asked.by or next((c for c in asked.columns if c not in others), None)
    if by and order not in _IN_TIME:
        return RecordQuery(
            Operation.GROUP,
            asked.filters,
            asked.of,
            field=number,
            by=by,
            measure=Measure.SUM if number else Measure.COUNT,
            descending=is_down,
        )
    if number is None and order != "worst":
        return None
    number = number or FactField.DEAD
    if top is None and order not in _IN_TIME:
        op = Operation.MAX if is_down else Operation.MIN
        return RecordQuery(op, asked.filters, asked.of, str(number), columns=_shown(asked))
    return RecordQuery(
        Operation.TOP,
        asked.filters,
        asked.of,
        str(number),
        columns=_shown(asked),
        limit=top or 1,
        descending=is_down,
    )


def held_as(name: str, have: Collection[str]) -> str:
    """Return the field itself, or what the base has in its place.

    How long something took may stand in a column of its own; where no area is stated, places are.
    """
    if name == FactField.AREA and name not in have:
        return FactField.PLACE
    return length_field(have) if name == FactField.DURATION else name


def length_field(have: Collection[str]) -> str:
    """Return the field that says how long something took: the base's own, where that is one."""
    own = [n for n in have if n not in STANDARD_FIELDS and says_how_long(n.casefold())]
    return own[0] if len(own) == 1 and FactField.DURATION not in have else FactField.DURATION


def _trend(asked: Asked) -> RecordQuery | None:
    if asked.sketch.operation is not Operation.TREND:
        return None
    by = asked.by if asked.by in PERIODS else _period(asked.given.both(asked.filters))
    return _grouped(asked, Operation.TREND, str(by))


def _group(asked: Asked) -> RecordQuery | None:
    return _grouped(asked, Operation.GROUP, asked.by) if asked.by else None


def _grouped(asked: Asked, op: Operation, by: str) -> RecordQuery:
    number = next(iter(asked.numbers), None)
    operation = asked.sketch.operation
    measure = Measure.SUM if number else Measure.COUNT
    if number and operation in _AGGREGATES:
        measure = Measure(operation.value)
    return RecordQuery(op, asked.filters, asked.of, number, by, measure)


def _aggregate(asked: Asked) -> RecordQuery | None:
    operation, numbers = asked.sketch.operation, asked.numbers
    if not numbers or (asked.sketch.counts and operation not in _MEANS):
        return None
    if operation not in _AGGREGATES:
        if not asked.sketch.measured or asked.sketch.lists:
            return None
        operation = Operation.SUM
    return RecordQuery(operation, asked.filters, asked.of, numbers[0], columns=_shown(asked))


def _which(asked: Asked) -> RecordQuery | None:
    """Who handled the fires, in which places were they: the values of a field."""
    sketch, columns = asked.sketch, asked.columns
    if sketch.counts or sketch.lists or sketch.operation or len(columns) != 1:
        return None
    people = {FactField.PERSON, FactField.ORGANISATION, FactField.VEHICLE, *Role}
    is_of_names = columns[0] in people
    if not is_of_names or asked.numbers:
        return None
    return RecordQuery(Operation.WHICH, asked.filters, asked.of, columns[0])


def _listed(asked: Asked) -> RecordQuery | None:
    sketch = asked.sketch
    op = Operation.LIST
    if sketch.operation is Operation.CHANGES:
        return RecordQuery(Operation.CHANGES, asked.filters)
    if sketch.operation in (Operation.TIMELINE, Operation.EXISTS):
        op = sketch.operation
    elif sketch.counts:
        op = Operation.COUNT
    elif not (sketch.lists or sketch.happened or sketch.columns or sketch.ranges):
        return None
    return RecordQuery(op, asked.filters, asked.of, columns=_shown(asked))


_CHOICES: tuple[Callable[[Asked], RecordQuery | None], ...] = (
    _compare,
    _ordered,
    _trend,
    _group,
    _aggregate,
    _which,
    _listed,
)
"""The first that fits: what is more particular before what is less."""


def _sums(asked: Asked, query: RecordQuery) -> tuple[RecordQuery, ...]:
    """What is asked for beside: how many were hurt in the incidents that are counted."""
    if query.op in {Operation.GROUP, Operation.TREND, Operation.COMPARE, Operation.WHICH}:
        return ()
    wanted = asked.names(asked.sketch.measured)
    rest = [name for name in wanted if name != query.field and name in asked.have]
    return tuple(
        RecordQuery(Operation.SUM, query.filters, query.of, name, columns=(name,)) for name in rest
    )


def _shown(asked: Asked) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*map(str, _SHOWN), *asked.columns)))


def _period(filters: Filters | None) -> ByPeriod:
    """The periods that show a stretch of time well."""
    if filters is None or not (filters.time_from and filters.time_to):
        return ByPeriod.MONTH
    length = filters.time_to - filters.time_from
    if length <= timedelta(days=31):
        return ByPeriod.DAY
    return ByPeriod.MONTH if length <= timedelta(days=3 * 366) else ByPeriod.YEAR


def _without(filters: Filters, other: Filters) -> Filters:
    """Return filters without what another one restricts; of fields, without those that it names."""
    empty, named = Filters(), {one.field for one in other.fields}
    kept = tuple(one for one in filters.fields if one.field not in named)
    cleared = {
        one.name: getattr(empty, one.name)
        for one in fields(filters)
        if one.name != "fields" and getattr(other, one.name) != getattr(empty, one.name)
    }
    return replace(filters, fields=kept, **cleared)
