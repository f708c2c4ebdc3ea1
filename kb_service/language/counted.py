"""Whether words can say how many of something there are: an amount, a date, a length cannot.

Pure functions on strings. In doubt they can.
"""

from collections import Counter

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import label_before
from kb_service.language.text import normalise
from kb_service.language.values import placed_values

_LEXICON = shipped_lexicon()
_ASKS = regex("|".join(_LEXICON.patterns("kinds", "how_many")))
_OFTEN = regex(rf"(?<![a-z])(?:{any_of(_LEXICON.listed('kinds', 'told_often'))})(?![a-z])")
_WHOLE = regex("|".join(_LEXICON.patterns("kinds", "told_whole")))
_CURRENCIES = _LEXICON.paired("stated", "currencies")
_UNITS = {**_CURRENCIES, **_LEXICON.numbered("stated", "time_units")}
_SCALES = any_of(_LEXICON.numbered("numerals", "scales"))
_GOES_ON = "|".join(_LEXICON.listed("kinds", "unit_goes_on"))
_BEHIND = regex(rf"\s*(?:{_SCALES})?\s*(?:{any_of(_UNITS)})(?![a-z])(?!{_GOES_ON or '(?!)'})")
_MONEY = regex(rf"(?<![a-z])(?:{any_of(_CURRENCIES)})\s*$")
_MEASURED = regex(rf"(?:{any_of(_UNITS)})")
_NUMBER = regex(r"\d[\d.,]*")
_BRACKETED = regex(r"[(\[\uff08]([^)\]\uff09]*)[)\]\uff09]\s*$")
_MAX_LABEL, _MAX_SIGN = 80, 8
_DIGIT = regex(r"\d")
_OF_TIME_OR_NAME = ("date:", "time:", "id:")


def asks_how_many(normalised: str) -> bool:
    """True for a normalised question that asks how many of something there are."""
    return bool(_ASKS.search(normalised))


def says_how_often(words: str) -> bool:
    """True for words with a number or a word for how often: twice, never, 多次."""
    told = normalise(words)
    numbers = (value for _, (value, *_) in placed_values(told))
    return any(value.startswith("num:") for value in numbers) or bool(_OFTEN.search(told))


def says_several(words: str) -> bool:
    """True for words with more numbers than one in the same unit: two at the mill and five here."""
    told = normalise(words)
    numbers = (found for found, (value, *_) in placed_values(told) if value.startswith("num:"))
    units = Counter(_unit(told, *found.span()) for found in numbers)
    return any(number > 1 for number in units.values())


def _unit(words: str, start: int, end: int) -> str:
    """The unit before or behind a number at a place, "" for a number of things."""
    beside = _BEHIND.match(words, end) or _MONEY.search(words[:start])
    return beside.group().strip() if beside else ""


def says_whole(words: str) -> bool:
    """True for words that tell a number as the whole of several: in all, totalling, 合计."""
    return bool(_WHOLE.search(normalise(words)))


def can_count(words: str, before: str, behind: str) -> bool:
    """False for words that are an amount of money, a length of time, a date or an identifier.

    `before`, `behind`: the text around them, where their label and unit may stand.
    """
    told = normalise(words)
    kinds = {value.partition(":")[0] + ":" for _, (value, *_) in placed_values(told)}
    if kinds and kinds.issubset(_OF_TIME_OR_NAME):
        return False
    if not _DIGIT.search(told):
        return True
    label = normalise(label_before(before[-_MAX_LABEL:]))
    inside = _BRACKETED.search(label)
    if inside and _MEASURED.fullmatch(inside[1].strip()):
        return False
    left, right = normalise(before[-_MAX_SIGN:]), normalise(behind[:_MAX_LABEL])
    return any(
        not _BEHIND.match(told[match.end() :] + right)
        and not _MONEY.search(left + told[: match.start()])
        for match in _NUMBER.finditer(told)
    )
