"""Stored words compared with the hash kept beside them, wherever they are read to be shown.

Pure; knows no table. Damage is an error, never a document left out: an answer that silently lacks
what it says would be wrong too.
"""

from typing import Protocol

from kb_service.domain.documents import embedded_text, embedding_key
from kb_service.domain.errors import StorageError


class ChunkWords(Protocol):
    """The columns of a chunk's row that are compared."""

    @property
    def document_id(self) -> str: ...

    @property
    def prefix(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def text_sha256(self) -> str: ...


def is_whole_chunk(row: ChunkWords) -> bool:
    """True when words and prefix are those that were stored."""
    return embedding_key(embedded_text(row.prefix, row.text)) == row.text_sha256


def text_damaged(document_id: str) -> StorageError:
    """Return the error of a document whose stored words are not what they were."""
    return StorageError(
        f"the stored text of document {document_id} is damaged; restore a backup, or delete the"
        " document and upload it again",
        code="text_damaged",
        details={"document_id": document_id},
    )
