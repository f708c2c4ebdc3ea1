"""How many of something a column counts, asked by verb and unit: 出动了多少人 asks for 出动人数.

Pure on words and on the base's columns of numbers. Knows no question.
"""

import re
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from kb_service.language.across import without_brackets
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_LEXICON = shipped_lexicon()
_ASKED = regex("|".join(_LEXICON.patterns("calling", "asked_number")) or "(?!)")
_COUNTS = tuple(_LEXICON.listed("calling", "counts"))
_UNIT = re.compile(r"[(\[]([^)\]]*)[)\]]\s*$")


def with_counted_columns(words: str, numeric: Callable[[], Collection[str]]) -> str:
    """Return words in which a column that counts what is asked for stands in its place.

    Where just one column is of what is counted and done: of 出动人数 and 营救人数 one. `numeric`:
    the base's columns of numbers.
    """
    match = _ASKED.search(words)
    if match is None:
        return words
    found = [(name, at) for name in numeric() for at in _begun(normalise(name), match)]
    if len(found) != 1:
        return words
    ((name, at),) = found
    return f"{words[:at]}{normalise(name)}{match['asked']}{words[match.end() :]}"


def _begun(column: str, asked: re.Match[str]) -> Iterator[int]:
    """Yield where in the words what was done is called as a column begins that counts it."""
    done, bare = asked["done"], without_brackets(column)
    if not any(_counts(column, bare, one) for one in (asked["noun"], asked["unit"]) if one):
        return
    places = (at for at in range(len(done) - 1) if bare.startswith(done[at:]))
    yield from (asked.start("done") + at for at in islice(places, 1))


def _counts(column: str, bare: str, noun: str) -> bool:
    """True for a column of a unit in brackets, or of which the name ends so: 人数, 车辆, 户数."""
    unit = _UNIT.search(column)
    is_unit = unit is not None and unit[1] == noun
    return is_unit or any(noun in bare[-len(noun) - len(one) :] for one in ("", *_COUNTS))
