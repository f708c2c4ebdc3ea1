"""A text as it is compared, each character with the place where it was typed.

Pure functions on strings. For finding words in what somebody wrote and pointing at them there;
where no place is needed, `text.normalise` folds the same way.
"""

import re
import unicodedata
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

# A letter with its marks is one; a hyphen that only parts lines goes with the line end behind it.
_CLUSTER = regex("\u00ad\n[ \t]*|.[\u0300-\u036f\u3099\u309a]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: normalised. `places`, `ends`: where what became each character begins and ends."""

    text: str
    places: tuple[int, ...]
    ends: tuple[int, ...]

    def typed(self, start: int, end: int) -> TextSpan:
        """Return the typed characters that a stretch of the folded text stands for; not empty."""
        return TextSpan(self.places[start], self.ends[end - 1])


def fold(typed: str) -> Folded:
    """Return a text folded in its places."""
    shown: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(typed):
        words = normalise(unicodedata.normalize("NFC", match.group()))
        shown.append(words)
        places += [match.start()] * len(words)
        ends += [match.end()] * len(words)
    return Folded("".join(shown), tuple(places), tuple(ends))
