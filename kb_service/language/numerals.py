"""Numerals as numbers: digits, and what the languages write in their place.

Pure functions on strings. Knows the numeral itself, neither dates nor list items.
"""

from kb_service.language.lexicon import Lexicon, shipped_lexicon


class Numerals:
    """The numerals of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.digits = lexicon.numbered("numerals", "digits")
        self.powers = lexicon.numbered("numerals", "powers")
        self.words = lexicon.numbered("numerals", "words")

    def whole_number(self, numeral: str) -> int | None:
        """Return the value of a run of digits, of a numeral in characters or of a word, or None."""
        if numeral.isdecimal():
            return int(numeral)
        return self.words.get(numeral) or self.in_characters(numeral)

    def in_characters(self, numeral: str) -> int | None:
        """Return the value of a numeral below ten thousand written in characters, or None.

        Both 二十三 and the digit-by-digit 二〇二三 are read.
        """
        if not numeral or any(c not in self.digits and c not in self.powers for c in numeral):
            return None
        if len(numeral) > 1 and not any(c in self.powers for c in numeral):
            return int("".join(str(self.digits[c]) for c in numeral))
        total, digit = 0, 0
        for character in numeral:
            if character in self.powers:
                total += (digit or 1) * self.powers[character]
                digit = 0
            else:
                digit = self.digits[character]
        return total + digit

    def written(self, number: int) -> str:
        """Return a number below ten thousand in characters (12 is 十二), others in digits."""
        if not self.powers or not 0 <= number < 10_000:
            return str(number)
        digit = {value: character for character, value in reversed(self.digits.items())}
        if number == 0:
            return digit[0]
        text, is_gap = "", False
        for character, power in sorted(self.powers.items(), key=lambda pair: -pair[1]):
            count, number = divmod(number, power)
            if count:
                text += (digit[0] if is_gap else "") + digit[count] + character
            is_gap = bool(text) and not count
        if number:
            text += (digit[0] if is_gap else "") + digit[number]
        # Ten to nineteen are said without their one.
        ten = next(character for character, power in self.powers.items() if power == 10)
        return text.removeprefix(digit[1]) if text.startswith(digit[1] + ten) else text


NUMERALS = Numerals(shipped_lexicon())


def whole_number(numeral: str) -> int | None:
    """Return the value of a numeral of any language that is shipped, or None."""
    return NUMERALS.whole_number(numeral)
