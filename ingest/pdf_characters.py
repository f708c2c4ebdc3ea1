"""The characters of a text page as pdfium lists them: text and boxes, each in one pass.

Knows pdfium's calls for characters and what a call costs: most of the time that a page takes goes
into asking for boxes one by one. Knows nothing of lines. Boxes are points of the unrotated page.
"""

import ctypes
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pypdfium2.raw as pdfium

from kb_service.domain.spans import Box

NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)

_AT_ONCE = 128  # characters whose boxes are asked for in one go
_BLANK = re.compile(r"[ \n\t\r\xa0]")
_UNSURE = re.compile(r"[^ \n\t\r!-~\xa0-\ud7ff\uf900-\ufefe\uff00-\ufffc]")
"""What the text of a page may give otherwise than the list of its characters."""
_LARGEST = 0x10FFFF
_NO_CHARACTER = "\uffff"


def unchecked(function: Callable[..., object], result: type) -> Callable[..., Any]:
    """Return a function of pdfium for many calls in a row, whose arguments are the caller's care.

    Checking each against its declared type takes longer than the call. Numbers are passed as int,
    addresses as pointers.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type] # a C function
    return ctypes.PYFUNCTYPE(result)(address or 0)


_get_box = unchecked(pdfium.FPDFText_GetCharBox, ctypes.c_int)


@dataclass(frozen=True, slots=True)
class Characters:
    """Text and boxes run in parallel, one of each for each place of pdfium's list.

    Blanks have NO_BOX. `text` may hold single surrogates, controls and U+0000. `around`: a box in
    which all others lie.
    """

    text: str
    boxes: list[Box]
    around: Box = NO_BOX


class CharacterReader:
    """Reads text pages, one after another. Holds the places that pdfium writes boxes into."""

    def __init__(self) -> None:
        self._edges = [(ctypes.c_double * _AT_ONCE)() for _ in range(4)]
        size = ctypes.sizeof(ctypes.c_double)
        self._places = [
            [ctypes.byref(edge, size * number) for number in range(_AT_ONCE)]
            for edge in self._edges
        ]

    def read(self, textpage: ctypes.c_void_p, origin: tuple[float, float]) -> Characters:
        """Return all characters of a text page; boxes count from `origin`."""
        text = _text_of(textpage)
        boxes, corners = self._boxes(textpage, len(text))
        dx, dy = origin
        if dx or dy:
            boxes, corners = (
                [(a - dx, b - dy, c - dx, d - dy) for a, b, c, d in some]
                for some in (boxes, corners)
            )
        for blank in _BLANK.finditer(text):
            boxes[blank.start()] = NO_BOX
        lefts, bottoms, rights, tops = zip(*corners, strict=True)
        return Characters(text, boxes, (min(lefts), min(bottoms), max(rights), max(tops)))

    def _boxes(self, textpage: ctypes.c_void_p, num: int) -> tuple[list[Box], list[Box]]:
        """Return a box for each character, and one around each of the goes."""
        boxes: list[Box] = []
        around: list[Box] = [NO_BOX]
        for start in range(0, num, _AT_ONCE):
            end = min(start + _AT_ONCE, num)
            calls = map(_get_box, repeat(textpage), range(start, end), *self._places)
            deque(calls, maxlen=0)
            some = end - start
            left, right, bottom, top = (edge[:some] for edge in self._edges)
            boxes.extend(zip(left, bottom, right, top, strict=True))
            around.append((min(left), min(bottom), max(right), max(top)))
        return boxes, around


def _text_of(textpage: ctypes.c_void_p) -> str:
    """Return the characters of a text page, one for each that pdfium lists.

    The text in one piece leaves some out and tells others differently: where it does not have the
    length of the list, and for what is unusual in it, the list is asked.
    """
    num = max(0, pdfium.FPDFText_CountChars(textpage))
    units = (ctypes.c_ushort * (2 * num + 2))()
    written = pdfium.FPDFText_GetText(textpage, 0, num, units)
    text = bytes(units)[: 2 * max(written - 1, 0)].decode("utf-16-le", "surrogatepass")
    if len(text) != num:
        return "".join(_listed(textpage, number) for number in range(num))
    return _UNSURE.sub(lambda found: _listed(textpage, found.start()), text)


def _listed(textpage: ctypes.c_void_p, number: int) -> str:
    code = pdfium.FPDFText_GetUnicode(textpage, number)
    return chr(code) if code <= _LARGEST else _NO_CHARACTER
