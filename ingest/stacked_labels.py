"""Tables that are forms: a row of labels over a row of their values, again and again.

Pure functions on rows whose merged cells stand in every place. Knows how the labels of reports are
recognised (`language`); knows no file format.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ingest.form_tables import said_together
from kb_service.language.stated.labels import label_of

_MIN_PAIRS = 2
"""A row of labels over one row of values is a table with one row."""
_MIN_KNOWN = 2
"""So many labels of each row but the last are understood, or half of them."""
_MAX_LABEL = 30

Rows = Sequence[Sequence[str]]


def stacked_texts(rows: Rows, join: str) -> Iterator[str] | None:
    """Return each row of values as `label: value` with the row of labels above it.

    Rows of one word are titles between them, unless it is a label. None where rows are anything
    else: a table has one row of labels over all others.
    """
    parts = list(_parts(rows))
    pairs = [part for part in parts if len(part) > 1]
    if len(pairs) < _MIN_PAIRS or not all(map(_are_pair, pairs)):
        return None
    named = [_named(labels) for labels, _ in pairs]
    if sum(map(_are_known, named)) < len(pairs) - 1 or any(_are_labels(v) for _, v in pairs):
        return None
    return (_text(part, join) for part in parts)


def _parts(rows: Rows) -> Iterator[Rows]:
    """Yield labels with their values, and titles alone."""
    place = 0
    while place < len(rows):
        is_title = len(_named(rows[place])) == 1 and not _are_known(_named(rows[place]))
        size = 1 if is_title or place + 1 == len(rows) else 2
        yield rows[place : place + size]
        place += size


def _are_pair(pair: Rows) -> bool:
    """True for labels without a gap, of words and no figures, and no value without one."""
    labels, values = pair
    names = _named(labels)
    last = max((place for place, cell in enumerate(labels) if cell), default=-1)
    return (
        bool(names)
        and len(set(names)) == len(names)
        and all(len(name) <= _MAX_LABEL and any(map(str.isalpha, name)) for name in names)
        and not any(any(map(str.isdigit, name)) for name in names)
        and all(labels[: last + 1])
        and any(values)
        and not any(values[last + 1 :])
    )


def _named(labels: Sequence[str]) -> list[str]:
    """The labels of a row, merged ones once."""
    return [label for label, _ in groupby(filter(None, labels))]


def _are_known(labels: Sequence[str]) -> bool:
    known = sum(label_of(label).is_standard for label in labels)
    return known >= min(_MIN_KNOWN, len(labels)) and 2 * known >= len(labels)


def _are_labels(values: Sequence[str]) -> bool:
    """True where what should be values has more than one label that is understood."""
    words = [cell for cell in _named(values) if len(cell) <= _MAX_LABEL]
    return sum(label_of(cell).is_standard for cell in words) > 1


def _text(part: Rows, join: str) -> str:
    if len(part) == 1:
        return join.join(_named(part[0]))
    labels, values = part
    cells = (
        (label, values[n] if n < len(values) else "") for n, label in enumerate(labels) if label
    )
    return join.join(said_together(*cell) for cell, _ in groupby(cells))
