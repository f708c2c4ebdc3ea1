"""Lines of a text that are rows of a table, as cells under the names of their columns.

Pure functions. Knows how rows are written out (label: value; label: value) and lines of logs
(key=value key="value"); knows no file format.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.regexes import regex

_LINE = regex(r"[^\n]+")
_NAME = regex(r"(?:[^:\uff1a;]|(?<=\d)[:\uff1a](?=\d)){1,60}(?=: )")
"""A colon between digits is a time of day: the shift of 08:00 to 20:00."""
_JOIN = "; "
_PAIR = regex(
    r"(?:^|(?<=[\s,;\[{(]))(?P<key>[^\W\d][\w.-]*)=(?:\"(?P<quoted>[^\"\n]*)\"|(?P<bare>[^\s\"]+))",
    re.MULTILINE,
)
_MIN_PAIRS = 3
"""A line of so many keys with values is one of a log."""
MIN_CELLS = 2
MIN_ROWS = 2
_MIN_ALIKE, _MAX_SORTS = 3, 100
"""A row alone has so many names in common with other rows, of no more sorts of them."""
_HEAD_LINES = 3
_SHARE = 0.02
"""In so many rows of a table at least stands the name of a column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value under the name of its column; never empty."""

    name: str
    span: TextSpan


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: where its line stands, and its cells in order."""

    span: TextSpan
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under one set of names. `heads`: cells of the lines above, which may be over names."""

    names: tuple[str, ...]
    rows: tuple[TableRow, ...]
    heads: frozenset[str] = frozenset()


_Parts = list[tuple[str, TextSpan, int]]
"""Parts of a line: the name (\"\" without one), where all of it stands, where its value begins."""


def tables_in(text: str) -> list[Table]:
    """Return the tables of a text: runs of lines that share the names of their cells.

    A row alone is one where a line of its names stands above it, or where other rows of the text
    have its names: those of other days, between lines that say the day.
    """
    runs = list(_runs(text))
    known = Counter(_names(run) for run, _ in runs).most_common(_MAX_SORTS)
    return [table for run, heads in runs for table in _table(text, run, heads, known)]


_Run = list[tuple[TextSpan, _Parts]]


def _runs(text: str) -> Iterator[tuple[_Run, list[frozenset[str]]]]:
    """Yield lines that share the names of their cells, with the cells of the lines above them."""
    run: _Run = []
    heads: list[frozenset[str]] = []
    for span in _lines(text):
        parts = list(_parts(text, span))
        if sum(bool(name) for name, *_ in parts) >= MIN_CELLS:
            if run and not _shares_names(run[-1][1], parts):
                yield run, heads
                run, heads = [], []
            run.append((span, parts))
            continue
        if run:
            yield run, heads
            run, heads = [], []
        heads = [*heads[1 - _HEAD_LINES :], frozenset(part.of(text) for _, part, _ in parts)]
    if run:
        yield run, heads


def _names(run: _Run) -> frozenset[str]:
    return frozenset(name for _, parts in run for name, *_ in parts if name)


def cells_of_line(line: str) -> tuple[Cell, ...]:
    """Return the cells of a line by itself, each under the name that it bears; () for no row."""
    parts = list(_parts(line, TextSpan(0, len(line))))
    names = frozenset(name for name, *_ in parts if name)
    return tuple(_cells(line, parts, names)) if len(names) >= MIN_CELLS else ()


def _lines(text: str) -> Iterator[TextSpan]:
    for match in _LINE.finditer(text):
        yield TextSpan(*match.span())


def _parts(text: str, line: TextSpan) -> Iterator[tuple[str, TextSpan, int]]:
    pairs = list(_PAIR.finditer(text, line.start, line.end))
    if len(pairs) >= _MIN_PAIRS:
        for pair in pairs:
            value = "quoted" if pair["quoted"] is not None else "bare"
            yield pair["key"], TextSpan(pair.start(), pair.end(value)), pair.start(value)
        return
    if text.find(_JOIN, line.start, line.end) < 0:
        return
    start = line.start
    while start < line.end:
        found = text.find(_JOIN, start, line.end)
        end = found if found >= 0 else line.end
        name = _NAME.match(text, start, end)
        begin = min(name.end() + 2, end) if name else start  # the colon and its space
        yield (name.group() if name else ""), TextSpan(start, end), begin
        start = end + len(_JOIN) if found >= 0 else line.end


def _shares_names(before: _Parts, after: _Parts) -> bool:
    one, other = ({name for name, *_ in parts if name} for parts in (before, after))
    return len(one & other) >= MIN_CELLS


def _table(
    text: str,
    run: _Run,
    heads: Sequence[frozenset[str]],
    known: Sequence[tuple[frozenset[str], int]],
) -> list[Table]:
    """Return the table that a run of lines is, if any; `known`: names of runs, and of how many."""
    times = Counter(name for _, parts in run for name in dict.fromkeys(n for n, *_ in parts if n))
    needed = max(MIN_ROWS, _SHARE * len(run))
    above = frozenset[str]().union(*heads)
    is_alone = len(run) < MIN_ROWS
    if is_alone and not (_is_of_others(times.keys(), known) or (times and times.keys() <= above)):
        return []
    names = tuple(name for name, n in times.items() if is_alone or n >= needed or name in above)
    rows = [TableRow(span, tuple(_cells(text, parts, frozenset(names)))) for span, parts in run]
    return [Table(names, tuple(row for row in rows if row.cells), above)]


def _is_of_others(names: Set[str], known: Sequence[tuple[frozenset[str], int]]) -> bool:
    """True for the names of a row that other rows of the text have, or more."""
    others = (one for one, number in known if number > 1 or len(one) > len(names))
    return len(names) >= _MIN_ALIKE and any(names <= one for one in others)


def _cells(text: str, parts: _Parts, names: frozenset[str]) -> Iterator[Cell]:
    """A part without a known name goes on with the value before it."""
    open_name, open_span = "", TextSpan(0, 0)
    for name, span, begin in parts:
        if name in names:
            if open_name:
                yield Cell(open_name, open_span)
            open_name, open_span = name, TextSpan(begin, span.end)
        elif open_name:
            open_span = TextSpan(open_span.start, span.end)
    if open_name:
        yield Cell(open_name, open_span)
