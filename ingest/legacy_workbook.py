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
from ingest.office_package import UNREADABLE, OfficePackage, lost
from ingest.tables import Titles, row_texts
from ingest.workbook_pictures import SheetPictures
from ingest.xls_pictures import xls_pictures
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.members import Loss

_SHEETS = "xl/worksheets/sheet"
_DRAWINGS = "drawings"
"""Where the pictures of an xls file lie."""


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
    pictures, losses = pictures_of(path, len(titles))
    draft.lose(losses)
    heads = Titles()
    for number, title in enumerate(titles, start=1):
        words: list[str] = []
        try:
            rows = workbook.get_sheet_by_name(title).iter_rows()
            words += row_texts(([shown(value) for value in row] for row in rows), titles=heads)
        except CalamineError as error:
            draft.lose([lost(title, error)])
        if words or pictures[number - 1]:
            draft.add(title, level=1)
        for text in words:
            draft.add(text)
        for picture in pictures[number - 1]:
            draft.add_picture(picture)
        draft.end_page()
        yield Progress(JobStage.LOAD, number, len(titles))
    yield draft.finish(heads.of_all, is_headed=False)


def pictures_of(path: Path, num_sheets: int) -> tuple[list[list[bytes]], list[Loss]]:
    """Return the pictures of each sheet, and what cannot be read of them.

    The last sheet has those that no sheet is known to show: only an xlsb tells which shows which.
    """
    if not zipfile.is_zipfile(path):
        pictures: list[bytes] = []
        losses: list[Loss] = []
        try:
            pictures += xls_pictures(path)
        except UNREADABLE as error:
            losses.append(lost(_DRAWINGS, error))
        return [*([] for _ in range(num_sheets - 1)), pictures], losses
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        shown_on = SheetPictures(package)
        sheets = sorted((n for n in package.names if n.startswith(_SHEETS)), key=_number_of)
        found = [list(shown_on.of(sheet)) for sheet in sheets] if len(sheets) == num_sheets else []
        found += [[] for _ in range(num_sheets - len(found))]
        found[-1] += shown_on.left()
        read = [[data for part in parts if (data := package.picture(part))] for parts in found]
        return read, package.losses


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
