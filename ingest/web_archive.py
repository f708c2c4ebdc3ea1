"""WebArchiveLoader: a web page saved with what it shows (.mht, .mhtml) as text: one page.

Knows MHTML (RFC 2557): the parts of a mail by their addresses. Pictures stand where the page shows
them, others behind it; pages in frames follow. Styles and scripts are no text.
"""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.mail import content_id, parsed, sent
from ingest.office_package import lost
from ingest.plain_text import add_text
from ingest.web_page import add_html
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

PAGES = ("text/html", "application/xhtml+xml")
_LOCATION = "Content-Location"
_SAVED_FROM = "Snapshot-Content-Location"


class WebArchiveLoader:
    """Loader for web pages saved in one file."""

    def __init__(self, limits: ParseLimits, pictures: EmbeddedPictures | None = None) -> None:
        self._limits = limits
        self._pictures = pictures

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars, self._pictures)
        message = parsed(path, name)
        archive = _Archive(message, name, draft)
        titles = [archive.add(part) for part in archive.texts]
        archive.add_pictures_left()
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        address = str(message.get(_SAVED_FROM) or message.get(_LOCATION) or "")
        title = next(filter(None, titles), "")
        yield draft.finish(title, {"address": address} | archive.encoding)


class _Archive:
    """The parts of one file by their addresses, and what of it is read."""

    def __init__(self, message: EmailMessage, name: str, draft: DraftDocument) -> None:
        self._name, self._draft = name, draft
        self._parts = [part for part in message.walk() if not part.is_multipart()]
        self._by_address: dict[str, EmailMessage] = {}
        for part in self._parts:
            for address in filter(None, (_address(part), _id(part))):
                self._by_address.setdefault(address, part)
        self._shown: set[int] = set()
        self.encoding: dict[str, str] = {}

    @property
    def texts(self) -> list[EmailMessage]:
        """The parts that are pages or plain text; the first page is what was saved."""
        found = [part for part in self._parts if part.get_content_type() in PAGES]
        if not found:
            found = [part for part in self._parts if part.get_content_type() == "text/plain"]
        if not found:
            raise DocumentError(f"{self._name} holds no web page", code="corrupt_document")
        return found

    def add(self, part: EmailMessage) -> str:
        """Add what a page or text says; return its title. What cannot be read is named."""
        base = _address(part)

        def shown(address: str) -> bytes | None:
            found = self._found(address, base)
            return None if found is None else self._picture(found)

        try:
            content = decode(
                self._bytes_of(part), self._name, declared=part.get_content_charset() or ""
            )
            self.encoding |= content.metadata
            if part.get_content_type() in PAGES:
                return add_html(self._draft, content.text, shown)
            add_text(self._draft, content.text)
        except DocumentError as error:
            if error.code == "document_too_large":
                raise
            self._draft.lose([lost(_called(part), error)])
        return ""

    def add_pictures_left(self) -> None:
        """Add the pictures that no page was found to show: backgrounds, and those of styles."""
        for part in self._parts:
            if part.get_content_maintype() == "image" and id(part) not in self._shown:
                self._draft.add_picture(self._picture(part))

    def _found(self, address: str, base: str) -> EmailMessage | None:
        """Return the part that an address of a page leads to, None for one that is not here."""
        plain = urldefrag(address).url
        tries = (plain, unquote(plain), _joined(base, plain))
        return next((self._by_address[one] for one in tries if one in self._by_address), None)

    def _picture(self, part: EmailMessage) -> bytes:
        self._shown.add(id(part))
        return self._bytes_of(part)

    def _bytes_of(self, part: EmailMessage) -> bytes:
        data, damage = sent(part)
        if damage:
            self._draft.lose([lost(_called(part), DocumentError(damage))])
        return data


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # no address at all
        return address


def _address(part: EmailMessage) -> str:
    return "".join(str(part.get(_LOCATION, "")).split())


def _id(part: EmailMessage) -> str:
    found = content_id(part)
    return f"cid:{found}" if found else ""


def _called(part: EmailMessage) -> str:
    return _address(part) or part.get_content_type()
