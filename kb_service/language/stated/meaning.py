"""Which field a label stands for that no list of words has: by its meaning and by its value.

Pure functions. What a label means is handed in, as how near it is to each field (`Sense`); a value
that no field of that sort can have rules the field out. Reads no text.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

from kb_service.domain.facts import CASUALTIES, CLOCK, FactField
from kb_service.language.regexes import regex
from kb_service.language.stated.plain import plain
from kb_service.language.stated.sorts import Sort, is_name, sort_of

Sense = Callable[[str], Mapping[str, float]]
"""How near a label is to each field, by what both mean: cosines. `OTHER`: what is no field."""

OTHER = "other"
MIN_MARGIN = 0.015
"""By how much a label is nearer to one field than to the next of those that its values allow."""

_MAX_NAME, _MAX_SHORT = 40, 40
_LONGEST: Mapping[str, int] = {FactField.PLACE: 60, FactField.CAUSE: 200}
_SAMPLE, _MOST = 20, 0.8
_BRACKET = regex(r"\s*[(\uff08\[].*")
_SEVERAL = regex(r"[\u3002!?\uff01\uff1f]\s*\S|[^\W\d_]{3}\.\s+[^\W\d_]")
"""A sentence and what follows it."""
_COUNTS = (FactField.DEAD, FactField.INJURED, FactField.MISSING)
_ANY = None
"""A value that says none or not known fits whatever may be counted or found out."""

_SORTS: Mapping[str, Collection[Sort | None]] = {
    FactField.TIME: (Sort.DAY,),
    FactField.REPORTED: (Sort.DAY, Sort.CLOCK),
    CLOCK: (Sort.CLOCK,),
    FactField.PHONE: (Sort.PHONE,),
    FactField.EMAIL: (Sort.EMAIL,),
    FactField.VEHICLE: (Sort.PLATE,),
    FactField.NUMBER: (Sort.IDENTIFIER,),
    **dict.fromkeys(_COUNTS, (Sort.COUNT, _ANY)),
    CASUALTIES: (_ANY,),
    FactField.LOSS: (Sort.AMOUNT, Sort.COUNT, _ANY),
    FactField.FINE: (Sort.AMOUNT, Sort.COUNT, _ANY),
    FactField.CAUSE: (Sort.WORDS, _ANY),
    FactField.KIND: (Sort.WORDS,),
    FactField.PERSON: (Sort.WORDS,),
    FactField.PLACE: (Sort.WORDS,),
}


def accepts(field: str, written: str) -> bool:
    """True where a field may have this value, by its sort and its length."""
    words = written.strip()
    if sort_of(_without_phone(words) if field == FactField.PERSON else words) not in _SORTS.get(
        field, ()
    ):
        return False
    if field == FactField.PERSON:
        return is_name(plain(_BRACKET.sub("", words)))
    return len(words) <= _LONGEST.get(field, _MAX_SHORT) and not _SEVERAL.search(words)


def _without_phone(words: str) -> str:
    return _BRACKET.sub("", words)


def field_meant(name: str, values: Sequence[str], sense: Sense) -> str | None:
    """Return the field that a label is surely nearest to of those that its values allow."""
    told = [value for value in islice(values, _SAMPLE) if value.strip()]
    if not told or len(name) > _MAX_NAME:
        return None
    fields = [f for f in _SORTS if sum(accepts(f, v) for v in told) >= _MOST * len(told)]
    if not fields:
        return None
    near = sense(name)
    ranked = sorted(((near[one], one) for one in {*fields, OTHER} & near.keys()), reverse=True)
    if len(ranked) < 2 or ranked[0][1] == OTHER:
        return None
    return ranked[0][1] if ranked[0][0] - ranked[1][0] >= MIN_MARGIN else None
