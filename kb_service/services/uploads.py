"""Taking files in: check name, size and kind, then register document and job in one transaction.

Knows what may enter, and that an earlier version may come back. Reading is the worker's task.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from kb_service.domain.documents import Document
from kb_service.domain.errors import (
    Conflict,
    DocumentError,
    InvalidRequest,
    KbError,
    PayloadTooLarge,
)
from kb_service.domain.jobs import IngestJob
from kb_service.domain.names import CONTROLS, MAX_NAME_BYTES, OnConflict, composed
from kb_service.domain.ports import HEAD_BYTES, MediaTypeDetector
from kb_service.services.ranges import shown
from kb_service.storage.blobs import BlobStore, StagedBlob
from kb_service.storage.catalog import Catalog

MAX_TAGS = 50
MAX_TAG_CHARS = 100
ENCODINGS = ("utf-8", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1252",
             "koi8_r", "utf-16-le", "utf-16-be")  # fmt: skip
"""What a person is offered to choose from; others that Python knows are taken too."""

_TEXTS = ("text/", "application/json")


@dataclass(frozen=True, slots=True)
class UploadItem:
    """What became of one file: created, revised, unchanged, kept_both, rejected (with `error`)."""

    outcome: str
    document: Document | None = None
    job: IngestJob | None = None
    error: KbError | None = None


class UploadService:
    """Accepts files one by one; a bad one is rejected and never stops the others."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: BlobStore,
        detect: MediaTypeDetector,
        max_file_bytes: int,
        encoding_named: Callable[[str], str | None] = lambda name: name,
    ) -> None:
        """`encoding_named`: the encoding that is meant by a name, None where it is none."""
        self._catalog = catalog
        self._blobs = blobs
        self._detect = detect
        self.max_file_bytes = max_file_bytes
        self._encoding_named = encoding_named

    def accept(
        self,
        kb_id: str,
        name: str,
        stream: BinaryIO,
        tags: Iterable[str] = (),
        origin: str | None = None,
        on_conflict: OnConflict = OnConflict.REVISE,
        path: str | None = None,
        encoding: str = "",
        labels: Iterable[str] = (),
    ) -> UploadItem:
        """Store the bytes and queue their ingest; the returned outcome is committed.

        `origin`: the place a sync read the file from, None for uploads; `path`: what that calls it,
        where it is not the name. `on_conflict`: what to do when a document of that name has other
        content. `encoding`: of a text, empty for what its bytes tell. `labels`: ids of labels to
        carry beside those that the document has. Errors of the file itself come back as a rejected
        item; InvalidRequest (unknown_encoding), StorageError and NotFound (the base) are raised.
        """
        encoding = self.known_encoding(encoding)
        try:
            name = checked_name(name)
            tags = checked_tags(tags)
            staged = self._blobs.stage(stream, self.max_file_bytes)
        except (InvalidRequest, DocumentError) as error:
            return UploadItem("rejected", error=error)
        except KbError as error:
            if error.code != "payload_too_large":
                raise
            return UploadItem("rejected", error=error)
        try:
            media_type = self._media_type(name, staged)
            done = self._catalog.documents.register(
                kb_id,
                name,
                staged,
                media_type,
                tags,
                origin,
                on_conflict,
                path,
                encoding if is_text(media_type) else "",
                tuple(labels),
            )
        except (DocumentError, Conflict) as error:
            return UploadItem("rejected", error=error)
        finally:
            self._blobs.discard(staged)
        return UploadItem(done.outcome, done.document, done.job)

    def refusal_of(self, name: str, size_bytes: int, head: bytes) -> KbError | None:
        """Return why `accept` would refuse such a file, None when it would not.

        `head`: its first HEAD_BYTES; not looked at where the size says it all.
        """
        if size_bytes > self.max_file_bytes:
            return PayloadTooLarge(
                f"{name!r} has {size_bytes} bytes, at most {self.max_file_bytes} are accepted",
                details={"size_bytes": size_bytes, "max_bytes": self.max_file_bytes},
            )
        try:
            checked_name(name)
            self._detect(name, _some(name, head))
        except (InvalidRequest, DocumentError) as error:
            return error
        return None

    def restore(self, kb_id: str, document_id: str, sha256: str) -> UploadItem:
        """Make an earlier version the newest one, and queue its ingest.

        Raises NotFound (document_not_found, revision_not_found), StorageError.
        """
        done = self._catalog.documents.restore(kb_id, document_id, sha256)
        return UploadItem(done.outcome, done.document, done.job)

    def read_as(self, kb_id: str, document_id: str, encoding: str) -> UploadItem:
        """Have a text read again in an encoding, as will be what is sent in for it later.

        Empty: in the one that its bytes tell. Raises NotFound, InvalidRequest (unknown_encoding,
        not_a_text), StorageError.
        """
        found = self.known_encoding(encoding)
        document = self._catalog.documents.get(kb_id, document_id)
        if not is_text(document.media_type):
            raise InvalidRequest(
                f"{document.name!r} is {document.media_type}, which says its encoding itself",
                code="not_a_text",
            )
        done = self._catalog.documents.read_as(kb_id, document_id, found)
        return UploadItem(done.outcome, done.document, done.job)

    def known_encoding(self, name: str) -> str:
        """Return the encoding that a name means, "" for an empty one.

        Raises InvalidRequest (unknown_encoding).
        """
        found = self._encoding_named(name) if name else ""
        if found is None:
            raise InvalidRequest(
                f"{shown(name)} is no encoding; known are {', '.join(ENCODINGS)} and others that"
                " Python knows",
                code="unknown_encoding",
            )
        return found

    def _media_type(self, name: str, staged: StagedBlob) -> str:
        with staged.path.open("rb") as file:
            return self._detect(name, _some(name, file.read(HEAD_BYTES)))


def is_text(media_type: str) -> bool:
    """True for files that do not say for sure in which encoding they are."""
    return media_type.startswith(_TEXTS)


def _some(name: str, head: bytes) -> bytes:
    if not head:
        raise DocumentError(f"{name!r} has 0 bytes; send at least 1", code="empty_document")
    return head


def checked_name(name: str) -> str:
    """Return the document name; InvalidRequest unless it has 1..255 UTF-8 bytes and no controls.

    The bytes are those of the composed form, which is the one stored. A name is data: quotes,
    mark-up, separators and right-to-left marks are kept as they are.
    """
    try:
        num_bytes = len(composed(name).encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"document name {name!r} is not valid Unicode", code="invalid_document_name"
        ) from error
    if not name.strip() or num_bytes > MAX_NAME_BYTES:
        raise InvalidRequest(
            f"document name has {num_bytes} bytes; 1 to {MAX_NAME_BYTES} are accepted",
            code="invalid_document_name",
            details={"num_bytes": num_bytes, "max_bytes": MAX_NAME_BYTES},
        )
    controls = [character for character in name if character == "\0" or character in CONTROLS]
    if controls:
        raise InvalidRequest(
            f"document name {name!r} contains the control character {controls[0]!r}",
            code="invalid_document_name",
        )
    return name


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags without repetitions, in order; InvalidRequest past the limits."""
    unique = tuple(dict.fromkeys(tag.strip() for tag in tags))
    if len(unique) > MAX_TAGS:
        raise InvalidRequest(
            f"{len(unique)} tags; at most {MAX_TAGS} are accepted", code="invalid_tags"
        )
    for tag in unique:
        if not 1 <= len(tag) <= MAX_TAG_CHARS:
            raise InvalidRequest(
                f"tag {tag!r} has {len(tag)} characters; 1 to {MAX_TAG_CHARS} are accepted",
                code="invalid_tags",
            )
    return unique
