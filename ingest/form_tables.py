"""Tables that are forms: a label and its value side by side, one pair or several in a row.

Pure functions on rows whose merged cells stand in every place. Knows how the labels of reports are
recognised (`language`); knows no file format.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from kb_service.language.stated.labels import label_of

MIN_LABELLED = 2
"""Rows with a label that is understood: one may be the header of any table."""
_COLONS = (":", "\uff1a")


def is_form(rows: Sequence[Sequence[str]]) -> bool:
    """True for rows of pairs, of which some begin with a known label and none has one for a value.

    A table with a header has its labels side by side.
    """
    pairs = [list(_pairs(row)) for row in rows]
    return (
        sum(any(_is_known(label) for label, _ in row) for row in pairs) >= MIN_LABELLED
        and all(_are_pairs(row) for row in map(_unmerged, rows))
        and not any(_is_known(value) for row in pairs for _, value in row)
    )


def form_text(row: Sequence[str], join: str) -> str:
    """Return a row as `label: value`, several with `join` between them."""
    said = (said_together(label, value) for label, value in _pairs(row))
    return join.join(filter(None, said))


def said_together(label: str, value: str) -> str:
    """Return a label with its value; one that ends with a colon gets no other."""
    if not label or not value:
        return label or value
    return f"{label} {value}" if ends_with_colon(label) else f"{label}: {value}"


def ends_with_colon(words: str) -> bool:
    """True where a cell announces the next one."""
    return words.endswith(_COLONS)


def _unmerged(row: Sequence[str]) -> list[str]:
    """The cells of a row, merged ones once; empty ones are values that nobody filled in."""
    runs = ((word, list(run)) for word, run in groupby(row))
    return [cell for word, run in runs for cell in ([word] if word else run)]


def _pairs(row: Sequence[str]) -> Iterator[tuple[str, str]]:
    cells = _unmerged(row)
    yield from zip(cells[::2], [*cells[1::2], ""], strict=False)


def _are_pairs(cells: Sequence[str]) -> bool:
    """True for an even number of cells whose labels are words, and for one that is a title."""
    labels = cells[::2]
    return len(cells) == 1 or (
        len(cells) % 2 == 0 and all(any(map(str.isalpha, label)) for label in labels if label)
    )


def _is_known(words: str) -> bool:
    return len(words) <= 30 and label_of(words).is_standard
