"""What is said of a query over many documents, in the language of who asks. Pure functions.

Knows the texts and the names of fields; decides neither what is said nor when.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from kb_service.domain.aggregating import plain
from kb_service.domain.facts import FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.lexicon import shipped_languages
from kb_service.language.plurals import filled
from kb_service.language.time_words import days_in_words

LANGUAGES = tuple(shipped_languages())
_APART = " \xb7 "


def said(name: str, language: str, **values: object) -> str:
    """Return a text about a table in a language, its placeholders filled."""
    text: str = shipped_languages()[language]["tables"][name]
    return filled(text, **values)


def field_name(name: str, language: str) -> str:
    """Return what a field or unit is called; the name itself where the language has none."""
    called: str = shipped_languages()[language]["field_names"].get(name, name)
    return called


def unit_name(of: str, number: float, language: str) -> str:
    """Return what is counted, as so many of it are called."""
    one, _, many = said(of, language).partition("|")
    return many if many and number != 1 else one


def kind_name(kind: str, language: str) -> str:
    """Return the word for a kind of happening; the name itself where there is none."""
    words: list[str] = shipped_languages()[language]["events"].get(kind, [kind])
    return words[0]


def filters_in_words(filters: Filters, language: str) -> list[str]:
    """Return each filter in words, as they are shown to be taken away one by one."""
    return list(_filters(filters, language))


def side_in_words(filters: Filters, language: str) -> str:
    """Return what one side of a comparison is called; a value by itself says of which field."""
    values = [*(one for one in filters.fields if one.text and not one.none_of)]
    if len(values) == 1 and filters == Filters(fields=tuple(values)):
        name, text = values[0].field, values[0].text or ""
        return kind_name(text, language) if name == FactField.KIND else text
    return _APART.join(_filters(filters, language)) or ", ".join(filters.document_ids)


def scale_name(scale: float, language: str) -> str:
    """Return the word of a language for a scale; "" where it has none."""
    scales: dict[str, int] = shipped_languages()[language]["numerals"]["scales"]
    return next((word for word, size in scales.items() if size == scale), "")


def currency_sign(unit: str, language: str) -> str:
    """Return the sign that a language writes before amounts of a currency; "" where none."""
    signs: dict[str, str] = shipped_languages()[language]["tables"]["currency_signs"]
    return signs.get(unit, "")


def scope(filters: Filters, language: str) -> str:
    """Return the filters in force as what a sentence begins with; "" without any.

    A kind as records write it (gas leak) is said in the place of the wider one (leak); another kind
    beside one is said as well.
    """
    written = next((one for one in filters.fields if one.field == FactField.KIND), None)
    is_other = written is not None and not shipped_languages()[language][
        "events"
    ].keys().isdisjoint(written.any_of)
    if written is not None and not written.none_of and not is_other:
        others = tuple(one for one in filters.fields if one is not written)
        said_so = (written.text,) if written.text else written.any_of
        filters = replace(filters, kind=said_so, fields=others)
    words = _APART.join(_filters(filters, language))
    return f"{words}{said('colon', language)}" if words else ""


def _filters(filters: Filters, language: str) -> Iterator[str]:
    if filters.time_from and filters.time_to:
        last = filters.time_to - timedelta(microseconds=1)
        yield days_in_words(filters.time_from.date(), last.date(), language)
    elif filters.time_from:
        yield f"\u2265 {filters.time_from:%Y-%m-%d}"
    elif filters.time_to:
        yield f"< {filters.time_to:%Y-%m-%d}"
    if filters.kind:
        yield "/".join(kind_name(kind, language) for kind in filters.kind)
    for names in (filters.place, filters.person, filters.unit, filters.tags, filters.labels):
        if names:
            yield "/".join(names)
    yield from (said("quoted", language, words=words) for words in filters.text)
    for one in filters.fields:
        yield _field(one, language)


def _field(asked: FieldFilter, language: str) -> str:
    name = field_name(asked.field, language)
    parts = [asked.text or "", "/".join(_called(asked.field, asked.any_of, language))]
    if asked.none_of:
        parts.append(f"\u2260 {'/'.join(_called(asked.field, asked.none_of, language))}")
    if asked.min is not None and asked.min == asked.max:
        parts.append(f"= {plain(asked.min)}")
    else:
        parts.append("" if asked.min is None else _bound(asked.min, "\u2265", ">"))
        parts.append("" if asked.max is None else _bound(asked.max, "\u2264", "<"))
    return " ".join(part for part in (name, *parts) if part)


def _called(name: str, values: tuple[str, ...], language: str) -> Iterator[str]:
    for value in values:
        yield kind_name(value, language) if name == FactField.KIND else value


def _bound(number: float, including: str, excluding: str) -> str:
    """A number just beside a whole one leaves that one out."""
    whole = round(number)
    is_beside = number != whole and abs(number - whole) < 1e-3
    return f"{excluding} {whole}" if is_beside else f"{including} {plain(number)}"
