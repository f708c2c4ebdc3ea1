"""A text as it is compared, each character with the place where it was typed.

Pure functions on strings. For finding words in what somebody wrote and pointing at them there;
where no place is needed, `text.normalise` folds the same way.
"""

from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.text import normalise


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: normalised, character by character. `places`: where each came from."""

    text: str
    places: tuple[int, ...]

    def typed(self, start: int, end: int) -> TextSpan:
        """Return the typed characters that a stretch of the folded text stands for."""
        return TextSpan(self.places[start], self.places[end - 1] + 1)


def fold(typed: str) -> Folded:
    """Return a text folded in its places."""
    pairs = [(letter, at) for at, one in enumerate(typed) for letter in normalise(one)]
    return Folded("".join(letter for letter, _ in pairs), tuple(at for _, at in pairs))
