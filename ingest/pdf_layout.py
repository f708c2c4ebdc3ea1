"""From visual lines to running text: which line ends are wraps and which end a paragraph.

Pure functions on lines; knows geometry and scripts, nothing of pdfium or files. The stored text
follows one convention: a blank line ends a paragraph, a single line end is a wrap or a list item,
a tab separates table cells. A wrap next to a Chinese character leaves nothing behind, because the
words go on without a space; a row of a table is never joined that way to the line below it. A row
that names its columns is a paragraph.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from ingest.pdf_cells import is_one_row, row_cells
from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import CELL, Line
from kb_service.domain.spans import Box, TextSpan
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import WIDE

PARAGRAPH = "\n\n"
WRAP = "\n"

_WIDE = re.compile(f"[{WIDE}]")
_LATIN_WORD = re.compile(f"[^\\s{WIDE}]+")
_CHINESE_RAG_SIZES = 3.0
_WINDOW = 5
_NORMAL_LEADING = 1.25
MAX_HEADING_CHARS = 100
TITLE_SIZE = 1.3
"""What a document begins with is its title, whatever its marks, where it is so much larger."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a page: its range in the page text and how it is set.

    `size`: height of the font in points. `num_lines`: visual lines.
    """

    span: TextSpan
    size: float
    is_bold: bool
    num_lines: int


@dataclass(frozen=True, slots=True)
class PageText:
    """The running text of a page, one box per code point, and its paragraphs in order."""

    text: str
    boxes: tuple[Box, ...]
    paragraphs: tuple[Paragraph, ...]


def compose(lines: list[Line]) -> PageText:
    """Join the lines of one page in the order given."""
    if not lines:
        return PageText("", (), ())
    leading, cells = _leading(lines), row_cells(lines)
    pieces: list[str] = []
    boxes: list[Box] = []
    paragraphs: list[Paragraph] = []
    start, first = 0, 0
    for index, line in enumerate(lines):
        pieces.append(line.text)
        boxes.extend(line.boxes)
        separator = PARAGRAPH
        if index + 1 < len(lines):
            separator = _separator(lines, index, leading, cells)
        if separator == PARAGRAPH:
            head = lines[first]
            paragraphs.append(
                Paragraph(TextSpan(start, len(boxes)), head.size, head.is_bold, index - first + 1)
            )
            start, first = len(boxes) + len(PARAGRAPH), index + 1
        if index + 1 < len(lines):
            pieces.append(separator)
            boxes.extend([NO_BOX] * len(separator))
    return PageText("".join(pieces), tuple(boxes), tuple(paragraphs))


def joined(first: PageText, second: PageText) -> PageText:
    """Return two texts of one page, the second as paragraphs behind the first."""
    if not (first.text and second.text):
        return first if first.text else second
    start = len(first.text) + len(PARAGRAPH)
    return PageText(
        first.text + PARAGRAPH + second.text,
        (*first.boxes, *[NO_BOX] * len(PARAGRAPH), *second.boxes),
        (*first.paragraphs, *(replace(p, span=p.span.shifted(start)) for p in second.paragraphs)),
    )


def _leading(lines: list[Line]) -> float:
    """Return the usual distance of two baselines on this page, in font heights."""
    steps = [
        (above.baseline - below.baseline) / above.size
        for above, below in pairwise(lines)
        if _same_size(above, below) and 0.5 * above.size < above.baseline - below.baseline
    ]
    usual = median(steps) if len(steps) >= 4 else _NORMAL_LEADING
    return min(max(usual, 0.9), 2.5)


def _same_size(left: Line, right: Line) -> bool:
    return abs(left.size - right.size) <= 0.12 * max(left.size, right.size)


def _separator(
    lines: list[Line], index: int, leading: float, cells: list[tuple[float, ...]]
) -> str:
    before, after = lines[index], lines[index + 1]
    if before.is_row or after.is_row:
        return PARAGRAPH
    if is_one_row(before, after):
        return CELL
    if not _same_size(before, after) or _is_apart(before, after, leading):
        return PARAGRAPH
    if LAYOUT.begins_section(after.text) or LAYOUT.is_section_mark(before.text):
        return PARAGRAPH
    if LAYOUT.begins_item(after.text):
        return WRAP if LAYOUT.begins_item(before.text) else PARAGRAPH
    if len(cells[index + 1]) > 1 and not after.text[0].islower():
        return PARAGRAPH  # a row of a table; only prose with a stray gap goes on in lower case
    if LAYOUT.begins_field(after.text) or not _is_full(before, after, _right_margin(lines, index)):
        return PARAGRAPH
    if _starts_indented(before, after):
        return PARAGRAPH
    if len(cells[index]) > 1 and not _continues_cell(before, after, cells[index]):
        return WRAP  # perhaps the next row, perhaps a wrap: breaks no sentence, joins no words
    return "" if _WIDE.match(before.text[-1]) or _WIDE.match(after.text[0]) else WRAP


def _continues_cell(before: Line, after: Line, cells: tuple[float, ...]) -> bool:
    """True when a line below a row begins where a cell right of the first one does."""
    return any(abs(after.box[0] - x) < 0.5 * before.size for x in cells[1:])


def _is_apart(before: Line, after: Line, leading: float) -> bool:
    """True when the step down is clearly larger than the usual line distance of the page."""
    step = before.baseline - after.baseline
    return step > (leading * 1.3 + 0.1) * before.size


def _starts_indented(before: Line, after: Line) -> bool:
    indent = after.box[0] - before.box[0]
    return indent > 1.2 * before.size and LAYOUT.ends_line(before.text)


def _right_margin(lines: list[Line], index: int) -> float:
    """Return how far right the lines around this one reach, in the same column and font size."""
    line = lines[index]
    around = lines[max(0, index - _WINDOW) : index + _WINDOW + 1]
    return max(
        near.box[2]
        for near in around
        if near is line
        or (_same_size(near, line) and near.box[0] < line.box[2] and line.box[0] < near.box[2])
    )


def _is_full(before: Line, after: Line, margin: float) -> bool:
    """True when the next line's first word did not fit on this line: the break is a wrap."""
    if _WIDE.match(before.text[-1]) and not LAYOUT.ends_line(before.text):
        # Marks and numbers drag the character before them along to the next line.
        return before.box[2] + _CHINESE_RAG_SIZES * before.size > margin
    word_end = 1
    if not _WIDE.match(after.text[0]):
        match = _LATIN_WORD.match(after.text)
        word_end = match.end() if match else 1
    word = [box for box in after.boxes[:word_end] if box != NO_BOX]
    width = word[-1][2] - word[0][0] if word else 0.0
    gap = 0.0 if _WIDE.match(after.text[0]) else 0.2 * before.size
    return before.box[2] + gap + width > margin - 0.1 * before.size


def body_size(paragraphs: list[tuple[str, Paragraph]]) -> float:
    """Return the font height most characters are set in, to half a point; 0.0 without text."""
    weights: Counter[float] = Counter()
    for text, paragraph in paragraphs:
        weights[round(paragraph.size * 2) / 2] += len(text)
    return weights.most_common(1)[0][0] if weights else 0.0


def heading_levels(paragraphs: list[tuple[str, Paragraph]]) -> list[int]:
    """Return for each (text, paragraph) of a document its heading level, 0 for body text.

    Larger type makes a heading, the largest level 1 and so on; short bold lines and Chinese
    section marks come below all of them.
    """
    body = body_size(paragraphs)
    large = [
        _is_heading_text(text, is_title=number == 0 and paragraph.size > TITLE_SIZE * body)
        and paragraph.size > (1.08 if paragraph.is_bold else 1.15) * body
        and paragraph.num_lines <= 3
        for number, (text, paragraph) in enumerate(paragraphs)
    ]
    sizes = _distinct_sizes(
        [
            paragraph.size
            for (_, paragraph), is_large in zip(paragraphs, large, strict=True)
            if is_large
        ]
    )
    levels: list[int] = []
    for (text, paragraph), is_large in zip(paragraphs, large, strict=True):
        if is_large:
            levels.append(1 + min(range(len(sizes)), key=lambda i: abs(sizes[i] - paragraph.size)))
        elif _is_small_heading(text, paragraph):
            levels.append(len(sizes) + (1 if LAYOUT.begins_section(text) else 2))
        else:
            levels.append(0)
    return levels


def _distinct_sizes(sizes: list[float]) -> list[float]:
    """Return sizes in descending order, each at least a twentieth smaller than the one before."""
    distinct: list[float] = []
    for size in sorted(sizes, reverse=True):
        if not distinct or size < 0.95 * distinct[-1]:
            distinct.append(size)
    return distinct[:6]


def _is_small_heading(text: str, paragraph: Paragraph) -> bool:
    if paragraph.num_lines > 1 or not _is_heading_text(text):
        return False
    if LAYOUT.is_section_mark(text):
        return True
    return paragraph.is_bold and not LAYOUT.begins_item(text)


def _is_heading_text(text: str, *, is_title: bool = False) -> bool:
    """True for words that may head something; a title may say "Review: Ward 5", as a field does."""
    return (
        2 <= len(text) <= MAX_HEADING_CHARS
        and not LAYOUT.ends_line(text)
        and CELL not in text
        and (is_title or not LAYOUT.begins_field(text))
        and not LAYOUT.is_page_number(text)
        and any(character.isalpha() for character in text)
    )
