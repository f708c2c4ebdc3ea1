"""Charts and diagrams as lines of text, from what the file keeps beside the drawing.

Knows DrawingML's charts, old and extended, and diagrams. Knows nothing of the workbook behind them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.number_formats import shown
from ingest.office_package import OfficePackage, local
from ingest.tables import CELL_JOIN, row_texts

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMES, _VALUES = ("cat", "xVal"), ("val", "yVal", "bubbleSize")
_DIMENSIONS = ("strDim", "numDim")
Column = dict[int, str]


def chart_texts(root: "_Element") -> Iterator[str]:
    """Yield titles and labels, then a line for each category that names its series."""
    yield from diagram_texts(root)
    series = [node for node in root.iter() if local(node) == "ser"]
    if series:
        names, *rows = _series_rows(series)
        yield CELL_JOIN.join(filter(None, names))
        yield from row_texts(rows, names)
    else:
        yield from row_texts(_dimension_rows(root))


def drawn_over(package: OfficePackage, part: str) -> Iterator[str]:
    """Yield the paragraphs of shapes that somebody put over a chart."""
    for kind, drawing in package.targets(part).values():
        root = package.root(drawing) if kind == "chartUserShapes" else None
        if root is not None:
            yield from diagram_texts(root)


def diagram_texts(root: "_Element") -> Iterator[str]:
    """Yield the paragraphs of a drawing that have words, in the order of the file."""
    for node in root.iter():
        if local(node) == "p":
            words = "".join(part.text or "" for part in node.iter() if local(part) == "t")
            if words.strip():
                yield words


def _series_rows(series: list["_Element"]) -> Iterator[list[str]]:
    columns: list[Column] = []
    heads = [""]
    names: Column = {}
    for one in series:
        head = " ".join(_points(_inside(one, "tx")).values())
        for node in one:
            if local(node) in _NAMES:
                names = names or _points(node)
            elif local(node) in _VALUES:
                columns.append(_points(node))
                heads.append(head)
    yield heads
    for place in sorted({*names, *(place for column in columns for place in column)}):
        yield [names.get(place, ""), *(column.get(place, "") for column in columns)]


def _dimension_rows(root: "_Element") -> Iterator[list[str]]:
    """Rows of an extended chart: each level of a dimension is a column."""
    levels = [
        _points(level)
        for dimension in root.iter()
        if local(dimension) in _DIMENSIONS
        for level in dimension
        if local(level) == "lvl"
    ]
    for place in sorted({place for level in levels for place in level}):
        yield [level.get(place, "") for level in levels]


def _inside(node: "_Element", name: str) -> "_Element | None":
    return next((part for part in node if local(part) == name), None)


def _points(node: "_Element | None") -> Column:
    """Return the kept values of a reference by place; several levels of names are joined."""
    found: Column = {}
    number_format = ""
    for part in () if node is None else node.iter():
        if local(part) == "formatCode":
            number_format = part.text or ""
        elif local(part) == "pt":
            words = _value(part, number_format)
            place = int(part.get("idx", "0")) if part.get("idx", "0").isdecimal() else 0
            found[place] = f"{words} {found[place]}" if found.get(place) else words
        elif local(part) == "v" and not found and local(part.getparent()) == "tx":
            found[0] = (part.text or "").strip()
    return found


def _value(point: "_Element", number_format: str) -> str:
    inner = _inside(point, "v")
    words = ((point if inner is None else inner).text or "").strip()
    try:
        number = float(words)
    except ValueError:
        return words
    return shown(number, number_format)
