"""Tables of web pages as grids of words, and which elements a page does not show.

Knows merged cells, hidden elements and what a table marks as names of columns; what a cell says
is asked of whom it is told by.
"""

from collections.abc import Callable, Iterator
from itertools import dropwhile, groupby, islice, takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.etree import _Element

TABLE_PARTS = frozenset(["tr", "tbody", "thead", "tfoot", "colgroup", "col"])
MAX_SPAN = 200
"""Columns and rows that one cell may cover; what says more is damaged."""

_HIDDEN = frozenset(["head", "iframe", "noscript", "script", "style", "template", "title"])
_HIDDEN_STYLES = ("display:none", "visibility:hidden")


def name_of(node: Any) -> str:  # noqa: ANN401 - comments have a function for a tag
    """Return the tag of an element, "" for what is none."""
    return node.tag.lower() if isinstance(node.tag, str) else ""


def is_hidden(node: "_Element") -> bool:
    """True for an element whose words no reader sees."""
    style = node.get("style", "").replace(" ", "").lower()
    is_unseen = any(rule in style for rule in _HIDDEN_STYLES) or node.get("hidden") is not None
    tag = name_of(node)
    is_input = tag == "input" and node.get("type", "").lower() == "hidden"
    is_shown = (tag == "template" and node.get("shadowrootmode") is not None) or (
        tag == "title" and next(node.iterancestors("svg"), None) is not None
    )  # a part of the page as it is shown; what is said of a drawing
    return (tag in _HIDDEN and not is_shown) or is_unseen or is_input


def cells_of(row: "_Element") -> list["_Element"]:
    """Return the cells of a row."""
    return [cell for cell in row if name_of(cell) in ("td", "th")]


def num_marked(table: "_Element") -> int:
    """How many rows below the titles are marked as names of columns."""
    rows = dropwhile(lambda cells: len(cells) < 2, _cells_of_rows(table))
    return sum(1 for _ in takewhile(lambda cells: all(map(_is_of_columns, cells)), rows))


def _is_of_columns(cell: "_Element") -> bool:
    """True for a cell of the head, and for a `th` that does not name its row."""
    if any(name_of(around) == "thead" for around in islice(cell.iterancestors(), 2)):
        return True
    return name_of(cell) == "th" and not cell.get("scope", "").lower().startswith("row")


def grid(table: "_Element", words: Callable[["_Element"], str]) -> Iterator[list[str]]:
    """Yield the rows as a grid: a cell that covers several places stands in each of them.

    `words`: what a cell that is shown says.
    """
    below: dict[int, tuple[int, str]] = {}
    for cells in _cells_of_rows(table):
        texts: list[str] = []
        for cell in cells:
            _take_from_above(texts, below)
            text = "" if is_hidden(cell) else words(cell)
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            for _ in range(width):
                if height > 1:
                    below[len(texts)] = (height - 1, text)
                texts.append(text)
        _take_from_above(texts, below)
        yield texts[:1] if len(cells) == 1 and len(set(texts)) == 1 else texts


def _cells_of_rows(part: "_Element") -> Iterator[list["_Element"]]:
    """Yield the cells of each row that is shown; those between two rows are one nobody began."""
    for is_cell, run in groupby(part, key=lambda node: name_of(node) in ("td", "th")):
        if is_cell:
            yield list(run)
            continue
        for node in (node for node in run if name_of(node) in TABLE_PARTS and not is_hidden(node)):
            yield from [cells_of(node)] if name_of(node) == "tr" else _cells_of_rows(node)


def _take_from_above(texts: list[str], below: dict[int, tuple[int, str]]) -> None:
    while len(texts) in below:
        place = len(texts)
        left, text = below.pop(place)
        if left > 1:
            below[place] = (left - 1, text)
        texts.append(text)


def _span(cell: "_Element", name: str) -> int:
    given = cell.get(name, "")
    return min(int(given), MAX_SPAN) if given.isdecimal() and 0 < len(given) < 6 else 1
