"""Numbers in a text, in one form: 560万, 5.6 million and 5,600,000 are `num:5600000`.

Pure functions on matches in normalised text. Knows scales and percentages; no unit of measure.
"""

import re
from decimal import Decimal

from kb_service.language.dates import Value
from kb_service.language.lexicon import Lexicon, any_of, shipped_lexicon
from kb_service.language.numerals import Numerals
from kb_service.language.regexes import regex


class Numbers:
    """The ways in which a lexicon writes numbers. Patterns are tried in their order."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._numerals = Numerals(lexicon)
        self._scales = lexicon.numbered("numerals", "scales")
        before = any_of(lexicon.listed("numerals", "percent_before"))
        after = any_of(["%", *lexicon.listed("numerals", "percent_after")])
        powers = self._numerals.powers
        letters = re.escape("".join({**powers, **self._numerals.digits}))
        # A scale that is itself made of numerals is read as a part of them.
        scales = any_of(scale for scale in self._scales if not set(scale) & set(powers))
        counted = f"[{re.escape(lexicon.characters('numerals', 'counted'))}]"
        in_digits = (
            rf"(?P<before>{before})?(?<![\d.])(?P<digits>\d+(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
            rf"\s*(?P<scale>{self._scale(lexicon)})?\s*(?P<percent>{after})?"
        )
        as_percentage = f"(?P<before>{before})(?P<digits>[{letters}]+)(?P<scale>$)?(?P<percent>$)?"
        in_characters = (
            f"(?<![{letters}])(?P<digits>[{letters}]+)(?P<scale>{scales})?"
            f"(?P<before>$)?(?P<percent>$)?(?={counted}|$)"
        )
        written = (in_digits, *([as_percentage, in_characters] if letters else []))
        self.patterns = tuple(regex(pattern) for pattern in written)
        self.word_pattern = regex(rf"\b(?:{any_of(self._numerals.words)})\b")

    def _scale(self, lexicon: Lexicon) -> str:
        """Scales behind digits; a unit that begins with the same character is none (3 kg)."""
        others = lexicon.paired("numerals", "not_after_scale")
        return "|".join(
            re.escape(scale) + (f"(?![{others[scale]}])" if scale in others else "")
            for scale in sorted(self._scales, key=len, reverse=True)
        )

    def number(self, match: re.Match[str]) -> Value | None:
        """Return the value of a match of `patterns`, None when it is no number."""
        digits = match["digits"].replace(",", "")
        if digits[0].isdigit() and digits.isascii():
            number = Decimal(digits)
        else:
            whole = self._numerals.in_characters(digits)
            if whole is None:
                return None
            number = Decimal(whole)
        number *= self._scales.get(match["scale"] or "", 1)
        text = f"{number.normalize():f}"
        return f"num:{text}{'%' if match['before'] or match['percent'] else ''}", ()

    def word(self, match: re.Match[str]) -> Value:
        """Return the value of a match of `word_pattern`."""
        return f"num:{self._numerals.words[match.group()]}", ()


NUMBERS = Numbers(shipped_lexicon())
