"""Workbooks of the binary formats (xls, xlsb), through calamine: a page for each sheet.

Knows sheets and the kinds of values that calamine gives; it knows no number formats, so a number is
said with all its digits and a date in ISO 8601. Comments and charts are not read.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.number_formats import general
from ingest.tables import row_texts
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress


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
    for number, title in enumerate(titles, start=1):
        rows = workbook.get_sheet_by_name(title).iter_rows()
        words = list(row_texts([shown(value) for value in row] for row in rows))
        if words:
            draft.add(title, level=1)
        for text in words:
            draft.add(text)
        draft.end_page()
        yield Progress(JobStage.LOAD, number, len(titles))
    yield draft.finish()


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
