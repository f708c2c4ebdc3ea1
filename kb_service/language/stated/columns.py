"""What the columns of tables and the labels of forms stand for, for people to see and to set right.

Pure functions; facts are found by the same rules (`extraction`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from kb_service.domain.facts import OWN_COLUMN, ColumnMeaning, TableMeaning
from kb_service.language.regexes import regex
from kb_service.language.stated.extraction import forms_in
from kb_service.language.stated.forms import FormField, label_name
from kb_service.language.stated.labels import Label, column_of
from kb_service.language.stated.ledgers import labels_of, values_of
from kb_service.language.stated.meaning import Sense
from kb_service.language.stated.rows import Table, tables_in
from kb_service.language.units import marked

_EXAMPLES = 3
_EXAMPLE_CHARS = 80
_PART_END = regex("[,;\uff0c\uff1b\u3001\u3002]")


def columns_in(
    text: str, given: Mapping[str, str], sense: Sense | None = None
) -> tuple[TableMeaning, ...]:
    """Return the tables of a text; behind them its forms as one, with a row for each record.

    `given`: what people said that columns stand for. `sense`: what names mean that no list of words
    has.
    """
    found = tables_in(text)
    tables = tuple(
        TableMeaning(len(table.rows), tuple(_meanings(table, values, given, sense)))
        for table, values in zip(found, values_of(text, found), strict=True)
    )
    fields, num_records = forms_in(marked(text), given, sense)
    labels = tuple(_labels(text, fields, given))
    return (*tables, TableMeaning(num_records, labels)) if labels else tables


def _labels(
    text: str, fields: Sequence[FormField], given: Mapping[str, str]
) -> Iterator[ColumnMeaning]:
    named: dict[str, list[FormField]] = {}
    for one in fields:
        if not one.is_within:
            named.setdefault(label_name(one.label.name), []).append(one)
    for name, alike in named.items():
        label = alike[0].label
        by = "meaning" if label.is_meant else "name"
        by = "person" if name in given else by if label.is_standard else ""
        field = given.get(name, label.field if label.is_standard else OWN_COLUMN)
        yield ColumnMeaning(name, field, by, _examples(one.value.of(text) for one in alike))


def _meanings(
    table: Table,
    values: Mapping[str, Sequence[str]],
    given: Mapping[str, str],
    sense: Sense | None,
) -> Iterator[ColumnMeaning]:
    bare = {label.name for label in labels_of(table, values, given) if label.is_standard}
    for name, label in zip(table.names, labels_of(table, values, given, sense), strict=True):
        by = _by(label, name, given, table.heads, is_bare=name in bare)
        field = given.get(name, label.field if label.is_standard else OWN_COLUMN)
        yield ColumnMeaning(name, field, by, _examples(values[name]))


def _by(
    label: Label, name: str, given: Mapping[str, str], heads: Collection[str], *, is_bare: bool
) -> str:
    """By what it is known what a column stands for. `is_bare`: without what its name means."""
    if name in given:
        return "person"
    if not label.is_standard:
        return ""
    if column_of(name, (), heads).is_standard:
        return "name"
    return "values" if is_bare else "meaning"


def _examples(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_example, values))))[:_EXAMPLES]


def _example(value: str) -> str:
    """As much of a value as is shown. A long one ends where a part of it does, or is left out: half
    a number is not known for one, and would not be masked."""
    words = value.strip()
    if len(words) <= _EXAMPLE_CHARS:
        return words
    ends = [match.end() for match in _PART_END.finditer(words, 0, _EXAMPLE_CHARS)]
    return words[: ends[-1]] if ends else ""
