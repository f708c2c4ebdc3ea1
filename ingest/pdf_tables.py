"""Rows of the tables of a page beside the names of their columns: `name: value; name: value`.

Pure functions on lines whose cells have tabs. Each character keeps its box: a name that is said
again that of the header, a sign between cells that of the character before it. Tables without a
header, of two columns or with cells that belong to no column are left as they are. Knows nothing of
pdfium or paragraphs.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise, zip_longest

from ingest.form_tables import Form, ends_with_colon
from ingest.headers import num_header
from ingest.orientation import MAX_ROWS, has_names_beside
from ingest.pdf_cells import is_one_row
from ingest.pdf_characters import NO_BOX
from ingest.pdf_glyphs import CELL, Line, union
from ingest.pdf_rules import Ruled
from ingest.tables import CELL_JOIN
from kb_service.domain.spans import Box
from kb_service.language.lexicon import WIDE
from kb_service.language.regexes import regex

MIN_COLUMNS = 3
"""Of two columns a row says by itself what belongs to what."""
MIN_ROWS = 2
"""Below a header without ruling lines."""
MAX_LINES = 500
_NAME_JOIN = ": "
_MAX_STEP_SIZES = 3.5
"""From one row to the next, in heights of the font."""
_MAX_LEADING = 1.6
"""From one line of a cell to the next."""
_ALIGNED_SIZES = 0.5
_TOUCH = 1.0
"""Points that words may reach over an upright line."""

_WIDE = regex(f"[{WIDE}]")
_DIGIT = regex(r"\d")


@dataclass(frozen=True, slots=True)
class _Cell:
    """Words of one column with a box for each character."""

    text: str
    boxes: tuple[Box, ...]

    @property
    def box(self) -> Box:
        return union(list(self.boxes))

    def joined(self, more: "_Cell", *, is_apart: bool = False) -> "_Cell":
        """Return the words with those of the next line of the same cell, or of one below it."""
        is_wide = _WIDE.match(self.text[-1]) or _WIDE.match(more.text[0])
        join = "" if is_wide and not is_apart else "\n" if self.text.endswith("-") else " "
        return _Cell(
            f"{self.text}{join}{more.text}", (*self.boxes, *[NO_BOX] * len(join), *more.boxes)
        )


_Row = dict[int, _Cell]
_Told = tuple[Sequence[Line], int]


def with_names(lines: Sequence[Line], tables: Sequence[Ruled] = ()) -> list[Line]:
    """Return the lines of a page, the rows of tables with the names of their columns.

    `tables`: those between ruling lines, in which a cell may have several lines.
    """
    told: list[Line] = []
    at = 0
    while at < len(lines):
        rows, num_lines = _ruled(lines, at, tables) or _open(lines, at) or (lines[at : at + 1], 1)
        told += rows
        at += num_lines
    return told


def _ruled(lines: Sequence[Line], at: int, tables: Sequence[Ruled]) -> _Told | None:
    """Return the rows of a table between ruling lines that begins at a line, and its lines.

    None above its header. Where the lines do not tell its rows, it is as it was.
    """
    table = next((table for table in tables if table.band(lines[at].box) is not None), None)
    if table is None or lines[at].is_mixed:
        return None
    bands: dict[int, list[Line]] = {}
    end = at
    while end < len(lines) and (band := table.band(lines[end].box)) is not None:
        bands.setdefault(band, []).append(lines[end])
        end += 1
    own = lines[at:end]
    whole = [_levels([_split(line, table) for line in bands[band]]) for band in sorted(bands)]
    if len(whole) < 2 or max(map(len, whole[0])) < 2:
        return None
    size = own[0].size
    columns = _columns([cell for level in whole[0] for cell in level], whole[1][0], size)
    is_told = not any(_has_several(band, len(columns)) for band in whole)
    rows = [_merged(band, columns, size) for band in whole] if is_told else []
    if head := _head_of_several(whole[0], table):
        slots = table.slots
        is_told = not any(_has_several(band, len(slots)) for band in whole[1:])
        rows = [head, *(_merged(band, slots, size) for band in whole[1:])] if is_told else rows
    sides = [_between(band, table.uprights) for band in whole]
    ways = (_told(rows, own), _told_form(sides, own), _open(lines, at))
    found = [told for told in ways if told]
    return max(found, key=lambda told: told[1], default=(own, len(own)))


def _head_of_several(levels: Sequence[Sequence[_Cell]], table: Ruled) -> _Row | None:
    """Return the names of columns by a head of several rows, the upper words first.

    None for a head in which no cell is wide, by the upright lines, and where a column has no name.
    """
    slots, named, is_any_wide = table.slots, dict[int, _Cell](), False
    for cell in (cell for level in levels for cell in level):
        left, low, right, high = cell.box
        around = _slot((left + right) / 2, table.cells_at((low + high) / 2))
        over = [n for n, slot in enumerate(slots) if around and _is_within(slot, around)]
        is_any_wide = is_any_wide or len(over) > 1
        for n in over:
            named[n] = named[n].joined(cell, is_apart=True) if n in named else cell
    is_whole = is_any_wide and len(named) == len(slots)
    return dict(sorted(named.items())) if is_whole else None


def _slot(x: float, slots: Sequence[Box]) -> Box | None:
    return next((slot for slot in slots if slot[0] <= x < slot[2]), None)


def _is_within(slot: Box, around: Box) -> bool:
    return around[0] <= (slot[0] + slot[2]) / 2 < around[2]


def _open(lines: Sequence[Line], at: int) -> _Told | None:
    """Return the rows of a table without ruling lines that begins at a line, and its lines."""
    if CELL not in lines[at].text and not _is_beside(lines, at + 1):
        return None
    if _is_beside(lines, at) or (at and CELL in lines[at - 1].text):
        return None  # within a table whose header was none
    physical = list(islice(_rows_from(lines, at), MAX_LINES))
    if len(physical) <= MIN_ROWS:
        return None
    size = lines[at].size
    columns = _columns(physical[0][0], physical[1][0], size)
    rows: list[_Row] = []
    end = at
    for cells, num_lines in physical:
        row = _placed(cells, columns, size)
        step = lines[end - 1].baseline - lines[end].baseline
        if row is None or (rows and not 0 < step <= _MAX_STEP_SIZES * size):
            break
        if not rows or (0 in row and len(row) > 1):
            rows.append(row)
        elif len(rows) > 1 and step <= _MAX_LEADING * size and _goes_on(rows[-1], row, size):
            rows[-1] = {n: c.joined(row[n]) if n in row else c for n, c in rows[-1].items()}
        else:
            break
        end += num_lines
    own = lines[at:end]
    return _told(rows, own) if len(rows) > MIN_ROWS and _is_headed(rows, own) else None


def _goes_on(above: _Row, row: _Row, size: float) -> bool:
    """True for words that stand in line with cells above, right of the first."""
    return 0 not in row and all(
        n in above and _are_in_line(above[n].box, row[n].box, size) for n in row
    )


def _are_in_line(one: Box, other: Box, size: float) -> bool:
    pairs = zip(_anchors(one), _anchors(other), strict=True)
    return min(abs(a - b) for a, b in pairs) <= _ALIGNED_SIZES * size


def _is_headed(rows: Sequence[_Row], lines: Sequence[Line]) -> bool:
    """True for a bold row above others, and for words above a column of numbers."""
    if lines[0].is_bold and not lines[-1].is_bold:
        return True
    columns = {n for row in rows[1:] for n in row}
    return any(
        sum(bool(_DIGIT.search(row[n].text)) for row in rows[1:] if n in row) > len(rows[1:]) / 2
        for n in columns
    )


def _columns(head: Sequence[_Cell], below: Sequence[_Cell], size: float) -> list[Box]:
    """Return where the columns stand: under each name, and left of them where rows begin there."""
    boxes = sorted(cell.box for cell in head)
    columns: list[Box] = []
    for box in boxes:
        if columns and box[0] < columns[-1][2]:  # another line of the same name
            columns[-1] = union([columns[-1], box])
        else:
            columns.append(box)
    first = min((cell.box for cell in below), default=columns[0])
    return [first, *columns] if first[2] < columns[0][0] - size else columns


def _is_beside(lines: Sequence[Line], at: int) -> bool:
    """True for a line that stands on the baseline of the one before."""
    return 0 < at < len(lines) and is_one_row(lines[at - 1], lines[at])


def _rows_from(lines: Sequence[Line], at: int) -> Iterator[tuple[list[_Cell], int]]:
    """Yield the cells of each row from a line on, and how many lines it takes."""
    while at < len(lines) and not lines[at].is_mixed:
        end = at + 1
        while end < len(lines) and is_one_row(lines[end - 1], lines[end]):
            end += 1
        yield [cell for line in lines[at:end] for cell in _cells(line)], end - at
        at = end


def _levels(lines: Sequence[Line]) -> list[list[_Cell]]:
    """Return the cells of lines, from the top down, those on one baseline together."""
    ordered = sorted(lines, key=lambda line: (-line.baseline, line.box[0]))
    level: list[list[Line]] = []
    for line in ordered:
        if level and abs(level[-1][0].baseline - line.baseline) < 0.3 * line.size:
            level[-1].append(line)
        else:
            level.append([line])
    return [
        [c for line in sorted(row, key=lambda line: line.box[0]) for c in _cells(line)]
        for row in level
    ]


def _has_several(band: Sequence[Sequence[_Cell]], num_columns: int) -> bool:
    """True for more than one full row between two ruling lines: they do not tell rows apart."""
    return sum(len(cells) >= num_columns for cells in band) > 1


def _split(line: Line, table: Ruled) -> Line:
    """Return a line with a tab for each space that an upright line of the table stands in."""
    text = list(line.text)
    for at in (place for place, character in enumerate(text) if character == " "):
        before, after = line.boxes[at - 1], line.boxes[at + 1]
        if NO_BOX not in (before, after) and any(
            before[2] - _TOUCH <= x <= after[0] + _TOUCH for x in table.uprights
        ):
            text[at] = CELL
    return replace(line, text="".join(text))


def _cells(line: Line) -> Iterator[_Cell]:
    start = 0
    for text in line.text.split(CELL):
        boxes = tuple(line.boxes[start : start + len(text)])
        if any(box != NO_BOX for box in boxes):
            yield _Cell(text, boxes)
        start += len(text) + 1


def _merged(band: Sequence[Sequence[_Cell]], columns: Sequence[Box], size: float) -> _Row | None:
    """Return the cells between two ruling lines by their columns; None where one has none."""
    merged: _Row = {}
    for cells in band:
        row = _placed(cells, columns, size)
        if row is None:
            return None
        for column, cell in row.items():
            merged[column] = merged[column].joined(cell) if column in merged else cell
    return merged


def _between(band: Sequence[Sequence[_Cell]], uprights: Sequence[float]) -> _Row:
    """Return the cells between two ruling lines by the upright lines that they begin behind."""
    row: _Row = {}
    for cell in chain.from_iterable(band):
        column = bisect_right(uprights, cell.box[0] + _TOUCH)
        row[column] = row[column].joined(cell) if column in row else cell
    return row


def _placed(cells: Sequence[_Cell], columns: Sequence[Box], size: float) -> _Row | None:
    """Return the cells of a line by the columns that they stand in; None where one has none."""
    row: _Row = {}
    for cell in cells:
        column = _column(cell.box, columns, size)
        if column is None or column in row:
            return None
        row[column] = cell
    return row


def _column(box: Box, columns: Sequence[Box], size: float) -> int | None:
    """Return the one column whose name a cell stands under, or is aligned with."""
    over = [n for n, name in enumerate(columns) if name[0] < box[2] and box[0] < name[2]]
    if len(over) == 1:
        return over[0]
    aligned = [n for n in over or range(len(columns)) if _are_in_line(box, columns[n], size)]
    if len(aligned) == 1:
        return aligned[0]
    if over:
        return None
    nearest = min(range(len(columns)), key=lambda n: _distance(box, columns[n]))
    return nearest if _distance(box, columns[nearest]) < size else None


def _anchors(box: Box) -> tuple[float, float, float]:
    return box[0], (box[0] + box[2]) / 2, box[2]


def _distance(box: Box, other: Box) -> float:
    return max(box[0] - other[2], other[0] - box[2], 0.0)


def _told(rows: Sequence[_Row | None], lines: Sequence[Line]) -> _Told | None:
    """Return a line for each row of a table with a header, and how many lines it was."""
    table = [row for row in rows if row]
    width = 1 + max((max(row) for row in table), default=0)
    if len(table) < max(2, len(rows)):
        return None
    if form := _told_form(table, lines):
        return form
    head = _words(table[:MAX_ROWS])
    if width < MIN_COLUMNS or has_names_beside(head) or num_header(head, ()) != 1:
        return None
    header, *records = table
    named = [{n: _named(cell, header.get(n)) for n, cell in row.items()} for row in records]
    told = [_line(said, row, lines[0]) for said, row in zip([header, *named], table, strict=True)]
    return told, len(lines)


def _told_form(rows: Sequence[_Row], lines: Sequence[Line]) -> _Told | None:
    """Return a line for each row of a form, and how many lines it was.

    One pair in a row, and labels that mostly have colons, say by themselves what belongs to what.
    """
    words = _words(rows)
    form = Form.of(words[:MAX_ROWS])
    if form is None or len(form.labels) < 2:
        return None
    placed = [form.places(cells) for cells in words]
    labels = [
        cells[n] for cells, (_, places) in zip(words, placed, strict=True) for n in places[::2]
    ]
    if 2 * sum(map(ends_with_colon, labels)) > len(labels):
        return None
    said = [_paired(row, *places) for row, places in zip(rows, placed, strict=True)]
    return [_line(told, row, lines[0]) for told, row in zip(said, rows, strict=True)], len(lines)


def _words(rows: Sequence[_Row]) -> list[list[str]]:
    width = 1 + max((max(row) for row in rows), default=0)
    return [[row[n].text if n in row else "" for n in range(width)] for row in rows]


def _paired(row: _Row, side: int | None, places: Sequence[int]) -> _Row:
    """Return the labels of a row of a form with their values; a label that has none keeps a colon.

    `side`: the column of a word beside the row; `places`: of labels and values in turns.
    """
    said = {} if side is None else {side: row[side]}
    for label, value in zip_longest(places[::2], places[1::2]):
        if label not in row:
            said |= {value: row[value]} if value in row else {}
        elif value is None:
            said[label] = row[label]
        else:
            said[label] = _valued(row[label], row.get(value))
    return said


def _valued(label: _Cell, value: _Cell | None) -> _Cell:
    join = " " if ends_with_colon(label.text) else _NAME_JOIN
    join = join if value else join.rstrip()
    boxes = (*label.boxes, *_sign(join, label), *(value.boxes if value else ()))
    return _Cell(f"{label.text}{join}{value.text if value else ''}", boxes)


def _named(cell: _Cell, name: _Cell | None) -> _Cell:
    if name is None or cell.text == name.text:
        return cell
    boxes = (*name.boxes, *_sign(_NAME_JOIN, name), *cell.boxes)
    return _Cell(f"{name.text}{_NAME_JOIN}{cell.text}", boxes)


def _sign(join: str, before: _Cell) -> list[Box]:
    """Return boxes for a sign that is ours: it stands where the character before it does."""
    return [NO_BOX if one.isspace() else before.boxes[-1] for one in join]


def _line(cells: _Row, own: _Row, like: Line) -> Line:
    """Return cells as one line of a row, set as the table is. `own`: without the names."""
    said = [cells[n] for n in sorted(cells)]
    boxes = [*said[0].boxes]
    for before, cell in pairwise(said):
        boxes += [*_sign(CELL_JOIN, before), *cell.boxes]
    box = union([cell.box for cell in own.values()])
    text = CELL_JOIN.join(cell.text for cell in said)
    return replace(
        like, text=text, boxes=boxes, box=box, baseline=box[1], is_bold=False, is_row=True
    )
