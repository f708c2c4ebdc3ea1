"""PdfLoader: text, boxes, page kinds and headings of a PDF, through pdfium.

Knows the file; what becomes of a page is `pdf_page`, the text of all is `paged_draft`. Knows no
limits on time or memory: `sandbox` puts it into a child process.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.limits import ParseLimits
from ingest.members import MemberFolder
from ingest.page_reading import ReadingFolder
from ingest.paged_draft import PagedDraft
from ingest.pdf_characters import CharacterReader
from ingest.pdf_count import DrawnLetters
from ingest.pdf_marks import pinned_files
from ingest.pdf_page import PageContent, read_page
from kb_service.domain.documents import CORRUPT_PAGE, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

MAX_HEAD_BYTES = 64 * 1024
"""What may stand before a PDF: the head of the mail or request that it came in."""
MAX_TAIL_BYTES = 4 * 1024 * 1024
"""What may stand behind it: a disk's empty blocks."""

_TAIL_BYTES = 1024
"""Behind the closing mark: as far as pdfium looks for it."""
_OBJECT = re.compile(rb"\d+ \d+ obj\b")
_NO_VALUE = ("", "anonymous", "unspecified")  # what report generators put when nobody said
_PROGRAM_TITLE = re.compile(
    r"(?i)(\(?untitled|powerpoint presentation$|microsoft \w+ - |"
    r".*\.(docx?|pdf|xlsx?|pptx?|tex|dvi|indd)$)"
)


class PdfLoader:
    """Loader for PDF files. Encrypted files open only with an empty user password.

    `readings`: what OCR read of its pages. `drawn`: where the letters of its pages are counted.
    `members`: where the files inside it are put.
    """

    def __init__(
        self,
        limits: ParseLimits,
        readings: ReadingFolder | None = None,
        drawn: DrawnLetters | None = None,
        members: MemberFolder | None = None,
    ) -> None:
        self._limits = limits
        self._readings = readings
        self._drawn = drawn
        self._members = members
        self._reader = CharacterReader()

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument.

        Raises DocumentError: empty_document, encrypted_document, corrupt_document,
        too_many_pages, document_too_large.
        """
        document = open_pdf(path, name)
        try:
            num_pages = len(document)
            self._limits.check_pages(name, num_pages, "pages")
            document.init_forms()
            draft = PagedDraft(name, self._limits.max_text_chars)
            for number in range(1, num_pages + 1):
                content = self._page(document, number)
                draft.add_page(content)
                if self._drawn is not None:
                    self._drawn.add(number, content.characters, content.sheet)
                yield Progress(JobStage.LOAD, number, num_pages)
            for place in range(document.count_attachments() if self._members is not None else 0):
                self._keep_listed(document, place)
            properties = document.get_metadata_dict(skip_empty=True)
            yield draft.finish(_title(properties), _metadata(properties))
        finally:
            document.close()

    def _keep_listed(self, document: pypdfium2.PdfDocument, place: int) -> None:
        unnamed = f"attachment {place + 1}"
        try:
            attachment = document.get_attachment(place)
        except pypdfium2.PdfiumError as error:
            self._lose(unnamed, error)
        else:
            self._keep(attachment, unnamed)

    def _keep(self, attachment: pypdfium2.PdfAttachment, unnamed: str) -> None:
        """Put a file of the document where documents of their own come from."""
        if self._members is None:
            return
        name = unnamed
        with suppress(pypdfium2.PdfiumError, UnicodeDecodeError):  # its bytes are good without
            name = attachment.get_name() or unnamed
        try:
            data = bytes(attachment.get_data())
        except pypdfium2.PdfiumError as error:
            self._lose(name, error)
        else:
            self._members.add(self._members.path_of(name), data)

    def _lose(self, name: str, error: Exception) -> None:
        if self._members is not None:
            self._members.lose(self._members.path_of(name), "corrupt_document", str(error))

    def _page(self, document: pypdfium2.PdfDocument, number: int) -> PageContent:
        try:
            page = document[number - 1]
        except pypdfium2.PdfiumError:
            return PageContent(PageKind.FAILED, CORRUPT_PAGE)
        try:
            reading = self._readings.get(number) if self._readings else None
            for pinned in pinned_files(page) if self._members is not None else ():
                self._keep(pinned, f"attachment on page {number}")
            return read_page(page, self._limits, reading, self._reader)
        finally:
            page.close()


def open_pdf(path: Path, name: str) -> pypdfium2.PdfDocument:
    """Open a PDF. Raises DocumentError: empty_document, encrypted_document, corrupt_document."""
    size = path.stat().st_size
    if size == 0:
        raise DocumentError(f"{name} is empty (0 bytes)", code="empty_document")
    start, end = _bounds(path, name, size)
    try:
        if (start, end) == (0, size):
            return pypdfium2.PdfDocument(path)
        return pypdfium2.PdfDocument(path.read_bytes()[start:end])
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentError(
                f"{name} is encrypted; remove its password and upload it again",
                code="encrypted_document",
            ) from error
        raise DocumentError(f"{name} is not a readable PDF: {error}") from error


def _bounds(path: Path, name: str, size: int) -> tuple[int, int]:
    """Return where the PDF begins and ends in a file that has bytes before and behind it.

    Raises DocumentError for a file that is cut off: pdfium would repair it and hide that its end is
    missing.
    """
    with path.open("rb") as stream:
        start = max(0, stream.read(MAX_HEAD_BYTES).find(b"%PDF-"))
        tail_start = max(0, size - MAX_TAIL_BYTES)
        stream.seek(tail_start)
        tail = stream.read()
    last = max(tail.rfind(b"startxref"), tail.rfind(b"%%EOF"))
    if last < 0 or (size - tail_start - last > _TAIL_BYTES and _OBJECT.search(tail, last)):
        raise DocumentError(
            f"{name} ends after {size} bytes without the closing mark of a PDF: it is cut off",
            code="corrupt_document",
            details={"size_bytes": size},
        )
    closing = tail.find(b"%%EOF", last)
    end = tail_start + closing + len(b"%%EOF") if closing >= 0 else size
    return start, size if size - end < _TAIL_BYTES and not start else end


def _title(properties: dict[str, str]) -> str:
    own = _clean(properties.get("Title", ""))
    is_told = own.strip("()").lower() not in _NO_VALUE
    return own if is_told and not _PROGRAM_TITLE.match(own) else ""


def _metadata(properties: dict[str, str]) -> dict[str, str]:
    named = {"author": "Author", "subject": "Subject", "keywords": "Keywords"}
    found = {key: _clean(properties.get(name, "")) for key, name in named.items()}
    created = re.match(r"D:(\d{4})(\d{2})(\d{2})", properties.get("CreationDate", ""))
    if created:
        found["created"] = "-".join(created.groups())
    return {k: value for k, value in found.items() if value.strip("()").lower() not in _NO_VALUE}


def _clean(value: str) -> str:
    return " ".join("".join(c for c in value if c.isprintable() or c.isspace()).split())[:500]
