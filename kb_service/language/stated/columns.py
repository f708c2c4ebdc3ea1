"""What the columns of a document's tables stand for, for people to see and to set right.

Pure functions; facts are found by the same rules (`extraction`).
"""

from collections.abc import Collection, Mapping

from kb_service.domain.facts import OWN_COLUMN, ColumnMeaning, TableMeaning
from kb_service.language.stated.extraction import values_of
from kb_service.language.stated.labels import column_of
from kb_service.language.stated.rows import tables_in

_EXAMPLES = 3
_EXAMPLE_CHARS = 80


def columns_in(text: str, given: Mapping[str, str]) -> tuple[TableMeaning, ...]:
    """Return the tables of a text. `given`: what people said that columns stand for."""
    return tuple(
        TableMeaning(
            len(table.rows),
            tuple(
                _meaning(name, values, given, table.heads)
                for name, values in values_of(text, table).items()
            ),
        )
        for table in tables_in(text)
    )


def _meaning(
    name: str, values: list[str], given: Mapping[str, str], heads: Collection[str]
) -> ColumnMeaning:
    shown = dict.fromkeys(value.strip()[:_EXAMPLE_CHARS] for value in values if value.strip())
    examples = tuple(shown)[:_EXAMPLES]
    if name in given:
        return ColumnMeaning(name, given[name], "person", examples)
    label = column_of(name, values, heads)
    if not label.is_standard:
        return ColumnMeaning(name, OWN_COLUMN, "", examples)
    by = "name" if column_of(name, (), heads).is_standard else "values"
    return ColumnMeaning(name, label.field, by, examples)
