"""Facts of a base: found anew where the rules have changed, listed, corrected.

Knows that facts are derived: what is missing is what the database lacks, so a worker that was
killed goes on where it was.
"""

import structlog

from kb_service.domain.errors import StorageError
from kb_service.domain.facts import StoredFact
from kb_service.storage.facts.store import Facts
from kb_service.storage.identity import Listing

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
    ) -> Listing[StoredFact]:
        """Return facts page by page. Raises NotFound, InvalidRequest, StorageError."""
        return self._facts.listed(kb_id, field, document_id, limit, cursor)

    def fields(self, kb_id: str) -> dict[str, int]:
        """Return how many facts each field has. Raises NotFound, StorageError."""
        return self._facts.fields(kb_id)

    def _find(self, revision_id: int) -> None:
        try:
            self._facts.find_anew(revision_id)
        except StorageError as error:
            if error.code != "text_damaged":
                raise
            # Nothing can be read of it; `kb verify` names it, and it must not hold up the others.
            log.warning("facts not found", revision_id=revision_id, error=error.message)
            self._facts.give_up(revision_id)
