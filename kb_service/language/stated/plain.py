"""A text in which patterns look: plain characters of one case, each in its place.

Pure functions. Knows no meaning.
"""

import unicodedata
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK
from kb_service.language.regexes import regex
from kb_service.language.variants import simplified

_BREAK = regex(r"[ \t]*\n\s*")
_CJK = regex(f"[{CJK}\u3000-\u303f\uff00-\uffef]")


class _Plain(dict[int, str]):
    """Plain forms by code point; one that would be longer or nothing stays as it is."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = simplified(unicodedata.normalize("NFKC", character)).casefold()
        self[code] = folded if len(folded) == 1 else character
        return self[code]


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Return the text in plain forms, lower case and simplified, every character in its place."""
    return text.translate(_PLAIN)


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of a text on one line: as it is written, plain, and where each character stands.

    `at` is None where nothing was left out: the place is that behind `start`. `whole`: the stretch
    with its line ends.
    """

    start: int
    written: str
    plain: str
    whole: str
    at: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> TextSpan:
        """Return where a part of the line stands in the text; not of nothing."""
        if self.at is None:
            return TextSpan(self.start + start, self.start + end)
        return TextSpan(self.at[start], self.at[end - 1] + 1)

    def value(self, span: TextSpan) -> str:
        """Return the words of a span of the text, line ends and all."""
        return span.shifted(-self.start).of(self.whole)


def line_of(text: str, plain_text: str, span: TextSpan) -> Line:
    """Return the words of a span; a line end between characters of CJK is nothing, else a space."""
    written, folded = span.of(text), span.of(plain_text)
    if "\n" not in written:
        return Line(span.start, written, folded, written)
    kept: list[int] = []
    place = 0
    spaces: set[int] = set()
    for match in _BREAK.finditer(written):
        kept += range(place, match.start())
        place = match.end()
        around = written[max(0, match.start() - 1) : match.start()], written[place : place + 1]
        if not all(map(_CJK.match, around)):
            kept.append(match.start())
            spaces.add(match.start())
    kept += range(place, len(written))
    shown, low = (
        "".join(" " if at in spaces else characters[at] for at in kept)
        for characters in (written, folded)
    )
    return Line(span.start, shown, low, written, tuple(span.start + at for at in kept))
