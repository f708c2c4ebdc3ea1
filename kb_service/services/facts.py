"""Facts of a base: found anew where the rules have changed, listed, corrected.

Knows that facts are derived: what is missing is what the database lacks, so a worker that was
killed goes on where it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog

from kb_service.domain.errors import InvalidRequest, NotFound, StorageError
from kb_service.domain.facts import Incident, StoredFact, Stretch, incidents_of
from kb_service.domain.spans import PageRegion
from kb_service.storage.facts.store import Facts
from kb_service.storage.identity import MAX_LISTING, Listing

MAX_TYPED_CHARS = 1000
MAX_ID_DIGITS = 18

log = structlog.get_logger("facts")


class FactService:
    """What the documents of a base state."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def step(self) -> bool:
        """Find the facts of one revision anew; False when none waits. Raises StorageError."""
        waiting = self._facts.waiting(1)
        for revision_id in waiting:
            self._find(revision_id)
        return bool(waiting)

    def find_all(self, kb_id: str) -> int:
        """Find all facts of a base anew at once; return of how many documents.

        Raises NotFound, StorageError.
        """
        self._facts.forget_rules(kb_id)
        num_documents = 0
        while waiting := self._facts.waiting(1, kb_id):
            self._find(waiting[0])
            num_documents += 1
        return num_documents

    def listed(
        self,
        kb_id: str,
        field: str | None = None,
        document_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
        labels: Sequence[str] = (),
    ) -> Listing[StoredFact]:
        """Return facts page by page; `labels`: only of documents that carry all of them.

        Raises NotFound, InvalidRequest, StorageError.
        """
        return self._facts.listed(kb_id, field, document_id, limit, cursor, labels)

    def fields(self, kb_id: str) -> dict[str, int]:
        """Return how many facts each field has. Raises NotFound, StorageError."""
        return self._facts.fields(kb_id)

    def every(
        self, kb_id: str, field: str | None, document_id: str | None, labels: Sequence[str] = ()
    ) -> Iterator[StoredFact]:
        """Yield all of these facts, a page at a time; NotFound comes at once."""
        first = self.listed(kb_id, field, document_id, MAX_LISTING, labels=labels)

        def pages() -> Iterator[StoredFact]:
            page = first
            yield from page.items
            while page.next_cursor:
                cursor = page.next_cursor
                page = self.listed(kb_id, field, document_id, MAX_LISTING, cursor, labels)
                yield from page.items

        return pages()

    def places(self, found: Sequence[StoredFact]) -> list[tuple[PageRegion, ...]]:
        """Return where the words of each fact stand on their pages."""
        return self._facts.places(found)

    def correct(self, kb_id: str, fact_id: str, typed: str | None, by: str) -> StoredFact:
        """Set right what the words of a fact mean; None: as they were read, again.

        Raises NotFound (fact_not_found), InvalidRequest (value_not_understood, value_too_long).
        """
        if typed is not None and len(typed) > MAX_TYPED_CHARS:
            raise InvalidRequest(
                f"the value has {len(typed)} characters; {MAX_TYPED_CHARS} are accepted",
                code="value_too_long",
            )
        if not fact_id.isascii() or not fact_id.isdecimal() or len(fact_id) > MAX_ID_DIGITS:
            raise NotFound(f"no fact {fact_id[:100]!r}", code="fact_not_found")
        return self._facts.correct(kb_id, int(fact_id), typed, by)

    def incidents(
        self, kb_id: str, limit: int, cursor: str | None, within: Stretch | None = None
    ) -> Listing[Incident]:
        """Return the incidents of a base page by page, or those that some words tell of.

        Raises NotFound, InvalidRequest.
        """
        numbers = self._facts.incidents(kb_id, limit, cursor, within)
        found = incidents_of(self._facts.of_incidents(kb_id, numbers.items))
        return Listing(found, numbers.next_cursor)

    def incident(self, kb_id: str, number: int) -> Incident:
        """Return one incident. Raises NotFound (incident_not_found)."""
        found = incidents_of(self._facts.of_incidents(kb_id, [number]))
        if not found:
            raise NotFound(f"no incident {number}", code="incident_not_found")
        apart = self._facts.apart(found[0].records)
        return replace(found[0], apart=tuple(apart.items()))

    def unlink(self, kb_id: str, document_id: str, record: int, by: str) -> None:
        """Say that a record tells of an incident of its own. Raises NotFound."""
        self._facts.split(kb_id, document_id, record, by)

    def link_again(self, kb_id: str, document_id: str, record: int) -> None:
        """Take that back. Raises NotFound."""
        self._facts.rejoin(kb_id, document_id, record)

    def _find(self, revision_id: int) -> None:
        try:
            self._facts.find_anew(revision_id)
        except StorageError as error:
            if error.code != "text_damaged":
                raise
            # Nothing can be read of it; `kb verify` names it, and it must not hold up the others.
            log.warning("facts not found", revision_id=revision_id, error=error.message)
            self._facts.give_up(revision_id)
