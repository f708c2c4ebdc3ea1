"""Two readings held against each other: the same said twice, or different values of one kind.

Pure functions on what was read. Knows no documents and decides nothing.
"""

from itertools import takewhile

from kb_service.domain.facts import COUNTS_OF_PEOPLE
from kb_service.domain.reading import Reading
from kb_service.language.lexicon import CJK
from kb_service.language.regexes import regex
from kb_service.language.stated.extraction import facts_in
from kb_service.language.text import normalise
from kb_service.language.units import marked
from kb_service.language.values import placed_values, stated_values, supporting_values

UNIT_LETTERS = 3
"""So many Latin letters of a unit are held against another's: min and minutes, not m and minutes.
"""

UNIT_CHARS = 12
_UNIT = regex(rf"\s*[-/]?\s*(?:[^\W\d_{CJK}]+|[{CJK}]|%)")
"""What stands behind a number: a Latin word, or a character of a script without spaces."""


def same_words(one: str, other: str) -> bool:
    """True when two readings say the same: one holds the other, or all their values agree."""
    first, second = (bare(words) for words in (one, other))
    if first in second or second in first:
        return True
    values = _values(one)
    return bool(values) and values == _values(other)


def contradict(one: str, other: str) -> bool:
    """True when two readings state different values of one kind: 3人 and 5人, two dates, two sums.

    Words without a value are never held against each other: two wordings of a cause agree often.
    """
    first, second = _values(one), _values(other)
    is_implied = first & supporting_values(other) or second & supporting_values(one)
    if not first or not second or is_implied:
        return False
    kinds = ({value.partition(":")[0] for value in values} for values in (first, second))
    if not set.intersection(*kinds):
        return False
    people, others = _people(one), _people(other)
    if people and others:  # the dead of one are not the injured of the other
        return any(people[field] != others[field] for field in people.keys() & others.keys())
    return _frame(one) == _frame(other) or _counts_alike(one, other)


def is_of_same_slot(one: Reading, other: Reading) -> bool:
    """True for two single numbers that differ, with one unit: 1.8 NTU and 2.3 NTU."""
    units = [
        _UNIT.match(normalise(r.passage.text[r.span.end :][:UNIT_CHARS])) for r in (one, other)
    ]
    is_one_unit = all(units) and len({unit.group().strip() for unit in units if unit}) == 1
    return is_one_unit and contradict(one.words, other.words)


def _people(words: str) -> dict[str, float]:
    """How many are dead, injured, missing, by what the words state."""
    stated = facts_in(marked(words))
    return {
        fact.field: fact.number
        for fact in stated
        if fact.field in COUNTS_OF_PEOPLE and fact.number is not None
    }


def _counts_alike(one: str, other: str) -> bool:
    """True when both state one number and its unit begins alike: 42 min and 55 minutes."""
    units = [_unit_of_one_number(words) for words in (one, other)]
    if not all(units):
        return False
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(*units, strict=False))
    alike = "".join(letter for letter, _ in pairs)
    return len(alike) >= (UNIT_LETTERS if alike.isascii() else 1)


def _unit_of_one_number(words: str) -> str:
    """What stands behind the only value of some words; empty where it is no number."""
    text = normalise(words)
    placed = list(placed_values(text))
    if len(placed) != 1 or not placed[0][1][0].startswith("num:"):
        return ""
    return text[placed[0][0].end() :].strip()


def _values(words: str) -> frozenset[str]:
    return frozenset(v for v in stated_values(words) if v.startswith(("date:", "num:", "time:")))


def _frame(words: str) -> str:
    """The words without their digits: what is counted, and in which unit."""
    return "".join(c for c in bare(words) if not c.isdigit() and c not in ".:-")


def bare(words: str) -> str:
    """Return normalised words without white space."""
    return "".join(normalise(words).split())
