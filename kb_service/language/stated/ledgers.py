"""Which tables of a text are ledgers, whose rows are records, and what their columns stand for.

Pure functions. Knows not what a row states.
"""

from collections.abc import Mapping, Sequence

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.language.stated.entries import is_called_log
from kb_service.language.stated.fields import status_of
from kb_service.language.stated.labels import Label, column_as, column_of, sorted_out
from kb_service.language.stated.meaning import Sense, settled
from kb_service.language.stated.plain import plain
from kb_service.language.stated.rows import Table, tables_in
from kb_service.language.stated.sorts import Sort, sort_of
from kb_service.language.states import state_of

_SAMPLED_ROWS = 100


def ledgers_in(
    text: str, folded: str, columns: Mapping[str, str], sense: Sense | None
) -> list[tuple[Table, tuple[Label, ...]]]:
    """Return the tables whose rows are records, with what their columns stand for."""
    tables = tables_in(text)
    is_log = is_called_log(folded)
    understood = (
        (table, labels_of(table, values, columns, sense), values)
        for table, values in zip(tables, values_of(text, tables), strict=True)
    )
    return [
        (table, labels)
        for table, labels, values in understood
        if any(label.is_standard for label in labels)
        and (is_log or not _is_of_steps(labels, values))
    ]


def _is_of_steps(labels: Sequence[Label], values: Mapping[str, Sequence[str]]) -> bool:
    """True for a table that tells of one happening by the clock: 09:14 first errors."""
    known = [label for label in labels if label.is_standard]
    told = [value for label in known for value in values[label.name]]
    return len(known) == 1 and bool(told) and all(sort_of(v) is Sort.CLOCK for v in told)


def labels_of(
    table: Table,
    values: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    sense: Sense | None = None,
) -> tuple[Label, ...]:
    """Return what the columns of a table stand for; `columns`: what people said of some."""
    labels = [
        column_as(name, columns[name])
        if name in columns
        else column_of(name, values[name], table.heads)
        for name in table.names
    ]
    told = settled(sorted_out(labels, values), values, sense)
    return tuple(
        labels[place] if label.name in columns else _own_state(label, values[label.name])
        for place, label in enumerate(told)
    )


def _own_state(label: Label, values: Sequence[str]) -> Label:
    """A column of areas keeps its name, and one of states of no report: open and closed, 已修复."""
    if label.field == FactField.AREA and label.name != FactField.AREA:
        return Label(label.name, label.name)
    told = (value for value in map(plain, values) if status_of(value))
    is_of_reports = any(state_of(value) is None for value in told)
    if label.field != FactField.STATUS or is_of_reports or label.name in STANDARD_FIELDS:
        return label
    return Label(label.name, label.name)


def values_of(text: str, tables: Sequence[Table]) -> list[dict[str, list[str]]]:
    """Return the values under each name of each table, of its first rows.

    Tables of the same names, as sheets of one workbook, are of one kind: with those of all of them.
    """
    alike: dict[frozenset[str], dict[str, list[str]]] = {}
    for table in tables:
        values = alike.setdefault(frozenset(table.names), {name: [] for name in table.names})
        for row in table.rows[:_SAMPLED_ROWS]:
            for cell in row.cells:
                values[cell.name].append(cell.span.of(text))
    return [alike[frozenset(table.names)] for table in tables]
