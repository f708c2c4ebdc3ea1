"""What a question names with "and" or "or" between, of which no record has both: either is meant.

Pure functions on what was found. Two kinds of happenings are one filter; a kind beside a value of
another field is none, which only a comparison may name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from kb_service.domain.facts import STANDARD_FIELDS, FactField, Role
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.query_json import filters_from
from kb_service.domain.questions import Subject
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.services.values_named import NamedValue

_LEXICON = shipped_lexicon()
_JOINS = any_of([*_LEXICON.listed("question_parts", "joins"), *_LEXICON.listed("roles", "either")])
_JOINED = regex(rf"\s*(?:{_JOINS})\s*")
_LIST_BEFORE = regex(rf"(?:[,/\u3001]|(?<![a-z])(?:{_JOINS}))\s*(?:the |an? )?$")
_LIST_BEHIND = regex(rf"\s*(?:[,/\u3001]\s*)?(?:{_JOINS}|[/\u3001])(?![a-z])")
_TO_BLANK = regex(rf",\s*(?:{_JOINS})\s*$")
_FROM_BLANK = regex(rf"\s*(?:{_JOINS})\s*,")

Told = tuple[TextSpan, str, tuple[str, ...]]
"""Where words stand, them, and the kinds that they are; () for a value as records write it."""


def joined_in(
    typed: str, events: Sequence[Subject], found: Sequence[NamedValue]
) -> Iterator[tuple[Told, Told, str]]:
    """Yield a kind with what is joined to it, a kind too or a value, and the field of that."""
    kinds = [(event.span, normalise(event.text), event.forms, FactField.KIND) for event in events]
    values = [(one.span, one.words, (), one.fields[0]) for one in found if len(one.fields) == 1]
    ordered = sorted((*kinds, *values), key=lambda one: one[0].start)
    for one, other in pairwise(ordered):
        gap = normalise(typed[one[0].end : other[0].start])
        if FactField.KIND in (one[3], other[3]) and _JOINED.fullmatch(gap):
            first, last = (one, other) if one[3] == FactField.KIND else (other, one)
            yield first[:3], last[:3], last[3]


def with_either(filters: Filters, joined: Sequence[tuple[Told, Told, str]]) -> Filters:
    """Return filters in which kinds that are joined are alternatives."""
    told = [
        side for one, other, field in joined if field == FactField.KIND for side in (one, other)
    ]
    values = [words for _, words, forms in told if not forms]
    if not values:
        return filters
    either = tuple(dict.fromkeys(form for _, words, forms in told for form in forms or (words,)))
    kept = tuple(
        one for one in filters.fields if one.field != FactField.KIND or one.text not in values
    )
    asked = FieldFilter(FactField.KIND, any_of=either)
    return replace(filters, kind=(), fields=(*kept, asked))


def is_joined(words: str, asked: str) -> bool:
    """True where a question, in which what it names is blank, joins words to what is blank."""
    start = asked.find(words)
    if start < 0:
        return False
    end = start + len(words)
    return bool(_TO_BLANK.search(asked[:start]) or _FROM_BLANK.match(asked, end))


def is_listed(words: str, asked: str) -> bool:
    """True where a question joins words to what stands before or behind them."""
    start = asked.find(words)
    if start < 0:
        return False
    before, behind = asked[:start], asked[start + len(words) :]
    return bool(_LIST_BEFORE.search(before) or _LIST_BEHIND.match(behind))


def joined(one: Filters, other: Filters) -> Filters:
    """Return both; several names of one sort, or values of one column, are alternatives.

    A row has one value in a column of the base's own. What has to have two words has no other.
    """
    told = [{f.field for f in filters.fields if _is_value(f)} for filters in (one, other)]
    same = set.intersection(*told)
    values: dict[str, list[str]] = {}
    for value in (f for f in (*one.fields, *other.fields) if f.field in same and _is_value(f)):
        values.setdefault(value.field, []).extend(filter(None, (value.text, *value.any_of)))
    either = tuple(_one_of(name, tuple(dict.fromkeys(v))) for name, v in values.items())
    rest = (
        replace(filters, fields=tuple(f for f in filters.fields if f.field not in values))
        for filters in (one, other)
    )
    both = next(rest).merged(next(rest)).merged(Filters(fields=either))
    for name in ("place", "person", "unit"):
        listed = (*getattr(one, name), *getattr(other, name))
        both = both.merged(filters_from({name: tuple(dict.fromkeys(listed))}))
    return replace(both, text=tuple(dict.fromkeys((*one.text, *other.text))))


def _is_value(asked: FieldFilter) -> bool:
    """True for one of some values of a column of the base's own."""
    is_own = asked.field not in STANDARD_FIELDS and asked.field not in set(Role)
    return is_own and bool(asked.text) != bool(asked.any_of) and not asked.none_of


def _one_of(name: str, values: tuple[str, ...]) -> FieldFilter:
    return (
        FieldFilter(name, any_of=values) if len(values) > 1 else FieldFilter(name, text=values[0])
    )
