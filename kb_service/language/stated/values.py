"""Counts, amounts and states of knowledge as they are written: 三人, 5至8, $1.2 million, 12万元.

Pure functions on plain text. Knows no field.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from math import fsum

from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_SCALES = {
    **_LEXICON.numbered("numerals", "scales"),
    **_LEXICON.numbered("stated", "amount_scales"),
}
_WORDS = {
    **NUMERALS.words,
    **_LEXICON.numbered("numerals", "more_words"),
    **_LEXICON.numbered("stated", "articles"),
}
_CURRENCIES = _LEXICON.paired("stated", "currencies")
_CURRENCY = regex(rf"(?:{any_of(_CURRENCIES)})(?![a-z])")
_HAN_DIGITS = "".join({**NUMERALS.digits, **NUMERALS.powers})
_BIG = sorted(
    (scale for scale in _SCALES if not scale.isascii() and len(scale) == 1),
    key=lambda scale: -_SCALES[scale],
)
_BIG_OF = {scale: _SCALES[scale] for scale in _BIG if scale not in NUMERALS.powers}
_LETTERS = re.escape(_HAN_DIGITS + "".join(_BIG_OF))
_IN_DIGITS = rf"\d+(?:,\d{{3}})*(?:\.\d+)?\s*(?:(?:{any_of(_SCALES)})(?![a-z]))?"
_IN_WORDS = (
    rf"\b(?:{any_of(_WORDS)})\b(?:[- ](?:{any_of(_WORDS)})\b)?(?:\s+(?:{any_of(_SCALES)})\b)?"
)
_NUMBER = regex(rf"{_IN_DIGITS}|[{_LETTERS}]+|{_IN_WORDS}")
_DIGITS = regex(rf"(?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?)\s*(?P<scale>{any_of(_SCALES)})?")
_JOINT = regex(
    r"\s*(?:[-~\u2013\u2014]|\bto\b|\bor\b|"
    + any_of(w for w in _LEXICON.listed("stated", "range_joints"))
    + r")\s*"
)
_BARE = regex(
    rf"(?:(?:{any_of(_LEXICON.listed('stated', 'rounding'))})\s*)*(?:{_NUMBER.pattern})"
    rf"(?:(?:{_JOINT.pattern})(?:{_NUMBER.pattern}))?"
    rf"\s*(?:{any_of(_LEXICON.listed('stated', 'count_words'))})?"
)
_WHOLE_SCALES = any_of(_LEXICON.numbered("numerals", "scales"))
_WHOLE = rf"\d+(?:,\d{{3}})*(?:\.\d+)?\s*(?:(?:{_WHOLE_SCALES})(?![a-z]))?"
_UNIT = (
    "[%\u2030\u2103\u2109\xb0]|"
    r"\xb0?[^\W\d_]{1,8}\d?(?:[/.^\xb7-][^\W_]{1,6})?"
)
_QUANTITY = regex(
    rf"(?:(?:{any_of(_LEXICON.listed('stated', 'rounding'))})\s*)*"
    rf"(?:(?:{any_of(_CURRENCIES)})\s*)?(?P<below>[-\u2212]\s?)?"
    rf"{_WHOLE}(?:(?:{_JOINT.pattern}){_WHOLE})?\s*(?P<unit>{_UNIT})?"
)
"""Letters for thousands and millions are of money alone: 3.5 m are metres."""
_PLURAL = regex(r"[a-z]{3,}s")
MINUTES = "minutes"
_SECONDS = _LEXICON.numbered("stated", "time_units")
_TIME_UNIT = regex(rf"(?<![a-z])(?:{any_of(_SECONDS)})(?![a-z])")
_LASTS = regex(rf"(?P<amount>\d+(?:,\d{{3}})*(?:\.\d+)?)[ -]?(?P<unit>{any_of(_SECONDS)})(?![a-z])")
_ZERO = tuple(map(regex, _LEXICON.patterns("stated", "zero")))
_UNKNOWN = tuple(map(regex, _LEXICON.patterns("stated", "unknown")))
_PEOPLE = tuple(map(regex, _LEXICON.patterns("stated", "people_sorts")))
_MIN_SORTS = 2
_JOINED = regex(r"(?:and|[\s,;+&.\u3001\uff0c\u3002\u548c\u53ca\u4e0e])*")
_VAGUE = tuple(map(regex, _LEXICON.patterns("stated", "vague")))
_IN_TWO = regex(
    rf"(?P<one>[^a-z]*[{HAN}][^a-z]*?)[ /|(\uff08]+(?P<other>[a-z][^{HAN}]*?)[)\uff09]?"
)
_MAX_IN_TWO = 80
"""Of longer words the pattern would cost the square of their length."""
_NOTHING = regex(r"[\s\-\u2013\u2014/.*]*|n/?a\.?|not applicable|not stated")


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or a range up to `to`; `unit` of an amount: its currency."""

    value: float
    to: float | None = None
    unit: str = ""


def says_zero(plain: str) -> bool:
    """True for a value that is none at all: none, 无."""
    return _says(plain, _ZERO)


def says_unknown(plain: str) -> bool:
    """True for a value that says it is not known."""
    return _says(plain, _UNKNOWN)


def in_two_languages(plain: str) -> tuple[str, str] | None:
    """Return what is said in two languages, one behind the other: \u65e0 None; else None."""
    both = _IN_TWO.fullmatch(plain) if len(plain) <= _MAX_IN_TWO else None
    return (both["one"].strip(), both["other"].strip()) if both else None


def _says(plain: str, patterns: Collection[re.Pattern[str]]) -> bool:
    parts = in_two_languages(plain) or (plain.strip(),)
    return all(any(pattern.search(part) for pattern in patterns) for part in parts)


def says_nothing(plain: str) -> bool:
    """True for a cell that is crossed out or left empty: it states nothing."""
    return _NOTHING.fullmatch(plain.strip()) is not None


def is_number(plain: str) -> bool:
    """True for a number or a range alone, with what it counts: 3 people, 约5人."""
    return _BARE.fullmatch(plain) is not None


def number_in(plain: str) -> Number | None:
    """Return the first number of a text, with the end of its range where it is one."""
    first = _NUMBER.search(plain)
    if first is None:
        return None
    joint = _JOINT.match(plain, first.end())
    second = _NUMBER.match(plain, joint.end()) if joint else None
    value = _value(first.group())
    upper = _value(second.group()) if second else None
    if second and value is not None and upper is not None and upper > value:
        return Number(_scaled_alike(value, upper, first.group(), second.group()), upper)
    return None if value is None else Number(value)


def people_in(plain: str) -> Number | None:
    """Return how many people a value counts; None for words that do not say how many: a few.

    Those that it counts by their sorts, and no others, are together: 2 adults and 1 child.
    """
    if any(pattern.match(plain.strip()) for pattern in _VAGUE):
        return None
    return _by_sorts(plain) or number_in(plain)


def _by_sorts(plain: str) -> Number | None:
    found = sorted((m for p in _PEOPLE for m in p.finditer(plain)), key=lambda one: one.start())
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(plain)]
    between = "".join(plain[end:start] for end, start in zip(ends, starts, strict=True))
    if len(found) < _MIN_SORTS or not _JOINED.fullmatch(between):
        return None
    numbers = [number_in(match["number"]) for match in found]
    values = [number.value for number in numbers if number and number.to is None]
    return Number(fsum(values)) if len(values) == len(found) else None


def quantity_in(plain: str) -> Number | None:
    """Return a number in digits with no more than its unit: 12 bar, 450kg; else None.

    Its unit is the currency, or the word behind it, of several things that of one.
    """
    found = _QUANTITY.fullmatch(plain)
    amount = amount_in(plain) if found else None
    if found is None or amount is None or amount.unit:
        return amount
    word = found["unit"] or ""
    number = number_in(plain[: found.start("unit")]) if word else amount
    unit = word[:-1] if _PLURAL.fullmatch(word) else word
    if number and found["below"]:
        return Number(-number.value, None, unit)
    return number and Number(number.value, number.to, unit)


def amount_in(plain: str) -> Number | None:
    """Return the first amount of money with its currency, "" where none is told."""
    number = number_in(plain)
    if number is None:
        return None
    found = _CURRENCY.search(plain)
    return Number(number.value, number.to, _CURRENCIES[found.group()] if found else "")


def scale_written(written: str, number: float) -> float:
    """Return by what the digits of a written amount were multiplied: 10000 for 12万元, or a column.

    1 where it is written out, or in words.
    """
    digits = _DIGITS.search(written)
    value = float(digits["digits"].replace(",", "")) if digits else 0.0
    return round(number / value, 6) if value else 1.0


def duration_in(plain: str, label: str = "") -> Number | None:
    """Return the minutes that a text tells: 95 minutes, 1 h 20 min; a bare number by its label."""
    found = [(float(match["amount"].replace(",", "")), match) for match in _LASTS.finditer(plain)]
    if found:
        seconds = sum(number * _SECONDS[match["unit"]] for number, match in found)
        return Number(seconds / 60, unit=MINUTES)
    unit = _TIME_UNIT.search(label)
    number = number_in(plain) if unit else None
    if unit is None or number is None:
        return None
    factor = _SECONDS[unit.group()] / 60
    upper = None if number.to is None else number.to * factor
    return Number(number.value * factor, upper, MINUTES)


def names_time_unit(plain: str) -> bool:
    """True for words of which one is a unit of time: min, 小时."""
    return _TIME_UNIT.search(plain) is not None


def unit_in_label(plain: str) -> tuple[float, str]:
    """Return by what the numbers under a label are to be multiplied, and their currency."""
    currency = _CURRENCY.search(plain)
    unit = _CURRENCIES[currency.group()] if currency else ""
    before = plain[: currency.start()] if currency and not currency.group().isascii() else plain
    scales = [scale for scale in _SCALES if _is_word_in(scale, before)]
    longest = max(scales, key=len, default="")
    return float(_SCALES.get(longest, 1)), unit


def _is_word_in(scale: str, plain: str) -> bool:
    if not scale.isascii():
        return plain.endswith(scale)
    return re.search(rf"(?<![a-z]){scale}(?![a-z])", plain) is not None


def _scaled_alike(value: float, upper: float, first: str, second: str) -> float:
    """3 to 5 million begins at three million: the scale behind both counts for both."""
    scale = _DIGITS.fullmatch(second.strip())
    own = _DIGITS.fullmatch(first.strip())
    if scale and scale["scale"] and own and not own["scale"]:
        return value * _SCALES[scale["scale"]]
    return value


def _value(written: str) -> float | None:
    words = written.strip()
    digits = _DIGITS.fullmatch(words)
    if digits:
        return float(digits["digits"].replace(",", "")) * _SCALES.get(digits["scale"] or "", 1)
    if words and words[0] in _LETTERS and not words[0].isascii():
        return _in_characters(words)
    total = 0.0
    for word in re.split(r"[-\s]+", words):
        total = total * _SCALES[word] if word in _SCALES else total + _WORDS.get(word, 0)
    return total


def _in_characters(words: str) -> float | None:
    """Return the value of a numeral in characters, of any size."""
    for scale, size in _BIG_OF.items():
        before, found, behind = words.partition(scale)
        if found:
            upper = _in_characters(before) if before else None
            lower = _in_characters(behind) if behind else 0.0
            return None if upper is None or lower is None else upper * size + lower
    value = NUMERALS.in_characters(words)
    return None if value is None else float(value)
