"""A query's result in words: the sentence, its lines, what stands behind it and what is missing.

Pure. Every line knows the row of the table that it tells.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb_service.domain.aggregating import Group, Number, plain
from kb_service.domain.facts import COUNTS_OF_PEOPLE, FactField
from kb_service.domain.record_queries import AGGREGATES, PERIODS, Operation
from kb_service.domain.record_sets import Unit
from kb_service.domain.tables import Cell
from kb_service.language.stated.values import scale_written
from kb_service.language.tables import (
    currency_sign,
    field_name,
    kind_name,
    said,
    scale_name,
    scope,
    side_in_words,
    unit_name,
)
from kb_service.language.time_words import days_in_words
from kb_service.services.lengths import ends_of, is_worked_out, starts_of
from kb_service.services.planning import Planned
from kb_service.services.querying import QueryResult
from kb_service.services.tabulating import DOCUMENT, FIELD, side_label

_BARE = (FactField.NUMBER, FactField.TIME, FactField.PLACE, FactField.KIND)
MAX_LINES = 20
MAX_NAMES = 5
_LISTING = frozenset(
    {
        Operation.COUNT,
        Operation.LIST,
        Operation.TIMELINE,
        Operation.EXISTS,
        Operation.TOP,
        Operation.MIN,
        Operation.MAX,
        Operation.CHANGES,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the answer. `row`: of the table that it tells; None: of them all."""

    text: str
    row: int | None = None


def lines_of(
    result: QueryResult,
    sums: Sequence[QueryResult],
    planned: Planned,
    lacking: Mapping[str, str],
    language: str,
) -> Iterator[Line]:
    """Yield what is said. `lacking`: names of documents that lack what was asked, by id."""
    yield Line(_head(result, planned, language))
    for one in sums:
        if one.numbers:
            yield Line(_aggregated(one, one.numbers, language, with_scope=False))
    for latest, meant in planned.moved:
        days = (days_in_words(one.first, one.last, language) for one in (latest, meant))
        yield Line(said("of_year", language, **dict(zip(("latest", "meant"), days, strict=True))))
    yield from _rows(result, language)
    yield from _extreme(result, planned, language)
    yield from (Line(text) for text in _behind(result, planned, lacking, language))


def _head(result: QueryResult, planned: Planned, language: str) -> str:
    query, tally = result.query, result.tally
    where = scope(query.filters, language)
    unit = unit_name(query.of, tally.matched, language)
    if not tally.matched and query.op is not Operation.COMPARE:
        return said("nothing", language, scope=where, unit=unit)
    if query.op in AGGREGATES:
        if result.numbers:
            return _aggregated(result, result.numbers, language)
        values = {"number": tally.matched, "unit": unit, "field": _field(result, language)}
        return said("none_states", language, scope=where, **values)
    if query.op is Operation.TOP:
        return _top(result, language)
    if result.groups or query.op in {Operation.GROUP, Operation.TREND, Operation.WHICH}:
        by = str(query.field if query.op is Operation.WHICH else query.by)
        values = {"by": field_name(by, language), "number": tally.matched, "unit": unit}
        form = "which" if query.op is Operation.WHICH else "grouped"
        if query.op is Operation.COMPARE:
            form = "listed"
        return said(form, language, scope=where, **values)
    forms = {Operation.EXISTS: "exists", Operation.COUNT: "counted", Operation.CHANGES: "changes"}
    form = forms.get(query.op, "listed")
    return said(form, language, scope=where, number=tally.matched, unit=unit)


def _aggregated(
    result: QueryResult, numbers: Sequence[Number], language: str, *, with_scope: bool = True
) -> str:
    query = result.query
    where = scope(query.filters, language) if with_scope else ""
    told = [
        said(
            query.op,
            language,
            scope=where,
            field=_field(result, language),
            number=plain(number.value),
            measure=f"{field_name(number.unit, language)}{_scaled(number, query.field, language)}",
            units=len(number.units),
            unit=unit_name(query.of, len(number.units), language),
        )
        for number in numbers
    ]
    return " ".join(told)


def _scaled(number: Number, name: str | None, language: str) -> str:
    """Tell an amount in the scale that most of its papers use, too: 120000元（12万元）."""
    values = [value for unit in number.units if (value := unit.settled(name or ""))]
    told = Counter(scale_written(v.value, v.number) for v in values if v.number)
    scale, times = told.most_common(1)[0] if told else (1.0, 0)
    word = scale_name(scale, language) if scale > 1 and 2 * times > told.total() else ""
    if not word:
        return ""
    sign = currency_sign(number.unit, language)
    measure = "" if sign else field_name(number.unit, language)
    shown = plain(number.value / scale)
    return said("scaled", language, sign=sign, number=shown, scale=word, measure=measure)


def _top(result: QueryResult, language: str) -> str:
    query, shown = result.query, len(result.table.rows)
    form = "top" if query.descending else "bottom"
    if query.field == FactField.TIME:
        form = "latest" if query.descending else "earliest"
    where, unit = scope(query.filters, language), unit_name(query.of, shown, language)
    field = _field(result, language)
    return said(form, language, scope=where, number=shown, unit=unit, field=field)


def _rows(result: QueryResult, language: str) -> Iterator[Line]:
    query, rows = result.query, result.table.rows
    if query.op not in _LISTING and not result.groups:
        return
    for number, row in enumerate(rows[:MAX_LINES]):
        if result.groups:
            words = _group_words(result, row, language)
        else:
            words = said("row", language, words=_row_words(result.table.columns, row, language))
        yield Line(words, number)
    if len(rows) > MAX_LINES or (len(rows) < len(result.units) and not result.groups):
        yield Line(said("shown_first", language, number=min(len(rows), MAX_LINES)))


def _group_words(result: QueryResult, row: Sequence[Cell], language: str) -> str:
    label, number = (cell.value for cell in row)
    shown = _label(result, str(label), language)
    return said("group_row", language, label=shown, number="-" if number is None else number)


def _label(result: QueryResult, label: str, language: str) -> str:
    sides = (one for one in result.query.groups if side_label(one) == label)
    if side := next(sides, None):
        return side_in_words(side, language)
    if result.query.by != FactField.KIND:
        return label
    code = label.casefold()  # as the first document wrote it
    name = kind_name(code, language)
    return label if name == code else name


def _row_words(columns: Sequence[str], row: Sequence[Cell], language: str) -> str:
    colon = said("colon", language)
    told = []
    for column, cell in zip(columns, row, strict=True):
        if cell.value is None or column == DOCUMENT:
            continue
        is_bare = column in {*_BARE, FIELD}
        name = "" if is_bare else f"{field_name(column, language)}{colon}"
        value = field_name(str(cell.value), language) if column == FIELD else cell.value
        told.append(f"{name}{value}")
    words = said("apart", language).join(told)
    document = next((c.value for n, c in zip(columns, row, strict=True) if n == DOCUMENT), None)
    return f"{words} ({document})" if words else str(document)


def _extreme(result: QueryResult, planned: Planned, language: str) -> Iterator[Line]:
    """Say which group is the largest where that was asked, and which side of two."""
    groups = [group for group in result.groups if group.number is not None]
    if result.query.op is Operation.COMPARE and len(groups) == 2:
        yield Line(_difference(result, groups, language))
    elif planned.order in {"most", "least"} and groups and result.query.op is Operation.GROUP:
        choose = max if planned.order == "most" else min
        best = choose(_number(group) for group in groups)
        labels = [_label(result, g.label, language) for g in groups if _number(g) == best]
        label = said("apart", language).join(labels)
        yield Line(said(planned.order, language, label=label, number=plain(best)))


def _difference(result: QueryResult, groups: Sequence[Group], language: str) -> str:
    low, high = sorted(groups, key=_number)
    difference = _number(high) - _number(low)
    if not difference:
        return said("same", language)
    label = _label(result, high.label, language)
    return said("more", language, label=label, number=plain(difference))


def _number(group: Group) -> float:
    return group.number or 0.0


def _behind(
    result: QueryResult, planned: Planned, lacking: Mapping[str, str], language: str
) -> Iterator[str]:
    """What stands behind the answer, and what is missing from it."""
    query, tally = result.query, result.tally
    if planned.asks_people and query.op is Operation.SUM and query.field in COUNTS_OF_PEOPLE:
        hurt = sum(1 for unit in result.units if (v := unit.settled(query.field)) and v.number)
        values = {"number": hurt, "unit": unit_name(query.of, hurt, language)}
        yield said("of_people", language, field=_field(result, language), **values)
    yield from _worked_out(result, language)
    unit = unit_name(query.of, tally.of, language)
    yield said("stands", language, documents=tally.documents, of=tally.of, unit=unit)
    if any((time := one.settled(FactField.TIME)) and time.is_by_report for one in result.units):
        yield said("by_report", language)
    if any(map(_is_of_arrival, result.units)):
        yield said("by_arrival", language)
    if query.filters.text:
        yield said("by_words", language, words=said("apart", language).join(query.filters.text))
    yield from _lacking(result, lacking, language)
    for form, number in (("unclear", tally.unclear), ("disputed", tally.disputed)):
        if number:
            yield said(form, language, number=number, unit=unit_name(query.of, number, language))


def _is_of_arrival(unit: Unit) -> bool:
    return any(value.is_of_arrival for values in unit.values.values() for value in values)


def _lacking(result: QueryResult, names: Mapping[str, str], language: str) -> Iterator[str]:
    """Tell which documents state nothing of what was asked, and of which some records do not."""
    asked = (field_name(name, language) for name in asked_fields(result))
    fields = said("and", language).join(asked)
    counted = _stating(result)
    for form, is_partly in (("lacking", False), ("lacking_partly", True)):
        which = [one for one in result.tally.lacking if (one in counted) is is_partly]
        told = [name for one in which[:MAX_NAMES] if (name := names.get(one))]
        if len(which) > MAX_NAMES:
            told.append(said("more_names", language))
        if which:
            shown = said("apart", language).join(told)
            yield said(form, language, number=len(which), fields=fields, names=shown)


def _stating(result: QueryResult) -> frozenset[str]:
    """Return the documents of which a record was counted for what it states."""
    query = result.query
    asked = (query.field, None if query.by in PERIODS else query.by)
    needed = [str(name) for name in asked if name]
    units = (unit for unit in result.units if all(unit.all(name) for name in needed))
    return frozenset(row.document_id for unit in units for row in unit.records)


def _worked_out(result: QueryResult, language: str) -> Iterator[str]:
    """Say of how many units a length was worked out, and from what."""
    units = [unit for unit in result.units if is_worked_out(unit)]
    if result.query.field != FactField.DURATION or not units:
        return
    known = {name for unit in units for name in unit.values}
    starts, ends = sorted(starts_of(known)), sorted(ends_of(known))
    yield said(
        "worked_out",
        language,
        number=len(units),
        unit=unit_name(result.query.of, len(units), language),
        start=said("apart", language).join(field_name(name, language) for name in starts),
        end=said("apart", language).join(ends),
    )


def asked_fields(result: QueryResult) -> list[str]:
    """Return the fields that records have to state to be counted."""
    query, filters = result.query, result.query.filters
    by = FactField.TIME if query.by in PERIODS else query.by
    named: list[str | None] = [query.field, by if query.op is not Operation.COMPARE else None]
    named += [FactField.TIME if filters.time_from or filters.time_to else None]
    named += [FactField.KIND if filters.kind else None]
    named += [FactField.PLACE if filters.place else None]
    named += [FactField.PERSON if filters.person else None]
    named += [FactField.ORGANISATION if filters.unit else None]
    named += [one.field for one in filters.fields]
    return [str(name) for name in dict.fromkeys(named) if name]


def _field(result: QueryResult, language: str) -> str:
    return field_name(str(result.query.field), language)
