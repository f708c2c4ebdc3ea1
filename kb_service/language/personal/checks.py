"""Whether the digits of a number are those of a person or a bank card: dates, checksums, prefixes.

Pure functions on digits without anything between them. GB 11643-1999 (ISO 7064 MOD 11-2) for
persons, ISO/IEC 7812 (Luhn) for cards.
"""

from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10x98765432"
_REGIONS = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55))
) | frozenset((*range(61, 66), 71, 81, 82, 83))
_SHORT, _LONG = 15, 18
_FIRST_YEAR = 1850


def is_identity(number: str) -> bool:
    """True for a number of a resident: region, birthday, and where it has 18 its check digit."""
    if not number[:2].isdecimal() or int(number[:2]) not in _REGIONS:
        return False
    if len(number) == _SHORT:
        return _is_day("19" + number[6:12])
    if len(number) != _LONG or not number[:17].isdecimal():
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return number[17] == _CHECKS[total % 11] and _is_day(number[6:14])


def _is_day(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= _FIRST_YEAR
    except ValueError:
        return False


def is_luhn(number: str) -> bool:
    """True where the last digit is the check digit of the others."""
    if not number.isdecimal():
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def is_card(number: str) -> bool:
    """True for a number that a scheme of bank cards gives out, by its length and first digits."""
    return is_luhn(number) and any(
        len(number) in lengths and low <= int(number[: len(str(low))]) <= high
        for low, high, lengths in _SCHEMES
    )


_SCHEMES = (
    (62, 62, range(16, 20)),
    (4, 4, (13, 16, 19)),
    (51, 55, (16,)),
    (2221, 2720, (16,)),
    (34, 34, (15,)),
    (37, 37, (15,)),
    (3528, 3589, (16,)),
    (6011, 6011, (16,)),
    (644, 659, (16,)),
    (60, 60, (19,)),
    (300, 305, (14,)),
    (36, 36, (14,)),
)
