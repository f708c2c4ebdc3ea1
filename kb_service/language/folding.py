"""A text as it is compared, each character with the place where it was typed.

Pure functions on strings. For finding words in what somebody wrote and pointing at them there;
where no place is needed, `text.normalise` folds the same way.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import HAN
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

# A letter with its marks is one; a hyphen that only parts lines goes with the line end behind it.
_CLUSTER = regex("\u00ad\n[ \t]*|.[\u0300-\u036f\u3099\u309a]*", re.DOTALL)

_BETWEEN = regex(rf"(?<=[{HAN}])\s+(?=[{HAN}])")
_WITHIN = regex(
    r"(?<=\d)(?<!\d{3})\s+(?=\d)|(?<=\d{3})\s+(?=\d{1,2}(?!\d))"
    r"|(?<=[\w\d][-·/.])\s+(?=\d)|(?<=\d)\s+(?=[-·/]\d)"
)


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: normalised. `places`, `ends`: where what became each character begins and ends."""

    text: str
    places: tuple[int, ...]
    ends: tuple[int, ...]

    def typed(self, start: int, end: int) -> TextSpan:
        """Return the typed characters that a stretch of the folded text stands for; not empty."""
        return TextSpan(self.places[start], self.ends[end - 1])


def stray_spaces(typed: str) -> list[TextSpan]:
    """Return the spaces that stand where a line was broken or a key was hit.

    Between characters of a script that is written without spaces, and then also within numbers.
    """
    between = [TextSpan(*match.span()) for match in _BETWEEN.finditer(typed)]
    within = (TextSpan(*match.span()) for match in _WITHIN.finditer(typed) if between)
    return sorted((*between, *within))


def without_stray_spaces(typed: str) -> str:
    """Return a text without spaces that nobody meant."""
    for span in reversed(stray_spaces(typed)):
        typed = typed[: span.start] + typed[span.end :]
    return typed


def fold_asked(typed: str) -> Folded:
    """Return a question folded in its places, without spaces that nobody meant."""
    return fold(typed, stray_spaces(typed))


def fold(typed: str, without: Sequence[TextSpan] = ()) -> Folded:
    """Return a text folded in its places, `without` some stretches of it."""
    left = {place for span in without for place in range(span.start, span.end)}
    shown: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(typed):
        if match.start() in left:
            continue
        words = normalise(unicodedata.normalize("NFC", match.group()))
        shown.append(words)
        places += [match.start()] * len(words)
        ends += [match.end()] * len(words)
    return Folded("".join(shown), tuple(places), tuple(ends))
