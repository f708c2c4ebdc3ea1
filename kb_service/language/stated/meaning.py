"""Which field a label stands for that no list of words has: by its meaning and by its value.

Pure functions. What a label means is handed in, as how near it is to each field (`Sense`); a value
that no field of that sort can have rules the field out. Reads no text.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from kb_service.domain.facts import CASUALTIES, CLOCK, COUNTS_OF_PEOPLE, STATED_ONCE, FactField
from kb_service.language.events import event_kinds, event_places
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import Label, numbering, tells_apart
from kb_service.language.stated.plain import plain
from kb_service.language.stated.sorts import ORGANISATION, PLACE, Sort, is_name, sort_of

Sense = Callable[[str], Mapping[str, float]]
"""How near a label is to each field, by what both mean: cosines. `OTHER`: what is no field."""

OTHER = "other"
MIN_MARGIN, CLOSE_MARGIN = 0.015, 0.008
"""By how much a label is nearer to one field than to the next of those that its values allow; among
labels of which others are understood the smaller one. Set on `benchmarks/wide_developed.toml`."""
MIN_UNDERSTOOD = 3
"""So many fields that are understood tell that what stands beside them is a record too."""
_HINTED = 0.02
"""What a word that labels of a field have is worth, as a cosine."""

_SHOWN = 0.02
"""What it is worth, as a cosine, that the values show what they are."""
_SHOWS: Mapping[str, Callable[[str], bool]] = {
    FactField.KIND: lambda value: any(end == len(value) for _, _, end in event_places(value)),
    FactField.PLACE: lambda value: PLACE.search(value) is not None,
    FactField.ORGANISATION: lambda value: ORGANISATION.search(value) is not None,
    FactField.LOSS: lambda value: sort_of(value) is Sort.AMOUNT,
}
"""Values that are hardly of another field."""
_MUST_SHOW = (FactField.KIND, FactField.ORGANISATION)
"""Meant only where a value shows it; a kind also where a word of the label does."""

_MAX_NAME, _MAX_SHORT = 40, 40
_LONGEST: Mapping[str, int] = {FactField.PLACE: 60, FactField.CAUSE: 200}
_SAMPLE, _MOST = 20, 0.8
_BRACKET = regex(r"\s*[(\uff08\[].*")
_SEVERAL = regex(r"[\u3002!?\uff01\uff1f]\s*\S|[^\W\d_]{3}\.\s+[^\W\d_]")
"""A sentence and what follows it."""
_ANY = None
"""A value that says none or not known fits whatever may be counted or found out."""

_BY_NAME_ALONE = (FactField.PLACE, FactField.KIND, FactField.CAUSE)
"""Any words may be a value of these: what has none of their words has to be nearer."""
_HINTS = {
    str(field): regex("|".join(patterns))
    for field in FactField
    if (patterns := shipped_lexicon().patterns("field_hints", field))
}
_SORTS: Mapping[str, Collection[Sort | None]] = {
    FactField.TIME: (Sort.DAY,),
    FactField.REPORTED: (Sort.DAY, Sort.CLOCK),
    CLOCK: (Sort.CLOCK,),
    FactField.PHONE: (Sort.PHONE,),
    FactField.EMAIL: (Sort.EMAIL,),
    FactField.VEHICLE: (Sort.PLATE,),
    FactField.NUMBER: (Sort.IDENTIFIER,),
    **dict.fromkeys(COUNTS_OF_PEOPLE, (Sort.COUNT, _ANY)),
    CASUALTIES: (_ANY,),
    FactField.LOSS: (Sort.AMOUNT, Sort.COUNT, _ANY),
    FactField.FINE: (Sort.AMOUNT, Sort.COUNT, _ANY),
    FactField.CAUSE: (Sort.WORDS, _ANY),
    FactField.KIND: (Sort.WORDS,),
    FactField.PERSON: (Sort.WORDS,),
    FactField.PLACE: (Sort.WORDS,),
    FactField.ORGANISATION: (Sort.WORDS,),
}


_ONLY = {
    Sort.IDENTIFIER: (FactField.NUMBER,),
    Sort.DAY: (FactField.TIME, FactField.REPORTED),
    Sort.PHONE: (FactField.PHONE,),
}


def accepts(field: str, written: str) -> bool:
    """True where a field may have this value, by its sort and its length."""
    words = written.strip()
    if field == FactField.PERSON:  # a phone may stand behind the name
        words = _BRACKET.sub("", words)
    if sort_of(words) not in _SORTS.get(field, ()):
        return False
    if field == FactField.PERSON:
        return is_name(plain(words))
    return len(words) <= _LONGEST.get(field, _MAX_SHORT) and not _SEVERAL.search(words)


def field_meant(
    name: str,
    values: Sequence[str],
    sense: Sense,
    without: Collection[str] = (),
    margin: float = MIN_MARGIN,
) -> str | None:
    """Return the field that a label is surely nearest to of those that its values allow.

    `without`: fields that it cannot be.
    """
    told = [value for value in islice(values, _SAMPLE) if value.strip()]
    if not told or len(name) > _MAX_NAME:
        return None
    fields = [
        field
        for field in _SORTS
        if field not in without and sum(_may_be(field, v) for v in told) >= _MOST * len(told)
    ]
    shown = {field: _share_shown(field, told) for field in fields}
    fields = [field for field in fields if _may_be_meant(field, name, shown[field])]
    if not tells_apart(told):
        fields = [field for field in fields if field != FactField.NUMBER]
    if not fields:
        return None
    near = sense(name)
    worth = {one: _HINTED * is_hinted(one, name) + _SHOWN * shown[one] for one in fields}
    ranked = sorted(
        ((near[one] + worth.get(one, 0.0), one) for one in (*fields, OTHER) if one in near),
        reverse=True,
    )
    if len(ranked) < 2 or ranked[0][1] == OTHER:
        return None
    best = str(ranked[0][1])
    if best in _BY_NAME_ALONE and not (is_hinted(best, name) or shown[best] >= _MOST):
        margin += MIN_MARGIN
    return best if ranked[0][0] - ranked[1][0] >= margin else None


def _share_shown(field: str, values: Sequence[str]) -> float:
    """How many of the values show that they are of a field, of those that say anything."""
    said = [plain(value).strip() for value in values if sort_of(value) is not None]
    shows = _SHOWS.get(field)
    return sum(map(shows, said)) / len(said) if shows and said else 0.0


def _may_be_meant(field: str, name: str, shown: float) -> bool:
    if field == FactField.FINE:  # an amount is a loss more often: its label has to say so
        return is_hinted(field, name)
    if field == FactField.LOSS:  # a bare number is of anything
        return shown > 0 or is_hinted(field, name)
    is_by_name = field != FactField.ORGANISATION and is_hinted(field, name)
    return field not in _MUST_SHOW or shown > 0 or is_by_name


def _may_be(field: str, value: str) -> bool:
    """As `accepts`; what names a happening is neither where it was nor why."""
    is_other = field in (FactField.PLACE, FactField.CAUSE) and event_kinds(plain(value))
    return not is_other and accepts(field, value)


def is_told(field: str, name: str) -> bool:
    """True where a label has a word of its field, or where values tell the field as well."""
    return field not in _BY_NAME_ALONE or is_hinted(field, name)


def is_hinted(field: str, name: str) -> bool:
    """True for a label that has a word which labels of a field have more often than others."""
    return field in _HINTS and _HINTS[field].search(plain(name)) is not None


def settled(
    labels: Sequence[Label], values: Mapping[str, Sequence[str]], sense: Sense | None
) -> tuple[Label, ...]:
    """Return labels with the fields of those that no list of words has.

    First those that are surely near to one; then, where enough are understood for a record, those
    that are nearer to one that is still free, and the only one of a sort that a record has once.
    What a record has once and a column is called by is no other column: that one keeps its name.
    """
    named = {one.field for one in labels if one.field in STATED_ONCE}
    nearest = [(one, _meant(one, values, sense, (), MIN_MARGIN)) for one in labels]
    found = [one if meant.is_meant and meant.field in named else meant for one, meant in nearest]
    if len({label.field for label in found if label.is_standard}) < MIN_UNDERSTOOD:
        return tuple(found)
    for place, label in enumerate(found):
        if label.is_standard:
            continue
        taken = {one.field for one in found if one.field in STATED_ONCE}
        found[place] = _meant(label, values, sense, taken, CLOSE_MARGIN)
    return tuple(_only_ones(found, values))


def _meant(
    label: Label,
    values: Mapping[str, Sequence[str]],
    sense: Sense | None,
    without: Collection[str],
    margin: float,
) -> Label:
    if label.is_standard or sense is None:
        return label
    field = field_meant(label.name, values[label.name], sense, without, margin)
    return _as(label, field, values, is_meant=True) if field else label


def _as(
    label: Label, field: str, values: Mapping[str, Sequence[str]], *, is_meant: bool = False
) -> Label:
    if field == FactField.NUMBER:
        label = numbering(label, values[label.name])
    return replace(label, field=field, is_meant=is_meant)


def _only_ones(labels: Sequence[Label], values: Mapping[str, Sequence[str]]) -> Iterator[Label]:
    """Yield them; the one whose values are of a sort that none understood has is of its field."""
    sorts = {
        label.name: {sort_of(value) for value in islice(values[label.name], _SAMPLE)} - {None}
        for label in labels
        if not label.is_standard
    }
    taken = {label.field for label in labels}
    only = {}
    for sort, fields in _ONLY.items():
        alike = [name for name, told in sorts.items() if told == {sort}]
        if sort is Sort.IDENTIFIER:
            alike = [name for name in alike if tells_apart(values[name])]
        if len(alike) == 1 and not taken & set(fields):
            only[alike[0]] = fields[0]
    for label in labels:
        yield _as(label, str(only[label.name]), values) if label.name in only else label
