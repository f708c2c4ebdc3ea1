"""Which line ends of a text are wraps: its prose was broken at a width, whatever the words.

Pure functions on strings. Told by the lines that surely go on (the next one begins in small
letters, or both are CJK): where those are about as long as each other, a line as long goes on too.
"""

from collections.abc import Sequence

from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import CJK, WIDE
from kb_service.language.regexes import regex

MIN_WIDTH, MAX_WIDTH = 40, 140
"""Columns of a page of text; a CJK character takes two."""
MIN_WRAPS, MIN_ALIKE = 2, 0.6
_SLACK = 0.06
"""Of the width: who breaks lines by hand leaves some short."""

_WIDE = regex(f"[{WIDE}]")
_CJK = regex(f"[{CJK}]")
_OPEN_END = regex(f"[^\\W_]$|[,{CJK}\uff0c\u3001]$")
_WORD = regex(f"[^\\s{WIDE}]+")
_APART = regex(r"\t|\|| {3,}|\u3000{2,}")
"""Cells side by side."""
_MOMENT = regex(r"[\[(]?\d{1,4}[:\-/.\u5e74\u6708]\d{1,2}")
"""What the lines of a log begin with."""


class Wraps:
    """The lines of one text, as (start, end) in order, and how wide its prose was broken."""

    def __init__(self, text: str, lines: Sequence[tuple[int, int]]) -> None:
        self._text = text
        self._lines = lines
        self._width = self._found_width()

    def goes_on(self, index: int) -> bool:
        """True where the words of a line go on in the next one."""
        if not self._width or not self._are_close(index):
            return False
        line, following = self._line(index), self._line(index + 1)
        if _APART.search(line) or _APART.search(following) or LAYOUT.begins_item(following):
            return False
        if _MOMENT.match(following) and not _OPEN_END.search(line):
            return False
        return self._is_full(line, following, self._width)

    def _found_width(self) -> int:
        sure = [
            (self._line(at), self._line(at + 1))
            for at in range(len(self._lines) - 1)
            if self._is_sure(at)
        ]
        width = max((width_of(line) for line, _ in sure), default=0)
        full = sum(self._is_full(line, following, width) for line, following in sure)
        return width if full >= max(MIN_WRAPS, MIN_ALIKE * len(sure)) else 0

    def _is_sure(self, index: int) -> bool:
        """True for a line of prose that the next one goes on with, by their words."""
        start, end = self._lines[index]
        if not MIN_WIDTH / 2 <= end - start <= MAX_WIDTH or not self._are_close(index):
            return False
        line, following = self._line(index), self._line(index + 1)
        is_open = bool(_OPEN_END.search(line)) and not _APART.search(line)
        goes_on = following[0].islower() or bool(_CJK.match(following) and _CJK.search(line[-1]))
        return is_open and goes_on and MIN_WIDTH <= width_of(line) <= MAX_WIDTH

    def _are_close(self, index: int) -> bool:
        """True for a line with words that has another one right below."""
        if index + 1 >= len(self._lines):
            return False
        is_near = self._text.count("\n", self._lines[index][1], self._lines[index + 1][0]) == 1
        return is_near and bool(self._line(index) and self._line(index + 1))

    def _line(self, index: int) -> str:
        return self._text[slice(*self._lines[index])].strip()

    @staticmethod
    def _is_full(line: str, following: str, width: int) -> bool:
        """True when the first word of the next line did not fit on a line any more."""
        word = _WORD.match(following)
        more = 1 + len(word.group()) if word else 2
        least, most = (1 - _SLACK) * width, (1 + 2 * _SLACK) * width
        own = width_of(line)
        return own + more > least and own <= most


def width_of(line: str) -> int:
    """Return how many columns a line takes; a CJK character takes two."""
    return len(line) + len(_WIDE.findall(line))
