"""Tables as text: a row reads `header: value; header: value`, so that it makes sense alone.

Knows titles, headers and several tables in one; reads csv through the standard library, because a
quote must stay what the cell shows. Knows nothing of workbooks or chunks.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice, zip_longest
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.form_tables import Form, ends_with_colon, said_together
from ingest.headers import MIN_NAMES, is_number, names_of, num_header
from ingest.limits import ParseLimits
from ingest.media_types import XLSX
from ingest.orientation import MAX_ROWS, has_names_beside, upright
from ingest.side_by_side import tables_beside
from ingest.stacked_labels import stacked_texts
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.language.rows import says_the_above

CELL_JOIN = "; "
_SNIFFED_CHARS = 8192
_DELIMITERS = ",;\t|"
_NONE = (0.0, 0)
LOOK_AHEAD = 4
"""Rows of a table that are looked at before its header is settled."""
MAX_TITLE_CHARS = 100
"""Of several title rows together; of longer ones the first is taken."""
_PAIR = re.compile(r"[^\W\d][^:\uff1a]{0,20}[:\uff1a]\s*[^\s:\uff1a]")
NUM_PAIRED = 2
"""Columns of a table whose rows are a label and its value."""


class Titles:
    """The title rows above the first table of each sheet with words, one sheet after the other."""

    def __init__(self) -> None:
        self._of_sheets: list[list[str]] = []

    def begin(self) -> None:
        """Another sheet with words follows."""
        self._of_sheets.append([])

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Note the title rows above the first table of the sheet that was begun."""
        self._of_sheets[-1] += map(_joined, rows)

    @property
    def of_all(self) -> str:
        """What all is called: what stands above the one sheet that there is; "" for several."""
        whole = " ".join(self._of_sheets[0]) if len(self._of_sheets) == 1 else ""
        return whole if len(whole) <= MAX_TITLE_CHARS else self._of_sheets[0][0]


def row_texts(
    rows: Iterable[Sequence[str]],
    names: Sequence[str] = (),
    *,
    is_header_sure: bool = False,
    num_marked: int = 0,
    titles: Titles | None = None,
) -> Iterator[str]:
    """Yield one text per row with words: its cells beside the names of their columns.

    Rows come with the words of merged cells in every place; a row of a single cell is a title. A
    form has labels in place of a header. A table ends at an empty row when what follows has a
    header of its own. `names`: of the columns, where they are known. `is_header_sure`: the first
    row that is no title is a header, and no cell is merged. `num_marked`: so many rows below the
    titles are marked as a header in their file. Two columns under a header without a word are
    labels and values. Where names stand beside the rows, each column is a text. `titles` is told
    of those above the first table.
    """
    has_names = bool(names)
    cells = ([" ".join(cell.split()) for cell in row] for row in rows)
    first = list(islice(cells, 1))
    if first and len(first[0]) == NUM_PAIRED and not any(first[0]):
        yield from _pairs(cells, titles)
        return
    for number, block in enumerate(_blocks(chain(first, cells))):
        whole = list(islice(block, MAX_ROWS + LOOK_AHEAD))
        marked = 0 if number else num_marked
        num_titles = _num_titles(whole[:LOOK_AHEAD], is_marked=marked > 0)
        if titles and not number:
            titles.begin()
            titles.add(whole[:num_titles])
        yield from (_joined(row) for row in whole[:num_titles])
        whole = whole[num_titles:]
        is_open = not (is_header_sure or has_names or marked > 1)
        if is_open and (told := _without_header(whole, block, is_marked=marked > 0)):
            yield from told
            names = ()
            continue
        head, rest = whole[:LOOK_AHEAD], chain(whole[LOOK_AHEAD:], block)
        if not has_names and len(whole) <= MAX_ROWS and has_names_beside(whole):
            names, *beside = upright(whole)
            yield from (_joined(names), *(_row_text(row, names) for row in beside))
            continue
        is_sure = is_header_sure and not names
        num_header_rows = num_header(head, names, is_header_sure=is_sure, num_marked=marked)
        headers = head[:num_header_rows]
        names = names_of(headers) if headers else names
        yield from (_joined(row if is_header_sure else _unmerged(row)) for row in headers)
        rest = chain(head[num_header_rows:], rest)
        yield from (_row_text(row, names) for row in _with_the_above(rest))


def _without_header(
    whole: list[list[str]], block: Iterator[list[str]], *, is_marked: bool
) -> Iterator[str] | None:
    """Return the texts of tables beside each other, or of a form; None for anything else.

    `whole`: the first rows, all of them where they are few; `block`: those that follow.
    """
    is_whole = len(whole) <= MAX_ROWS
    if is_whole and not is_marked and len(beside := tables_beside(whole)) > 1:
        return (text for table in beside for text in row_texts(table))
    if is_whole and not is_marked and (stacked := stacked_texts(whole, CELL_JOIN)):
        return stacked
    form = _form(whole, whole[:LOOK_AHEAD])
    return form.texts(chain(whole, block), CELL_JOIN) if form else None


def _pairs(rows: Iterable[list[str]], titles: Titles | None) -> Iterator[str]:
    """Yield labels with their values; there is no title."""
    if titles:
        titles.begin()
    yield from (said_together(*row) for row in rows if any(row))


def _form(whole: Sequence[Sequence[str]], head: Sequence[Sequence[str]]) -> Form | None:
    """How a table is read as a form, by all its rows, or else by the first of them."""
    return (Form.of(whole) if len(whole) <= MAX_ROWS else None) or Form.of(head)


def _blocks(rows: Iterable[list[str]]) -> Iterator[Iterator[list[str]]]:
    """Yield the runs of rows with words; each is to be read before the next."""
    for has_words, block in groupby(rows, any):
        if has_words:
            yield block


def _num_titles(head: Sequence[Sequence[str]], *, is_marked: bool) -> int:
    """How many rows of one cell stand before the first that has more.

    `is_marked`: that one is a header, of whose cells any may be empty.
    """
    widths = [len(row) if is_marked else _num_said(row) for row in head]
    first = next((place for place, width in enumerate(widths) if width > 1), 0)
    return first if all(width == 1 for width in widths[:first]) else 0


def _num_said(row: Sequence[str]) -> int:
    """How many cells have words; one where each is said by itself."""
    return 1 if _says_itself(row) else sum(map(bool, row))


def _says_itself(row: Sequence[str]) -> bool:
    """True for cells that each hold a label and its value: they name no columns."""
    words = [cell for cell, _ in groupby(filter(None, row))]
    return len(words) >= MIN_NAMES and all(_PAIR.match(word) for word in words)


def _with_the_above(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield rows in which a cell that says ditto says what stands above it, the sign behind it."""
    above: list[str] = []
    for row in rows:
        said = [
            above[n] if n < len(above) and says_the_above(cell) else cell
            for n, cell in enumerate(row)
        ]
        yield [
            cell if new == cell or not new else f"{new} ({cell})"
            for new, cell in zip(said, row, strict=True)
        ]
        above = said


def _unmerged(row: Sequence[str]) -> list[str]:
    return [word for word, _ in groupby(row)]


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
    is_phrase = len(cells) == 2 and cells[0] != cells[1] and not all(map(is_number, cells))
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
        lines = io.StringIO(text.replace("\0", ""), newline="")
        yield from csv.reader(lines, _dialect(text[:_SNIFFED_CHARS]))
    except csv.Error as error:
        if "field limit" in str(error):  # of this process: `preparation` lifts it
            raise
        raise DocumentError(f"{name} is not a readable table: {error}") from error


def _dialect(sample: str) -> type[csv.Dialect]:
    """Return how a table is written: with what between its cells most rows have as many of them.

    The library's guess, which also knows quotes and spaces, is taken where it says the same: titles
    above a table and marks within its cells mislead it.
    """
    delimiter = max(_DELIMITERS, key=lambda sign: _evenness(sample, sign))
    try:
        guessed = csv.Sniffer().sniff(sample, _DELIMITERS)
    except csv.Error:
        guessed = csv.excel
    if guessed.delimiter == delimiter or _evenness(sample, delimiter) == _NONE:
        return guessed

    class Even(csv.excel):
        pass

    Even.delimiter = delimiter
    return Even


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """The share of rows that have the commonest number of cells, two at least, and that number."""
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        widths = [len(row) for row in rows if any(row)]
    except csv.Error:
        return _NONE
    told = Counter(width for width in widths if width >= NUM_PAIRED).most_common(1)
    return (told[0][1] / len(widths), told[0][0]) if told else _NONE
