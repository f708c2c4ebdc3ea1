"""Numbered things: 3号楼, 第三食堂, Line 9, gate B12. One value each, however a number is written.

Pure functions on folded text. A value is `楼:3`, `line:9`. What a question has to say to name one
is strict; a text may say it in more ways. What is counted (两辆车) is no thing; a numbered part of
a document (第3条) is known by `parts`.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_ASKED, _TOLD = (
    [regex(pattern) for pattern in _LEXICON.patterns("numbered", key)] for key in ("asked", "told")
)
_ANY = (*_ASKED, *_TOLD)
_SAME = _LEXICON.paired("numbered", "same")
_ACROSS = {
    word: frozenset(said.split()) for word, said in _LEXICON.paired("numbered", "across").items()
}
_NOUNS_ACROSS: dict[str, tuple[str, ...]] = {
    **{word: tuple(sorted(nouns)) for word, nouns in _ACROSS.items()},
    **{
        noun: tuple(sorted(word for word, nouns in _ACROSS.items() if noun in nouns))
        for noun in frozenset().union(*_ACROSS.values())
    },
}
_SIGN = _LEXICON.characters("numbered", "sign")
_WRITTEN = {True: "{} {}".format, False: lambda noun, label: f"{label}{_SIGN}{noun}"}
"""A thing with its number, by whether its noun is in ASCII."""
_ROMAN = _LEXICON.numbered("numbered", "roman")
_DIGITS = "".join(NUMERALS.digits) + "".join(NUMERALS.powers)
_ONE = regex(rf"[a-z]{{0,2}}-?\d+[a-z]?|[{_DIGITS}]+|[a-z]+")
_NUMBER = regex(rf"\d+[A-Za-z]?|[{_DIGITS}]+")
_LABEL = regex(r"(?P<head>[a-z]*)-?(?P<digits>\d+[a-z]?)")
_NUMERAL = regex(rf"(?<!\d)\d{{1,2}}(?!\d)|[{_DIGITS}]+")
_RANGE = regex("|".join(_LEXICON.listed("numbered", "ranges")))
_MAX_RANGE = 30
_NUMBERED = regex(
    rf"(?P<noun>[^\W\d_][^\d]*?)\s*(?:no\.?|number|#)?\s*(?P<number>[a-z]{{0,2}}-?\d{{1,4}}[a-z]?)"
    rf"|(?P<first>\d{{1,4}}){_SIGN}(?P<behind>[^\W\d_]+)"
)
_NUMBER_NAMES = _LEXICON.listed("cells", "number_names")
_TELLING_LENGTH = 3
"""A longer number, or one with a letter, means its thing wherever it stands."""


def numbered_things(folded: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield start, end and writings of each numbered thing that a question names."""
    for pattern in _ASKED:
        for match in pattern.finditer(folded):
            start, end = match.span()
            yield start, end, other_writings(match.group().strip())


def other_writings(name: str) -> tuple[str, ...]:
    """Return a name and, where a numeral of two scripts is in it, the name in the other one."""
    for match in () if name.isascii() else _NUMERAL.finditer(name):
        if _in_a_row(match.group()):
            return (name,)
        number = NUMERALS.whole_number(match.group())
        if number is not None:
            is_digits = match.group().isdecimal()
            other = NUMERALS.written(number) if is_digits else str(number)
            return name, f"{name[: match.start()]}{other}{name[match.end() :]}"
    return (name,)


def writings_across(folded: str) -> tuple[str, ...]:
    """Return the numbered things of a question as texts in another language may write them.

    pump 2 for 2号泵, and the other way round; each noun of the other language that may be meant.
    """
    written: list[str] = []
    for pattern in _ASKED:
        for match in pattern.finditer(folded):
            word, labels = match["word"], list(_labels(match["numbers"]))
            nouns = _NOUNS_ACROSS.get(word) or _NOUNS_ACROSS.get(_SAME.get(word, word), ())
            written += [_WRITTEN[noun.isascii()](noun, label) for noun in nouns for label in labels]
    return tuple(dict.fromkeys(written))


def renumbered(name: str, number: str) -> str:
    """Return the name of a numbered thing with another number: crane No. 6 for crane No. 5."""
    found = _NUMBER.search(name)
    return f"{name[: found.start()]}{number}{name[found.end() :]}" if found else name


def columns_of(name: str) -> tuple[tuple[str, ...], str]:
    """Return how the column of a thing may be called, and what stands in it: stand no., 4.

    In lower case; ((), "") for what is no name with a number. `cells.names_thing` tells it of one
    column that is known.
    """
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return (), ""
    noun, number = match["noun"] or match["behind"], match["number"] or match["first"]
    ends = [
        f"{noun}{'' if one.startswith('#') or not one.isascii() else ' '}{one}"
        for one in _NUMBER_NAMES
    ]
    return (noun, *ends), number


def is_numbered(name: str) -> bool:
    """True when a name is a numbered thing and nothing else."""
    return any(pattern.fullmatch(name) for pattern in _ANY)


def tells_thing(text: str, name: str) -> bool:
    """True when a text speaks of the thing that a name of one means."""
    asked, told = _told(name), _told(text)
    if asked & told or any(_is_across(one, other) for one in asked for other in told):
        return True
    labels = [value.partition(":")[2] for value in asked]
    return any(
        re.search(rf"(?<![a-z0-9.]){re.escape(label)}(?![a-z0-9]|\.\d)", text)
        for label in labels
        if len(label) >= _TELLING_LENGTH or (len(label) > 1 and not label.isdecimal())
    )


def tells_others(text: str, names: Iterable[str]) -> bool:
    """True when a text speaks of things of a sort that is named, and of none of those named.

    Workshop 2 where workshop 1 is asked for, or 1 and 3. All folded.
    """
    asked = {value for name in names for value in _told(name)}
    told = _told(text) if asked else frozenset()
    sorts = {value.partition(":")[0] for value in told - asked}
    known = {value.partition(":")[0] for value in told & asked}
    return any(value.partition(":")[0] in sorts - known for value in asked)


def _is_across(one: str, other: str) -> bool:
    """True for one number of one sort of thing, told in two languages: 中学:3 and school:3."""
    if one.isascii() == other.isascii():
        return False
    (word, _, label), (said, _, number) = (v.partition(":") for v in sorted((one, other))[::-1])
    return label == number and (word not in _ACROSS or said in _ACROSS[word])


@lru_cache(maxsize=64)
def _told(text: str) -> frozenset[str]:
    return frozenset(
        f"{_word(match)}:{label}"
        for pattern in _ANY
        for match in pattern.finditer(text)
        for label in _labels(match["numbers"])
    )


def _word(match: re.Match[str]) -> str:
    word = match["word"]
    return _SAME.get(word, word)


def _labels(numbers: str) -> Iterator[str]:
    """Yield each number of a list: 3, 4 and b12; those between the ends of a range too."""
    found = [
        (match.start(), match.end(), label)
        for match in _ONE.finditer(numbers)
        for label in _in_a_row(match.group()) or (_label(match),)
        if label
    ]
    yield from (label for *_, label in found)
    for (_, end, first), (start, _, last) in pairwise(found):
        if first.isdecimal() and last.isdecimal() and _RANGE.search(numbers, end, start):
            yield from map(str, range(int(first) + 1, min(int(last), int(first) + _MAX_RANGE)))


def _in_a_row(written: str) -> list[str]:
    """Return the numbers that are said one behind the other (一二 is 1 and 2), none for one."""
    digits = [NUMERALS.digits.get(character, 0) for character in written]
    is_row = len(digits) > 1 and all(digits)
    is_row = is_row and all(after == before + 1 for before, after in pairwise(digits))
    return list(map(str, digits)) if is_row else []


def _label(match: re.Match[str]) -> str:
    """Return a number in one writing: 三 is 3, b-012 is b12, c is c; empty for what is none."""
    written = match.group()
    if labelled := _LABEL.fullmatch(written):
        return f"{labelled['head']}{labelled['digits'].lstrip('0') or '0'}"
    if len(written) == 1 and written.isascii():
        return written
    number = _ROMAN.get(written) or NUMERALS.whole_number(written)
    return "" if number is None else str(number)
