"""Clauses of a paper that a question names by their number: 4.2, 第十二条, Section 3.1.

Which units of a text belong to the clause. Pure functions; knows no documents. (What parts a
sentence into clauses is known by `clauses`.)
"""

import re
from collections.abc import Sequence

from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.numerals import whole_number
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_LEXICON = shipped_lexicon()
_NAMED, _BEGIN = (
    [regex(pattern) for pattern in _LEXICON.patterns("parts", key)] for key in ("named", "begin")
)

Label = tuple[int, ...]
"""The numbers of a clause, the outer one first: 4.2 is (4, 2)."""


def clauses_named(normalised: str) -> tuple[Label, ...]:
    """Return the clauses that a normalised question names."""
    found = (_label(match) for pattern in _NAMED for match in pattern.finditer(normalised))
    return tuple(dict.fromkeys(label for label in found if label))


def in_clauses(units: Sequence[Unit], text: str, named: Sequence[Label]) -> set[int]:
    """Return the places of the units that belong to one of the clauses, empty where none does.

    A clause goes on until the next one begins, or a heading without a number; its own parts (4.2
    of 4) belong to it. `text`: as written.
    """
    inside: set[int] = set()
    here: Label = ()
    for place, unit in enumerate(units):
        label = _begins(normalise(unit.span.of(text)))
        if label or unit.kind is UnitKind.HEADING:
            here = label
        if any(here[: len(clause)] == clause for clause in named):
            inside.add(place)
    return inside


def _begins(words: str) -> Label:
    """Return the clause that some words begin, empty for none."""
    for pattern in _BEGIN:
        if match := pattern.match(words):
            return _label(match)
    return ()


def _label(match: re.Match[str]) -> Label:
    numbers = [whole_number(number) for number in match["numeral"].split(".")]
    return tuple(number for number in numbers if number is not None)
