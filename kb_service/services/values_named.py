"""Which values of a base stand in the words of a question: NamedValue. Reads no documents."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.domain.spans import TextSpan
from kb_service.language.across import sketch_of, titled, without_brackets
from kb_service.language.events import event_kinds
from kb_service.language.folding import fold
from kb_service.language.inflection import singular_forms
from kb_service.language.lexicon import CJK, any_of
from kb_service.language.numbered import columns_of
from kb_service.services.vocabulary import KnownBase, Vocabulary

FINDABLE = (
    FactField.PLACE,
    FactField.PERSON,
    FactField.ORGANISATION,
    FactField.VEHICLE,
    FactField.KIND,
)
_STANDING = frozenset({*FINDABLE, FactField.AREA, FactField.NUMBER, FactField.MEASURE})
"""Standard fields whose values are names; of the base's own columns all are."""

_TOKEN = re.compile(rf"[{CJK}]|[^\W{CJK}]+|\S")
_WORD = re.compile(r"[^\W\d_]{2}")
_MARK = re.compile(r"[a-z]\d{1,3}")
"""A value that sorts records by a letter and a number: P1, K2."""

_PHRASE_CHARS = 4
_MAX_TOKENS, _MAX_LOOKED_AT = 12, 120


@dataclass(frozen=True, slots=True)
class NamedValue:
    """Words that name something: where they stand, and the fields that state them; none: no one."""

    span: TextSpan
    words: str
    fields: tuple[str, ...] = ()


def values_in(
    typed: str,
    taken: Sequence[TextSpan],
    kb_id: str,
    vocabulary: Vocabulary,
    have: Collection[str],
    *,
    is_own_first: bool,
) -> Iterator[NamedValue]:
    """Yield values of the base that stand in the question whole, the longest first.

    `taken`: what was read as something else. `is_own_first`: a value of the base's own columns
    that has a kind of happening in it tells more than the kind.
    """
    folded = fold(typed)
    places: dict[str, list[tuple[int, int]]] = {}
    for start, end in _runs(folded.text):
        for form in singular_forms(folded.text[start:end]):
            places.setdefault(form, []).append((start, end))
    fields = [name for name in have if name in _STANDING or name not in STANDARD_FIELDS]
    by_value: dict[str, list[str]] = {}
    for name, value in vocabulary.among(kb_id, places, fields):
        is_own = is_own_first and _is_telling_own(name, value)
        if is_own or _is_telling(name, value) or _is_only_own(name, value, kb_id, vocabulary):
            by_value.setdefault(value, []).append(name)
    used = list(taken)
    for value in sorted(by_value, key=lambda one: (-len(one), one)):
        for start, end in places[value]:
            span = folded.typed(start, end)
            if any(span.overlap(one) for one in used):
                continue
            if FactField.PERSON in by_value[value]:
                span = folded.typed(*titled(folded.text, start, end))
            used.append(span)
            yield NamedValue(span, value, _stated_as(value, by_value[value], kb_id, vocabulary))


def under_numbers(words: str, base: KnownBase) -> list[tuple[str, str]]:
    """Return (column, number) of the columns that are called as a thing that words name.

    Of those that state its number alone: Stand no.: 4 states stand 4.
    """
    columns, number = columns_of(words)
    called = [name for name in base.own if name.lower() in columns]
    return base.vocabulary.among(base.kb_id, (number,), called) if called else []


def with_numbers(name: NamedValue, base: KnownBase) -> NamedValue:
    """Return a name with the columns that state it by its number alone; that one where one does."""
    numbered = under_numbers(name.words, base)
    if len(numbered) == 1 and not name.fields:
        ((column, number),) = numbered
        return replace(name, words=number, fields=(column,))
    fields = (*name.fields, *(column for column, _ in numbered))
    return replace(name, fields=tuple(dict.fromkeys(fields)))


def with_column(name: NamedValue, typed: str) -> NamedValue:
    """Return a value with what its column is called by behind it: 青山镇, of 乡镇."""
    for field in name.fields:
        if field not in STANDARD_FIELDS and (end := column_end(typed, name.span.end, field)):
            return replace(name, span=TextSpan(name.span.start, end))
    return name


def column_end(typed: str, end: int, column: str) -> int | None:
    """Return where the end of a column's name ends that stands behind one of its values: 青山镇.

    In characters, of 乡镇; other scripts part words, which are read by themselves.
    """
    called = fold(without_brackets(column)).text
    if called.isascii():
        return None
    endings = any_of(called[-size:] for size in range(len(called), 0, -1))
    told = re.compile(rf"[(\uff08](?:{endings})[)\uff09]|{endings}").match(typed, end)
    return told.end() if told else None


def _stated_as(
    value: str, names: Sequence[str], kb_id: str, vocabulary: Vocabulary
) -> tuple[str, ...]:
    """Return the fields that state a value; places that lie in an area have its name in them."""
    is_in_places = FactField.AREA in names and vocabulary.holding(kb_id, value, (FactField.PLACE,))
    as_place = (FactField.PLACE if is_in_places and n == FactField.AREA else n for n in names)
    return tuple(dict.fromkeys(map(str, as_place)))


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield every run of up to twelve tokens: characters of scripts without spaces, words."""
    tokens = [match.span() for match in _TOKEN.finditer(text)][:_MAX_LOOKED_AT]
    for first in range(len(tokens)):
        for last in range(first, min(first + _MAX_TOKENS, len(tokens))):
            start, end = tokens[first][0], tokens[last][1]
            if end - start > 1:
                yield start, end


def _is_telling(name: str, value: str) -> bool:
    """False for a number, for a kind of happening, and for what is only a word of questions."""
    if not _WORD.search(value) and name != FactField.NUMBER:
        return False
    is_name = name in STANDARD_FIELDS and name not in (FactField.KIND, FactField.MEASURE)
    if is_name:
        return True
    if event_kinds(value):
        return False
    sketch = sketch_of(value)
    # 处理中 is what becomes of something; 处理 alone is what somebody does.
    return any(sketch.rest) or (sketch.handled and sketch.told["handled"] != value)


def _is_only_own(name: str, value: str, kb_id: str, vocabulary: Vocabulary) -> bool:
    """True for a kind of happening (停机) that a column of its own says, and no record's kind."""
    kinds = event_kinds(value) if name not in STANDARD_FIELDS else frozenset()
    return bool(kinds) and not any(vocabulary.states_kind(kb_id, kind) for kind in kinds)


def _is_telling_own(name: str, value: str) -> bool:
    """True for values of own columns that are a mark, or a kind of happening and more words.

    A measure is in words of its own too.
    """
    if name in STANDARD_FIELDS and name != FactField.MEASURE:
        return False
    is_phrase = " " in value if value.isascii() else len(value) >= _PHRASE_CHARS
    is_more = is_phrase and _WORD.search(value) and any(sketch_of(value).rest)
    return bool(_MARK.fullmatch(value) or is_more)
