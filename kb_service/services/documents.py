"""Documents of a base: list, show, find, read, delete.

Knows that a document is shown with its newest job and the state of its vectors; how it came in is
`uploads`' and `intake`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.changes import Change, changes_between
from kb_service.domain.documents import (
    Document,
    DocumentStatus,
    NearText,
    Revision,
    VectorState,
)
from kb_service.domain.jobs import IngestJob, Pause
from kb_service.domain.lists import EVERY, DocumentOrder, Folder, Wanted
from kb_service.domain.spans import TextSpan
from kb_service.services.lookup import every_part
from kb_service.services.page_words import PageWords, words_of_page
from kb_service.services.uploads import MAX_TAGS, checked_tags
from kb_service.storage.catalog import Catalog
from kb_service.storage.identity import Listing
from kb_service.storage.jobs.queue import JobQueue


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document, its newest ingest job, and whether its vectors are made.

    `vectors`: None where none are made, and before the first revision. `similar_to`: the documents
    whose texts are nearly its own.
    """

    document: Document
    job: IngestJob | None
    vectors: VectorState | None
    similar_to: Sequence[NearText] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """In what a revision differs from an earlier one (`since`); both by SHA-256."""

    document_id: str
    since: str
    revision: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A part of a list. The rest is told with the first part, and None behind it.

    `totals` counts what the list would have of every status by status, `num_open` what of the whole
    base waits or is being read. `paused`: why no worker reads what waits.
    """

    items: tuple[DocumentState, ...]
    next_cursor: str | None
    totals: dict[str, int] | None = None
    num_open: int | None = None
    paused: Pause | None = None


class DocumentService:
    """Every method raises StorageError, and NotFound for a base or document that is not there."""

    def __init__(self, catalog: Catalog, jobs: JobQueue, *, makes_vectors: bool) -> None:
        self._catalog = catalog
        self._jobs = jobs
        self._makes_vectors = makes_vectors

    def list(
        self,
        kb_id: str,
        cursor: str | None,
        limit: int,
        wanted: Wanted = EVERY,
        order: DocumentOrder = DocumentOrder.NAME,
    ) -> DocumentPart:
        """Return a part of the wanted documents, in order. Raises InvalidRequest."""
        found = self._catalog.documents.list(kb_id, cursor, limit, wanted, order)
        items = self._states(found.items)
        if cursor is not None:
            return DocumentPart(items, found.next_cursor)
        count = self._catalog.documents.count
        every = count(kb_id)
        totals = every if wanted == EVERY else count(kb_id, wanted)
        num_open = every[DocumentStatus.PENDING] + every[DocumentStatus.PROCESSING]
        paused = self._jobs.pauses.of(kb_id)
        return DocumentPart(items, found.next_cursor, totals, num_open, paused)

    def every(self, kb: str, wanted: Wanted = EVERY) -> Iterator[DocumentState]:
        """Yield all wanted documents of a base (id or name)."""
        kb_id, listed = self._catalog.bases.get(kb).id, self._catalog.documents.list
        for items in every_part(lambda cursor: listed(kb_id, cursor, wanted=wanted)):
            yield from self._states(items)

    def show(self, kb_id: str, document_id: str) -> DocumentState:
        """Return a document."""
        return self._states((self._catalog.documents.get(kb_id, document_id),))[0]

    def find(self, kb: str, key: str) -> DocumentState:
        """Return the document with that exact name, else with that id, in a base (id or name)."""
        return self._states((self._find(kb, key),))[0]

    def folders(self, kb_id: str, within: str, cursor: str | None, limit: int) -> Listing[Folder]:
        """Return the folders right in a folder ("": the base) by name, with what lies in each."""
        return self._catalog.documents.folders(kb_id, within, cursor, limit)

    def tags(self, kb_id: str) -> dict[str, int]:
        """Return the tags of a base, with how many documents carry each."""
        return self._catalog.documents.tags(kb_id)

    def mark(
        self,
        kb_id: str,
        document_id: str,
        tags: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
    ) -> DocumentState:
        """Give a document, and what came out of it, these tags and labels, by label id.

        In place of its own; None: as they are. Raises InvalidRequest (invalid_tags).
        """
        checked = None if tags is None else checked_tags(tags)
        changed = self._catalog.documents.mark(kb_id, document_id, checked, labels)
        return self._states((changed,))[0]

    def delete(self, kb_id: str, document_id: str) -> None:
        """Delete a document; from then on nothing of it is found."""
        self._catalog.documents.delete(kb_id, document_id)

    def delete_all(self, kb_id: str, document_ids: Sequence[str]) -> int:
        """Delete documents; return how many of these were there."""
        return self._catalog.documents.delete_all(kb_id, document_ids)

    def retag(
        self, kb_id: str, document_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> int:
        """Give documents, and what came out of them, tags and take others away, in one step.

        Return how many documents that concerns. Raises NotFound for a document that is not there
        and InvalidRequest (invalid_tags), and changes none then.
        """
        ids = tuple(dict.fromkeys(document_ids))
        given, gone = checked_tags(add), checked_tags(remove)
        return self._catalog.documents.retag(kb_id, ids, given, gone, MAX_TAGS)

    def delete_found(self, kb: str, key: str) -> Document:
        """Delete what `find` finds, and return it."""
        document = self._find(kb, key)
        self.delete(document.kb_id, document.id)
        return document

    def text(self, kb_id: str, document_id: str, sha256: str | None) -> tuple[Revision, str]:
        """Return a revision (None: the current one) with its stored text."""
        return self._catalog.revisions.text(kb_id, document_id, sha256)

    def unsure(self, revision: Revision) -> tuple[TextSpan, ...]:
        """Return where OCR is unsure of the text of a revision."""
        return self._catalog.revisions.unsure(revision.id)

    def page(self, kb_id: str, document_id: str, sha256: str | None, page_number: int) -> PageWords:
        """Return the words of a page with their places. Raises NotFound (also page_not_found)."""
        return words_of_page(self._catalog, kb_id, document_id, sha256, page_number)

    def changes(self, kb_id: str, document_id: str, since: str, sha256: str | None) -> Comparison:
        """Compare a revision (None: the current one) with an earlier one, by their texts."""
        before, old = self.text(kb_id, document_id, since)
        after, new = self.text(kb_id, document_id, sha256)
        return Comparison(document_id, before.sha256, after.sha256, changes_between(old, new))

    def content(self, kb_id: str, document_id: str, sha256: str | None) -> tuple[Path, Document]:
        """Return the file of a version's original bytes; None: of the newest content sent in."""
        return self._catalog.documents.content(kb_id, document_id, sha256)

    def _find(self, kb: str, key: str) -> Document:
        kb_id = self._catalog.bases.get(kb).id
        return self._catalog.documents.find(kb_id, key) or self._catalog.documents.get(kb_id, key)

    def _states(self, documents: tuple[Document, ...]) -> tuple[DocumentState, ...]:
        newest = self._jobs.newest_of([document.id for document in documents])
        texts = {item.id: item.revision.id for item in documents if item.revision}
        near = self._catalog.revisions.near(list(texts.values()))
        return tuple(
            DocumentState(
                item,
                newest.get(item.id),
                self._vectors(item),
                near.get(texts.get(item.id, 0), ()),
            )
            for item in documents
        )

    def _vectors(self, document: Document) -> VectorState | None:
        return document.revision.vectors if self._makes_vectors and document.revision else None
