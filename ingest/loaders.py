"""DocumentLoader: picks the loader of a media type and checks a file before it is parsed.

Knows which loader reads what, and the limits that can be checked from the outside: bytes of the
file and the directory of an Office package. Runs inside the parsing child.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import media_types as types
from ingest.chosen_encoding import READ_AS_CHOSEN, rewritten, without_charset
from ingest.completeness import counted
from ingest.embedded import EmbeddedPictures
from ingest.file_faults import is_files_fault
from ingest.limits import ParseLimits
from ingest.members import MemberFolder
from ingest.page_reading import ReadingFolder
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError, KbError, ParserFailed
from kb_service.domain.jobs import Progress
from kb_service.domain.ports import Loader

if TYPE_CHECKING:
    from ingest.pdf_count import DrawnLetters

MAX_PACKAGE_PARTS = 20_000
_MAIN_PARTS = {
    "word/document.xml": types.DOCX,
    "ppt/presentation.xml": types.PPTX,
    "xl/workbook.xml": types.XLSX,
}
_ENCRYPTED_BIT = 0x1


class DocumentLoader:
    """Loader for every supported media type, in this process.

    `readings`: what OCR read of the file's pictures; without, they are named as unread. `members`:
    where the files inside this one are put; without, they are named only. `pictures`: those inside
    a document; without, they are told by `readings`.
    """

    def __init__(
        self,
        limits: ParseLimits,
        readings: ReadingFolder | None = None,
        members: MemberFolder | None = None,
        pictures: EmbeddedPictures | None = None,
    ) -> None:
        self._limits = limits
        self._readings = readings
        self._members = members
        self._pictures = pictures or EmbeddedPictures(readings)

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument.

        `media_type` may name the encoding to read a text in: `text/plain; charset=big5`. Raises
        DocumentError with code empty_document, document_too_large, encrypted_document,
        corrupt_document, too_many_pages or unsupported_media_type; ParserFailed for whatever
        nobody expects of a file.
        """
        check_size(path, name, self._limits.max_file_bytes)
        media_type, charset = without_charset(media_type)
        if charset and media_type in READ_AS_CHOSEN:
            with rewritten(path, charset) as file:
                for found in self._load(file.path, name, media_type):
                    yield _told_of(found, file.metadata)
            return
        yield from self._load(path, name, media_type)

    def _load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        if media_type in types.PACKAGES:
            media_type = self._check_package(path, name, media_type)
        drawn = _drawn_letters() if media_type == types.PDF else None
        loader = self._loader(name, media_type, drawn)
        try:
            for found in loader.load(path, name, media_type):
                if isinstance(found, ParsedDocument):
                    self._keep_embedded(path, media_type)
                    yield self._with_members(counted(found, path, name, media_type, drawn))
                else:
                    yield found
        except (KbError, MemoryError):
            raise
        except Exception as error:
            if not is_files_fault(error):
                raise ParserFailed.of(name, error) from error
            raise DocumentError(
                f"{name} cannot be read as {media_type}: {type(error).__name__}: {error}"[:500],
                code="corrupt_document",
            ) from error

    def _keep_embedded(self, path: Path, media_type: str) -> None:
        if self._members is not None and media_type in types.OFFICE_XML:
            from ingest.office_members import keep_embedded

            keep_embedded(path, self._members)

    def _with_members(self, document: ParsedDocument) -> ParsedDocument:
        if self._members is None:
            return document
        losses = (*document.losses, *self._members.losses)
        return replace(document, members=self._members.members, losses=losses)

    def _loader(self, name: str, media_type: str, drawn: "DrawnLetters | None") -> Loader:
        if media_type == types.PDF:
            from ingest.pdf import PdfLoader

            return PdfLoader(self._limits, self._readings, drawn, self._members)
        if media_type in types.PAGED_OR_MARKED_UP:
            from ingest.office import OfficeLoader

            return OfficeLoader(self._limits, self._pictures)
        if media_type in types.TABLES:
            from ingest.tables import TableLoader

            return TableLoader(self._limits, self._pictures)
        if media_type in types.MAILS:
            from ingest.mail import MailLoader

            return MailLoader(self._limits, self._members, self._pictures)
        if media_type == types.WEB_ARCHIVE:
            from ingest.web_archive import WebArchiveLoader

            return WebArchiveLoader(self._limits, self._pictures)
        if media_type in types.ARCHIVES:
            from ingest.archive import ArchiveLoader

            return ArchiveLoader(self._limits, self._members)
        if media_type in types.TEXTS:
            from ingest.plain_text import TextLoader

            return TextLoader(self._limits, self._pictures)
        if media_type in types.PICTURES:
            from ingest.picture_file import PictureLoader

            return PictureLoader(self._limits, self._readings)
        raise DocumentError(f"{name} is {media_type}", code="unsupported_media_type")

    def _check_package(self, path: Path, name: str, media_type: str) -> str:
        """Refuse packages that unpack to too much; return what the package really holds."""
        try:
            with zipfile.ZipFile(path) as package:
                parts = package.infolist()
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DocumentError(f"{name} is a damaged Office file: {error}") from error
        size = sum(part.file_size for part in parts)
        limit = self._limits.max_decompressed_bytes
        if size > limit or len(parts) > MAX_PACKAGE_PARTS:
            raise DocumentError(
                f"{name} unpacks to {size} bytes in {len(parts)} parts, at most {limit} bytes in "
                f"{MAX_PACKAGE_PARTS} parts are accepted",
                code="document_too_large",
                details={"decompressed_bytes": size, "max_decompressed_bytes": limit},
            )
        if any(part.flag_bits & _ENCRYPTED_BIT for part in parts):
            raise DocumentError(f"{name} is encrypted", code="encrypted_document")
        found = {_MAIN_PARTS[part.filename] for part in parts if part.filename in _MAIN_PARTS}
        return media_type if media_type in found or not found else found.pop()


def _drawn_letters() -> "DrawnLetters":
    from ingest.pdf_count import DrawnLetters

    return DrawnLetters()


def _told_of(
    found: Progress | ParsedDocument, metadata: dict[str, str]
) -> Progress | ParsedDocument:
    if not isinstance(found, ParsedDocument):
        return found
    return replace(found, metadata=found.metadata | metadata)


def check_size(path: Path, name: str, max_file_bytes: int) -> None:
    """Raise DocumentError empty_document or document_too_large by the size of the file."""
    size = path.stat().st_size
    if size == 0:
        raise DocumentError(f"{name} is empty (0 bytes)", code="empty_document")
    if size > max_file_bytes:
        raise DocumentError(
            f"{name} has {size} bytes, at most {max_file_bytes} are accepted",
            code="document_too_large",
            details={"size_bytes": size, "max_bytes": max_file_bytes},
        )
