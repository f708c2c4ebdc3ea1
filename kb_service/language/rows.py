"""Which units of a text are rows of a table, and what their cells say.

Pure functions. Knows how rows are written out (label: value; label: value, or cells between bars);
knows no file format.
"""

from collections.abc import Collection

from kb_service.language.identifiers import names_whole
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex

_LABELLED = regex(r"[^\n;|\uff1b]{1,40}[:\uff1a]\s*[^\n;|\uff1b]+[;\uff1b]")
_NAMED_BESIDE = regex(
    r"[^\n;:|\uff1b\uff1a]{1,40}[;\uff1b](?:\s*[^\n;|\uff1b:]{1,60}[:\uff1a]\s[^\n;|\uff1b]+(?:[;\uff1b]|$)){2}"
)
"""A name beside cells behind their labels: Length; Sorrel: 112; Tansy: 98."""
_BARS = regex(r"[^|\n]*\|[^|\n]*\|")


_DITTO = frozenset(shipped_lexicon().listed("cells", "ditto"))
_COLON = regex(r"(?<!\d):|:(?!\d)")
_BETWEEN = regex(r"[;\uff1b|]")
MIN_CELL = 2
"""A single character stands in any question."""


def says_the_above(cell: str) -> bool:
    """True for a cell that says what the cell above it says: ditto, 同上."""
    return cell.strip().casefold() in _DITTO


def is_row(words: str) -> bool:
    """True for two or more cells on one line, each behind its label or between bars.

    A cell may have several lines; two cells stand on the first.
    """
    line = words.strip().partition("\n")[0]
    return any(pattern.match(line) for pattern in (_LABELLED, _NAMED_BESIDE, _BARS))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BETWEEN.split(row)]


def is_of_labels(line: str, labels: Collection[str]) -> bool:
    """True for a line whose cells are all labels, or first or last words of some.

    So is each row of a head of several, whose names are joined below. `line`: normalised.
    """
    cells = _cells(line)
    return len(cells) > 1 and all(
        cell in labels
        or any(label.startswith(f"{cell} ") or label.endswith(f" {cell}") for label in labels)
        for cell in cells
    )


def labels_of(row: str) -> list[str]:
    """Return the words before the colon of each cell that has one."""
    return [label.strip() for label, value in map(_parted, _cells(row)) if value is not None]


def says_a_cell(asked: str, row: str) -> bool:
    """True when a question says one of the cells of a row; both normalised."""
    values = (label if value is None else value for label, value in map(_parted, _cells(row)))
    return any(len(value) >= MIN_CELL and names_whole(asked, value) for value in values)


def _parted(cell: str) -> tuple[str, str | None]:
    """Return label and value of a cell, None for the value of one that has no label.

    A colon between digits is a time of day in either of them.
    """
    colon = _COLON.search(cell)
    return (cell[: colon.start()], cell[colon.end() :].strip()) if colon else (cell, None)
