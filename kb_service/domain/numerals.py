"""Numerals as numbers: Chinese ones, and digits.

Pure functions on strings. Knows the numeral itself, neither dates nor list items.
"""

_CJK_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CJK_UNITS = {"十": 10, "百": 100, "千": 1000}


def whole_number(numeral: str) -> int | None:
    """Return the value of a run of digits or of a Chinese numeral, None when it is neither."""
    return int(numeral) if numeral.isdecimal() else cjk_number(numeral)


def cjk_number(numeral: str) -> int | None:
    """Return the value of a Chinese numeral below ten thousand, or None when it is not one.

    Both 二十三 and the digit-by-digit 二〇二三 are read.
    """
    if not numeral or any(c not in _CJK_DIGITS and c not in _CJK_UNITS for c in numeral):
        return None
    if len(numeral) > 1 and not any(c in _CJK_UNITS for c in numeral):
        return int("".join(str(_CJK_DIGITS[c]) for c in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in _CJK_UNITS:
            total += (digit or 1) * _CJK_UNITS[character]
            digit = 0
        else:
            digit = _CJK_DIGITS[character]
    return total + digit
