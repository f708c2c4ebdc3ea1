"""What the columns of a document's tables stand for, for people to see and to set right.

Pure functions; facts are found by the same rules (`extraction`).
"""

from collections.abc import Collection, Mapping, Sequence

from kb_service.domain.facts import OWN_COLUMN, ColumnMeaning, TableMeaning
from kb_service.language.stated.extraction import labels_of, values_of
from kb_service.language.stated.labels import Label, column_of
from kb_service.language.stated.rows import Table, tables_in

_EXAMPLES = 3
_EXAMPLE_CHARS = 80


def columns_in(text: str, given: Mapping[str, str]) -> tuple[TableMeaning, ...]:
    """Return the tables of a text. `given`: what people said that columns stand for."""
    return tuple(
        TableMeaning(len(table.rows), _meanings(table, values_of(text, table), given))
        for table in tables_in(text)
    )


def _meanings(
    table: Table, values: Mapping[str, Sequence[str]], given: Mapping[str, str]
) -> tuple[ColumnMeaning, ...]:
    told = zip(table.names, labels_of(table, values, given), strict=True)
    return tuple(_meaning(label, name, values[name], given, table.heads) for name, label in told)


def _meaning(
    label: Label,
    name: str,
    values: Sequence[str],
    given: Mapping[str, str],
    heads: Collection[str],
) -> ColumnMeaning:
    shown = dict.fromkeys(value.strip()[:_EXAMPLE_CHARS] for value in values if value.strip())
    examples = tuple(shown)[:_EXAMPLES]
    if name in given:
        return ColumnMeaning(name, given[name], "person", examples)
    if not label.is_standard:
        return ColumnMeaning(name, OWN_COLUMN, "", examples)
    by = "name" if column_of(name, (), heads).is_standard else "values"
    return ColumnMeaning(name, label.field, by, examples)
