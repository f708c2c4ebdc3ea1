"""A base as of a change, searched like a present one: a view of a retriever over past states.

Knows how a past state is named. Its index lies in memory, so that nothing of a document that is
deleted later stays on the disk, and is made when it is first asked for.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from kb_service.domain.history import PastState
from kb_service.domain.ports import Searcher
from kb_service.domain.queries import Query, RetrievalResult

MAX_OPEN = 2
"""Past states held open at once, of all bases."""


class PastRetriever:
    """Implements `domain.ports.Searcher` for one state; the base that a call names is its own."""

    def __init__(self, over: Searcher, state: PastState) -> None:
        """`over`: searches bases that are named by the keys of past states."""
        self._over = over
        self._key = state.key

    def retrieve(self, query: Query) -> RetrievalResult:
        """Return at most `query.top_k` chunks that were searchable then, best first."""
        return self._over.retrieve(replace(query, kb_id=self._key))

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term then."""
        return self._over.idf(self._key, terms)

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return by normalised name which of the documents held it then."""
        return self._over.stating(self._key, names, document_ids)
