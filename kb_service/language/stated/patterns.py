"""Patterns of the languages by their names in the data, and the first of them that matches.

Pure functions. What may match only beside Chinese characters is not tried on text without any.
"""

import re
from collections.abc import Iterable

from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_HAN = regex(f"[{HAN}]")


class Patterns(tuple[re.Pattern[str], ...]):
    """Patterns, and those of them that may match where all characters are ASCII."""

    ascii: tuple[re.Pattern[str], ...]

    def on(self, plain: str) -> tuple[re.Pattern[str], ...]:
        """Return the patterns that may match in a text."""
        return self.ascii if plain.isascii() else self


def patterns(written: Iterable[str]) -> Patterns:
    """Return patterns as they are written."""
    found = Patterns(map(regex, written))
    found.ascii = tuple(p for p in found if not _HAN.search(p.pattern))
    return found


def compiled(key: str) -> Patterns:
    """Return the patterns of a list of what sentences state."""
    return patterns(_LEXICON.patterns("stated", key))


NO_PATTERNS = patterns(())


def first(found: Patterns, plain: str) -> re.Match[str] | None:
    """Return what the first pattern that stands there matches."""
    return next((match for pattern in found.on(plain) if (match := pattern.search(plain))), None)
