"""Tables that are forms: a label and its value side by side, one pair or several in a row.

Pure functions on rows whose merged cells stand in every place. Knows how the labels of reports are
recognised (`language`); knows no file format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Self

from ingest.orientation import has_names_above, has_pairs
from kb_service.language.stated.labels import label_of

MIN_LABELLED = 2
"""Rows with a label that is understood: one may be the header of any table."""
_LABELS_TO_VALUES = 3
"""So many labels that are understood stand for one value that looks like one."""
_COLONS = (":", "\uff1a")
_MIN_SIDED = 3

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Form:
    """A table of labels and values.

    `blank`: columns without a word; `labels`: columns in which labels begin; `has_sides`: a word
    beside several rows stands before their labels.
    """

    blank: frozenset[int]
    labels: frozenset[int]
    has_sides: bool

    @classmethod
    def of(cls, rows: Rows) -> Self | None:
        """Return how rows are read as a form, None where they are none."""
        width = max(map(len, rows), default=0)
        blank = {at for at in range(width) if not any(at < len(row) and row[at] for row in rows)}
        starts = [_starts(row, blank) for row in rows]
        full = [row for row in starts if all(word for _, word in row)]
        has_sides = _are_sided([[word for _, word in row] for row in starts])
        first = 1 if has_sides else 0
        labels = {at for row in full if len(row) > 1 for at, _ in row[_side(row, first) :: 2]}
        form = cls(frozenset(blank), frozenset(labels), has_sides)
        told = [form.pairs(row) for row in rows]
        return form if _are_known(told) or _are_alike(told) else None

    def pairs(self, row: Sequence[str]) -> tuple[str, list[str]]:
        """Return the word beside a row, "" without one, and its labels and values in turns."""
        side, places = self.places(row)
        return "" if side is None else row[side], [row[at] for at in places]

    def places(self, row: Sequence[str]) -> tuple[int | None, list[int]]:
        """Return the columns of the word beside a row, and of its labels and values in turns."""
        starts = _starts(row, self.blank)
        side = starts.pop(0)[0] if _side(starts, int(self.has_sides)) else None
        cells: list[int] = []
        for place, (at, word) in enumerate(starts):
            if word or len(cells) % 2 or not self._is_filling(starts[place:]):
                cells.append(at)
        return side, cells

    def texts(self, rows: Iterator[Sequence[str]], join: str) -> Iterator[str]:
        """Yield a row as `label: value`, several with `join` between; a side word once, above."""
        before = ""
        for row in rows:
            side, cells = self.pairs(row)
            text = join.join(filter(None, map(said_together, cells[::2], [*cells[1::2], None])))
            yield "\n".join(filter(None, (side if side != before else "", text)))
            before = side

    def _is_filling(self, starts: Sequence[tuple[int, str]]) -> bool:
        """True for empty cells before the next label, or before none."""
        following = next((at for at, word in starts if word), None)
        return following is None or not self.labels or following in self.labels


def said_together(label: str, value: str | None) -> str:
    """Return a label with its value; one that ends with a colon gets no other.

    None: nothing stands beside it, and it is no label.
    """
    if value is None or not label:
        return label or value or ""
    return f"{label}{'' if ends_with_colon(label) else ':'} {value}".rstrip()


def ends_with_colon(words: str) -> bool:
    """True where a cell announces the next one."""
    return words.endswith(_COLONS)


def _starts(row: Sequence[str], blank: frozenset[int] | set[int]) -> list[tuple[int, str]]:
    """The cells of a row with their columns, merged ones once, empty ones each."""
    cells = [(at, word) for at, word in enumerate(row) if at not in blank]
    runs = ((word, list(run)) for word, run in groupby(cells, key=lambda cell: cell[1]))
    return [cell for word, run in runs for cell in (run[:1] if word else run)]


def _are_sided(rows: Rows) -> bool:
    """True where rows of an odd number of cells share the first one with a neighbour."""
    return any(
        row[0] and row[0] == other[0] and _is_sided(row) and _is_sided(other)
        for row, other in pairwise(row for row in rows if row)
    )


def _is_sided(row: Sequence[object]) -> bool:
    return len(row) >= _MIN_SIDED and len(row) % 2 == 1


def _side(row: Sequence[object], num_sides: int) -> int:
    """How many cells of a row stand before its labels."""
    return num_sides if _is_sided(row) else 0


def _are_known(told: Sequence[tuple[str, list[str]]]) -> bool:
    """True for rows of pairs of which some begin with known labels, and hardly a value is one.

    A table with a header has its labels side by side.
    """
    rows = [cells for _, cells in told if cells]
    labelled = [[label for label in row[::2] if _is_known(label)] for row in rows]
    values = [value for row in rows for value in row[1::2] if _is_known(value)]
    return (
        sum(map(bool, labelled)) >= MIN_LABELLED
        and all(map(_are_pairs, rows))
        and len(values) * _LABELS_TO_VALUES <= sum(map(len, labelled))
        and not has_names_above(rows)
    )


def _are_alike(told: Sequence[tuple[str, list[str]]]) -> bool:
    return has_pairs([cells for _, cells in told if cells])


def _are_pairs(cells: Sequence[str]) -> bool:
    """True for an even number of cells whose labels are words, and for one that is a title."""
    labels = cells[::2]
    return len(cells) == 1 or (
        len(cells) % 2 == 0 and all(any(map(str.isalpha, label)) for label in labels if label)
    )


def _is_known(words: str) -> bool:
    return len(words) <= 30 and label_of(words).is_standard
