"""Lines with words from right to left, put into the order in which they are read.

pdfium turns such words round, as if each file had them as they are seen, from left to right. That
is undone; what then still runs to the right although it is read to the left is turned. Pure
functions on characters with their boxes; the classes of characters are those of Unicode (UAX 9).
"""

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from unicodedata import bidirectional

from ingest.pdf_characters import NO_BOX
from kb_service.domain.spans import Box

Glyph = tuple[str, Box, int]
"""A character, its box, its place in the line as pdfium gives it."""

_CLASSES = {
    "R": "R", "AL": "R", "L": "L", "EN": "D", "AN": "D", "NSM": "M", "ET": "T", "CS": "C",
    "ES": "C", "BN": "B",
}  # fmt: skip
_SEGMENT = re.compile(
    "(?P<right>M*R(?:[RMNTCB]*[RM])?)|(?P<left>L(?:[LDMNTCB]*[LD])?|T*D(?:C?D)*T*)|."
)
"""Words from right to left, words and numbers from left to right, and what stands between."""
_SIDES = {"R": "R", "L": "L", "D": "W", "M": "W", "T": "W", "C": "W", "B": "W"}
"""Right, left and weakly left: how pdfium cuts a line into pieces."""
_WORD = re.compile(r"[^ \t\xa0]+")
_PAIRS = (
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("<", ">"),
    ("\u00ab", "\u00bb"),
    ("\u2039", "\u203a"),
)
_MIRRORED = {ord(one): other for a, b in _PAIRS for one, other in ((a, b), (b, a))}


def in_reading_direction(text: str, boxes: list[Box]) -> tuple[str, list[int]]:
    """Return the characters of a line in the order of reading, and where each stood before.

    `text`: as pdfium gives a whole line.
    """
    glyphs = _as_in_file(list(zip(text, boxes, range(len(text)), strict=True)))
    classes = "".join(_class(character) for character, _, _ in glyphs)
    found = list(_SEGMENT.finditer(classes))
    segments = [glyphs[each.start() : each.end()] for each in found]
    words = [
        _words(segment) for each, segment in zip(found, segments, strict=True) if each["right"]
    ]
    if sum(_trend_inside(word) for some in words for word in some) >= 0:
        glyphs = _as_read(found, segments, runs_left=_runs_left(classes))
    return "".join(character for character, _, _ in glyphs), [place for _, _, place in glyphs]


def with_cells(text: str, boxes: list[Box], least: float, mark: str) -> str:
    """Return the text with a mark for each space over which the line is empty for `least` points.

    Words that follow each other need not stand side by side.
    """
    inked = sorted(box for box in boxes if box != NO_BOX)
    gaps, right = [], inked[0][2]
    for box in inked:
        if box[0] - right > least:
            gaps.append((right, box[0]))
        right = max(right, box[2])
    marked = list(text)
    words = [word for word in _WORD.finditer(text) if _inked(boxes, word)] if gaps else []
    for before, after in pairwise(words):
        start = min(max(box[2] for box in _inked(boxes, word)) for word in (before, after))
        end = max(min(box[0] for box in _inked(boxes, word)) for word in (before, after))
        if any(start <= gap[0] and gap[1] <= end for gap in gaps):
            marked[before.end() : after.start()] = mark * (after.start() - before.end())
    return "".join(marked)


def _as_in_file(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Undo what pdfium did to a line with a character from right to left."""
    runs = [(side, list(run)) for side, run in groupby(glyphs, lambda glyph: _side(glyph[0]))]
    is_turned = sum(side == "R" for side, _ in runs) > sum(side == "L" for side, _ in runs)
    result, is_right = [], is_turned
    for side, run in runs:
        is_right = is_right if side in ("", "W") else side == "R"
        result.append(_turned(run) if is_right and side != "W" else run)
    return [glyph for run in (result[::-1] if is_turned else result) for glyph in run]


def _runs_left(classes: str) -> bool:
    """True for a line, as it is seen, that is read from the right.

    A line begins with a letter of its own direction; where that tells nothing, most letters do.
    """
    letters = [kind for kind in classes if kind in "RL"]
    if letters[0] == letters[-1]:
        return letters[0] == "R"
    return 2 * letters.count("R") >= len(letters)


def _as_read(
    found: list[re.Match[str]], segments: list[list[Glyph]], *, runs_left: bool
) -> list[Glyph]:
    """Return the characters of a line that is given as it is seen."""
    read = [
        _from_right(segment) if each["right"] else segment
        for each, segment in zip(found, segments, strict=True)
    ]
    trend = _trend(read)
    if trend > 0 if runs_left else trend < 0:
        read = [
            segment if each["left"] or each["right"] else _turned(segment)
            for each, segment in zip(found, read, strict=True)
        ][::-1]
    return [glyph for segment in read for glyph in segment]


def _from_right(segment: list[Glyph]) -> list[Glyph]:
    """Return words from right to left, each and all of them beginning at the right end."""
    words = [_turned(word) if _trend_inside(word) > 0 else word for word in _words(segment)]
    return [glyph for word in (words[::-1] if _trend(words) > 0 else words) for glyph in word]


def _words(segment: list[Glyph]) -> list[list[Glyph]]:
    """Cut a segment at its spaces, which stand between as words."""
    return [list(word) for _, word in groupby(segment, lambda glyph: glyph[0].isspace())]


def _trend_inside(word: list[Glyph]) -> int:
    return _trend([[glyph] for glyph in word if _class(glyph[0]) == "R"])


def _turned(glyphs: list[Glyph]) -> list[Glyph]:
    return [(glyph[0].translate(_MIRRORED), glyph[1], glyph[2]) for glyph in reversed(glyphs)]


def _trend(pieces: Sequence[Sequence[Glyph]]) -> int:
    """Return how many more steps between pieces go to the right than to the left."""
    inked = [[box for _, box, _ in piece if box != NO_BOX] for piece in pieces]
    middles = [sum(a + c for a, _, c, _ in boxes) / len(boxes) for boxes in inked if boxes]
    return sum((after > before) - (after < before) for before, after in pairwise(middles))


def _inked(boxes: list[Box], word: re.Match[str]) -> list[Box]:
    return [box for box in boxes[word.start() : word.end()] if box != NO_BOX]


def _class(character: str) -> str:
    return _CLASSES.get(bidirectional(character), "N")


def _side(character: str) -> str:
    return _SIDES.get(_class(character), "")
