"""What the columns of a document's tables stand for, for people to see and to set right.

Pure functions; facts are found by the same rules (`extraction`).
"""

from collections.abc import Collection, Mapping, Sequence

from kb_service.domain.facts import OWN_COLUMN, ColumnMeaning, TableMeaning
from kb_service.language.regexes import regex
from kb_service.language.stated.extraction import labels_of, values_of
from kb_service.language.stated.labels import Label, column_of
from kb_service.language.stated.rows import Table, tables_in

_EXAMPLES = 3
_EXAMPLE_CHARS = 80
_PART_END = regex("[,;\uff0c\uff1b\u3001\u3002]")


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
    examples = tuple(dict.fromkeys(filter(None, map(_example, values))))[:_EXAMPLES]
    if name in given:
        return ColumnMeaning(name, given[name], "person", examples)
    if not label.is_standard:
        return ColumnMeaning(name, OWN_COLUMN, "", examples)
    by = "name" if column_of(name, (), heads).is_standard else "values"
    return ColumnMeaning(name, label.field, by, examples)


def _example(value: str) -> str:
    """As much of a value as is shown. A long one ends where a part of it does, or is left out: half
    a number is not known for one, and would not be masked."""
    words = value.strip()
    if len(words) <= _EXAMPLE_CHARS:
        return words
    ends = [match.end() for match in _PART_END.finditer(words, 0, _EXAMPLE_CHARS)]
    return words[: ends[-1]] if ends else ""
