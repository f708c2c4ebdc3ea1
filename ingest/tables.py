"""Tables as text: a row reads `header: value; header: value`, so that it makes sense alone.

Knows titles, headers and several tables in one; reads csv through the standard library, because a
quote must stay what the cell shows. Knows nothing of workbooks or chunks.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice, pairwise, zip_longest
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.form_tables import ends_with_colon, form_text, is_form
from ingest.limits import ParseLimits
from ingest.media_types import XLSX
from ingest.orientation import MAX_ROWS, has_names_beside, has_pairs, upright
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

CELL_JOIN = "; "
_MAX_HEADER_CHARS = 60
_SNIFFED_CHARS = 8192
LOOK_AHEAD = 4
"""Rows of a table that are looked at before its header is settled."""
MIN_NAMES = 2
NUM_PAIRED = 2
"""Columns of a table whose rows are a label and its value."""


def row_texts(
    rows: Iterable[Sequence[str]], names: Sequence[str] = (), *, is_header_sure: bool = False
) -> Iterator[str]:
    """Yield one text per row with words: its cells beside the names of their columns.

    Rows come with the words of merged cells in every place; a row of a single cell is a title. A
    form has labels in place of a header. A table ends at an empty row when what follows has a
    header of its own. `names`: of the columns, where they are known. `is_header_sure`: the first
    row that is no title is a header, and no cell is merged. Two columns under a header without a
    word are labels and values. Where names stand beside the rows, each column is a text.
    """
    has_names = bool(names)
    cells = ([" ".join(cell.split()) for cell in row] for row in rows)
    first = list(islice(cells, 1))
    if first and len(first[0]) == NUM_PAIRED and not any(first[0]):
        yield from (form_text(row, CELL_JOIN) for row in cells if any(row))
        return
    for block in _blocks(chain(first, cells)):
        whole = list(islice(block, MAX_ROWS + LOOK_AHEAD))
        num_titles = _num_titles(whole[:LOOK_AHEAD])
        yield from (_joined(row) for row in whole[:num_titles])
        whole = whole[num_titles:]
        head, rest = whole[:LOOK_AHEAD], chain(whole[LOOK_AHEAD:], block)
        is_open = not (is_header_sure or has_names)
        if is_open and (is_form(head) or (len(whole) <= MAX_ROWS and has_pairs(whole))):
            yield from (form_text(row, CELL_JOIN) for row in chain(head, rest))
            names = ()
            continue
        if not has_names and len(whole) <= MAX_ROWS and has_names_beside(whole):
            names, *records = upright(whole)
            yield _joined(names)
            yield from (_row_text(row, names) for row in records)
            continue
        num_header_rows = _num_header_rows(head, names, is_header_sure=is_header_sure and not names)
        if num_header_rows:
            names = _names(head[:num_header_rows])
            headers = head[:num_header_rows]
            yield from (_joined(row if is_header_sure else _unmerged(row)) for row in headers)
        for row in chain(head[num_header_rows:], rest):
            yield _row_text(row, names)


def _blocks(rows: Iterable[list[str]]) -> Iterator[Iterator[list[str]]]:
    """Yield the runs of rows with words; each is to be read before the next."""
    for has_words, block in groupby(rows, any):
        if has_words:
            yield block


def _num_titles(head: Sequence[Sequence[str]]) -> int:
    """How many rows of one cell stand before the first that has more."""
    widths = [sum(map(bool, row)) for row in head]
    first = next((place for place, width in enumerate(widths) if width > 1), 0)
    return first if all(width == 1 for width in widths[:first]) else 0


def _num_header_rows(
    head: Sequence[Sequence[str]], before: Sequence[str], *, is_header_sure: bool
) -> int:
    """How many of the first rows name columns: none, one, or two under merged cells."""
    if not head or not (is_header_sure or _is_header(head[0], head[1:])):
        return 0
    is_merged = any(left and left == right for left, right in pairwise(head[0]))
    if is_merged and not (len(head) > 1 and _is_header(head[1], head[2:])):
        return 1 if is_header_sure else 0
    if before and not _begins_anew(head, before):
        return 0
    return 2 if is_merged else 1


def _begins_anew(head: Sequence[Sequence[str]], before: Sequence[str]) -> bool:
    """True when rows after a gap have their own header: numbers below words, or other columns."""
    places = [place for place, cell in enumerate(head[0]) if cell]
    below = [row[place] for row in head[1:] for place in places if place < len(row)]
    return any(map(_is_number, filter(None, below))) or places != [
        place for place, name in enumerate(before) if name
    ]


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """True for words without a gap that name at least two columns.

    The column of the rows' own names may be without one.
    """
    words = [cell for cell in row if cell]
    first = 1 if not row[0] and any(other and other[0] for other in below) else 0
    last = max((place for place, cell in enumerate(row) if cell), default=-1)
    different = [word for word, _ in groupby(words)]
    return (
        len(different) >= MIN_NAMES
        and len(words) == last + 1 - first
        and len(set(different)) == len(different)
        and all(len(word) <= _MAX_HEADER_CHARS for word in words)
        and not any(_is_number(word) or word.endswith((":", "：")) for word in words)
    )


def _names(header: Sequence[Sequence[str]]) -> list[str]:
    """The names of columns; below a merged cell both names are said, one that repeats once."""
    width = max(map(len, header))
    filled = [[*row, *[""] * (width - len(row))] for row in header]
    return [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*filled, strict=True)]


def _unmerged(row: Sequence[str]) -> list[str]:
    return [word for word, _ in groupby(row)]


def _is_number(word: str) -> bool:
    return not any(character.isalpha() for character in word)


def _joined(cells: Iterable[str]) -> str:
    return CELL_JOIN.join(cell for cell in cells if cell)


def _row_text(cells: Sequence[str], names: Sequence[str]) -> str:
    if len(cells) == 1 and len(names) > 1:
        return cells[0]
    if not names:
        return _unnamed([cell for cell in cells if cell])
    return _joined(
        f"{name}: {cell}" if name and name != cell and cell else cell
        for name, cell in zip_longest(names[: len(cells)], cells, fillvalue="")
    )


def _unnamed(cells: Sequence[str]) -> str:
    """A row without names of columns: two cells are a thing and what is said of it, one phrase."""
    is_phrase = len(cells) == 2 and cells[0] != cells[1] and not all(map(_is_number, cells))
    said = [f"{cell}{_between(cell, is_phrase=is_phrase)}" for cell in cells[:-1]]
    return "".join([*said, *cells[-1:]])


def _between(cell: str, *, is_phrase: bool) -> str:
    return " " if is_phrase or ends_with_colon(cell) else CELL_JOIN


class TableLoader:
    """Loader for workbooks (a page per sheet) and csv or tsv (one page)."""

    def __init__(self, limits: ParseLimits, pictures: EmbeddedPictures | None = None) -> None:
        self._limits = limits
        self._pictures = pictures

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per sheet, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars, self._pictures)
        if media_type.startswith("text/"):
            decoded = decode(path.read_bytes(), name)
            for text in row_texts(_csv_rows(decoded.text, name), is_header_sure=True):
                draft.add(text)
            draft.end_page()
            yield Progress(JobStage.LOAD, 1, 1)
            yield draft.finish(metadata=decoded.metadata)
            return
        if media_type == XLSX:
            from ingest.workbook import load_workbook

            yield from load_workbook(path, name, draft, self._limits)
        else:
            from ingest.legacy_workbook import load_legacy_workbook

            yield from load_legacy_workbook(path, name, draft, self._limits)


def _csv_rows(text: str, name: str) -> Iterator[list[str]]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SNIFFED_CHARS], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        yield from csv.reader(io.StringIO(text.replace("\0", ""), newline=""), dialect)
    except csv.Error as error:
        if "field limit" in str(error):  # of this process: `preparation` lifts it
            raise
        raise DocumentError(f"{name} is not a readable table: {error}") from error
