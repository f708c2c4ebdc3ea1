"""Workbooks of the binary formats (xls, xlsb), through calamine: a page for each sheet.

Knows sheets and the kinds of values that calamine gives; it knows no number formats, so a number is
said with all its digits and a date in ISO 8601. Comments and charts are not
read.
"""

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.number_formats import general
from ingest.office_package import OfficePackage
from ingest.tables import row_texts
from ingest.workbook_pictures import SheetPictures
from ingest.xls_pictures import xls_pictures
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

_SHEETS = "xl/worksheets/sheet"


def load_legacy_workbook(
    path: Path, name: str, draft: DraftDocument, limits: ParseLimits
) -> Iterator[Progress | ParsedDocument]:
    """Yield Progress per sheet, then the document. Raises DocumentError."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise DocumentError(f"{name} is encrypted", code="encrypted_document") from error
    except CalamineError as error:
        message = f"{name} is not a readable workbook: {error}"
        raise DocumentError(message, code="corrupt_document") from error
    titles = workbook.sheet_names
    limits.check_pages(name, len(titles), "sheets")
    pictures = list(pictures_of(path, len(titles)))
    for number, title in enumerate(titles, start=1):
        rows = workbook.get_sheet_by_name(title).iter_rows()
        words = list(row_texts([shown(value) for value in row] for row in rows))
        if words or pictures[number - 1]:
            draft.add(title, level=1)
        for text in words:
            draft.add(text)
        for picture in pictures[number - 1]:
            draft.add_picture(picture)
        draft.end_page()
        yield Progress(JobStage.LOAD, number, len(titles))
    yield draft.finish()


def pictures_of(path: Path, num_sheets: int) -> Iterator[list[bytes]]:
    """Yield the pictures of each sheet; the last has those that no sheet is known to show.

    Only an xlsb tells which sheet shows which.
    """
    if not zipfile.is_zipfile(path):
        yield from ([] for _ in range(num_sheets - 1))
        yield xls_pictures(path)
        return
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        pictures = SheetPictures(package)
        sheets = sorted((n for n in package.names if n.startswith(_SHEETS)), key=_number_of)
        found = [list(pictures.of(sheet)) for sheet in sheets] if len(sheets) == num_sheets else []
        found += [[] for _ in range(num_sheets - len(found))]
        found[-1] += pictures.left()
        for parts in found:
            yield [data for part in parts if (data := package.bytes_of(part))]


def _number_of(part: str) -> int:
    return int("".join(filter(str.isdecimal, part)) or 0)


def shown(value: object) -> str:
    """Return a value as text."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return general(value)
    if isinstance(value, dt.datetime):
        is_date = value.time() == dt.time()
        return value.date().isoformat() if is_date else value.isoformat(sep=" ")
    return str(value)
