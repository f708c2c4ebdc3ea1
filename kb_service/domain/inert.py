"""Words of documents for a reader that may render Markdown or HTML: nothing in them acts.

Pure. One space parts the two characters that only together begin an image, a link's address, a
definition, a tag or a fence; every other character stays. Knows no document and no client.
"""

from bisect import bisect_left, bisect_right

from kb_service.domain.spans import TextSpan

_AFTER = {"!": "[", "]": "(:", "`": "`", "~": "~"}
_TAG_MARKS = "/!?"
"""What may follow `<` in a tag, beside a letter of ASCII."""


class InertText:
    """Feed text in pieces that may end anywhere; the result depends on the whole text only."""

    def __init__(self) -> None:
        self._last = ""
        self._num_chars = 0
        self._parted: list[int] = []

    def feed(self, piece: str) -> str:
        """Return the piece with what would act in it parted."""
        shown = []
        for character in piece:
            if _acts(self._last, character):
                shown.append(" ")
                self._parted.append(self._num_chars)
            shown.append(character)
            self._last = character
            self._num_chars += 1
        return "".join(shown)

    def place(self, span: TextSpan) -> TextSpan:
        """Return where the words of a span of the text stand in what was returned."""
        start = span.start + bisect_right(self._parted, span.start)
        end = span.end + bisect_left(self._parted, span.end)
        return TextSpan(start, max(start, end))


def inert(text: str) -> str:
    """Return a whole text with what would act in it parted."""
    return InertText().feed(text)


def _acts(last: str, character: str) -> bool:
    if last == "<":
        return (character.isascii() and character.isalpha()) or character in _TAG_MARKS
    return character in _AFTER.get(last, "")
