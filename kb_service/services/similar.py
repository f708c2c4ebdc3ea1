"""Incidents that are similar to one: found by a shared kind or place and by meaning, compared.

Knows how candidates are found, a bounded number of each way; what is alike is `likeness`'s.
"""

from collections.abc import Callable, Iterable

from kb_service.domain.errors import NotFound
from kb_service.domain.facts import FactField, Incident, incidents_of
from kb_service.domain.queries import RetrievalResult
from kb_service.services.likeness import SimilarIncident, compared, known, ranked
from kb_service.services.ranges import check_range
from kb_service.services.searching import SearchRequest
from kb_service.storage.facts.store import Facts

MAX_SHARING = 300
"""Incidents that share a kind or a place are compared, the latest so many of each."""

NEAR = 30
"""So many passages are looked for by meaning."""

MAX_SIMILAR = 100
_MAX_WORDS_CHARS = 400
_SHARED = (FactField.KIND, FactField.PLACE)
_TELLING = (FactField.KIND, FactField.CAUSE, FactField.PLACE)


class SimilarIncidents:
    """Finds what an incident is like."""

    def __init__(self, facts: Facts, search: Callable[[SearchRequest], RetrievalResult]) -> None:
        self._facts, self._search = facts, search

    def similar(self, kb_id: str, number: int, limit: int = 10) -> tuple[SimilarIncident, ...]:
        """Return incidents similar to one, the most similar first.

        Raises NotFound (incident_not_found), InvalidRequest (limit_out_of_range), StorageError.
        """
        check_range("limit", limit, 1, MAX_SIMILAR)
        asked = self._incidents(kb_id, [number])
        if not asked:
            raise NotFound(f"no incident {number}", code="incident_not_found")
        near = self._near(kb_id, asked[0])
        candidates = dict.fromkeys(near)
        for field in _SHARED:
            texts = [item.fact.text for item in known(asked[0], field)]
            candidates |= dict.fromkeys(self._facts.sharing(kb_id, field, texts, MAX_SHARING))
        candidates.pop(number, None)
        others = self._incidents(kb_id, candidates)
        return ranked(
            [compared(asked[0], other, near.get(other.number, 0.0)) for other in others], limit
        )

    def _incidents(self, kb_id: str, numbers: Iterable[int]) -> tuple[Incident, ...]:
        return incidents_of(self._facts.of_incidents(kb_id, list(numbers)))

    def _near(self, kb_id: str, incident: Incident) -> dict[int, float]:
        """Return incidents told of in the passages nearest in meaning, with how near (0..1)."""
        words = [item.fact.value for field in _TELLING for item in known(incident, field)]
        text = " ".join(dict.fromkeys(words))[:_MAX_WORDS_CHARS].strip()
        if not text:
            return {}
        hits = self._search(SearchRequest(kb_id, text, NEAR)).items
        near: dict[int, float] = {}
        for rank, hit in enumerate(hits):
            chunk = hit.chunk
            for number in self._facts.told_in(chunk.document_id, chunk.draft.span):
                near.setdefault(number, 1 - rank / NEAR)
        return near
