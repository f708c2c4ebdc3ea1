"""Tables as text: a row reads `header: value; header: value`, so that it makes sense alone.

Reads xlsx through openpyxl and csv through the standard library, because pandas rewrites numbers
(5 becomes 5.0) and dates, and a quote must stay what the cell shows. Knows rows and cells;
nothing of chunks.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.encodings import decode
from ingest.limits import ParseLimits
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

CELL_JOIN = "; "
_MAX_HEADER_CHARS = 60
_SNIFFED_CHARS = 8192
_MAX_EMPTY_ROWS = 10_000  # formatted but empty rows at the end of a sheet


def row_texts(rows: Iterable[Sequence[str]], *, is_header_sure: bool = False) -> Iterator[str]:
    """Yield one text per row with words; the first row with words may serve as the header."""
    header: Sequence[str] | None = None
    is_first = True
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if is_first:
            is_first = False
            if _is_header(cells, is_header_sure=is_header_sure):
                header = cells
                yield CELL_JOIN.join(cell for cell in cells if cell)
                continue
        yield _row_text(cells, header)


def grid_texts(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield one text per row with words; a row of one cell over all columns is a title."""
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    texts = row_texts(row for row in kept if len(row) > 1)
    for row in kept:
        yield row[0] if len(row) == 1 else next(texts)


def _is_header(cells: Sequence[str], *, is_header_sure: bool) -> bool:
    words = [cell for cell in cells if cell]
    return (
        len(words) >= (1 if is_header_sure else 2)
        and len(set(words)) == len(words)
        and (is_header_sure or len(words) == len(cells))
        and all(len(word) <= _MAX_HEADER_CHARS for word in words)
        and not any(_is_number(word) or word.endswith((":", "：")) for word in words)
    )


def _is_number(word: str) -> bool:
    return not any(character.isalpha() for character in word)


def _row_text(cells: Sequence[str], header: Sequence[str] | None) -> str:
    if header is None:
        return CELL_JOIN.join(cell for cell in cells if cell)
    names = [*header, *[""] * (len(cells) - len(header))]
    return CELL_JOIN.join(
        f"{name}: {cell}" if name and name != cell else cell
        for name, cell in zip(names, cells, strict=False)
        if cell
    )


class TableLoader:
    """Loader for xlsx (a page per sheet) and csv or tsv (one page)."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per sheet, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        if media_type.startswith("text/"):
            decoded = decode(path.read_bytes(), name)
            for text in row_texts(_csv_rows(decoded.text, name), is_header_sure=True):
                draft.add(text)
            draft.end_page()
            yield Progress(JobStage.LOAD, 1, 1)
            yield draft.finish(metadata=decoded.metadata)
            return
        yield from self._load_workbook(path, name, draft)

    def _load_workbook(
        self, path: Path, name: str, draft: DraftDocument
    ) -> Iterator[Progress | ParsedDocument]:
        import openpyxl

        # An open file: stored bytes have no suffix, and openpyxl refuses such a path.
        with path.open("rb") as file:
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = workbook.worksheets
            if len(sheets) > self._limits.max_pages:
                raise DocumentError(
                    f"{name} has {len(sheets)} sheets, at most {self._limits.max_pages} are read",
                    code="too_many_pages",
                    details={"num_pages": len(sheets), "max_pages": self._limits.max_pages},
                )
            for number, sheet in enumerate(sheets, start=1):
                sheet.reset_dimensions()  # files from other programs lie about their size
                self._add_sheet(sheet, draft)
                yield Progress(JobStage.LOAD, number, len(sheets))
            properties = workbook.properties
            yield draft.finish(properties.title or "", {"author": properties.creator or ""})

    @staticmethod
    def _add_sheet(sheet: "object", draft: DraftDocument) -> None:
        texts = row_texts(_sheet_rows(sheet))
        first = next(texts, None)
        if first is not None:
            draft.add(str(getattr(sheet, "title", "")), level=1)
            draft.add(first)
            for text in texts:
                draft.add(text)
        draft.end_page()


def _sheet_rows(sheet: "object") -> Iterator[list[str]]:
    num_empty = 0
    for row in sheet.iter_rows():  # type: ignore[attr-defined] # openpyxl has no types
        cells = [shown(cell.value, str(cell.number_format or "")) for cell in row if cell]
        num_empty = 0 if any(cells) else num_empty + 1
        if num_empty > _MAX_EMPTY_ROWS:
            return
        yield cells


def shown(value: object, number_format: str) -> str:
    """Return a cell as the sheet shows it, near enough to be quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        is_date = value.time() == dt.time()
        return value.date().isoformat() if is_date else value.isoformat(sep=" ")
    if isinstance(value, int | float) and "%" in number_format:
        return f"{value * 100:.10g}%"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


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
