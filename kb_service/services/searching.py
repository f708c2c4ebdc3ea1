"""A search: its request checked against the accepted ranges, then ranked by the retriever."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.ports import Retriever
from kb_service.domain.queries import Filters, Query, RetrievalResult
from kb_service.language.asked import parse_question
from kb_service.services.as_of import Moment, States, only_the_present
from kb_service.services.filtering import as_compared
from kb_service.services.ranges import check_range, check_text
from kb_service.settings import RetrievalSettings
from kb_service.storage.catalog import Catalog

DEFAULT_TOP_K = 10


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Words to look for in one knowledge base (id or exact name). `top_k` None: DEFAULT_TOP_K.

    `as_of`: in the base as it was then; None: as it is. `base`: the one that `kb_id` names, where
    it has been read already.
    """

    kb_id: str
    text: str
    top_k: int | None = None
    filters: Filters = field(default_factory=Filters)
    as_of: Moment | None = None
    base: KnowledgeBase | None = field(default=None, compare=False)


class SearchService:
    """Finds chunks. The retriever is loaded with the first search."""

    def __init__(
        self,
        catalog: Catalog,
        retriever: Callable[[], Retriever],
        limits: RetrievalSettings,
        states: States = only_the_present,
    ) -> None:
        self._states = states
        self._catalog = catalog
        self._retriever = retriever
        self._limits = limits
        self._find_by: Callable[[SearchRequest], RetrievalResult] = self._find

    def through(self, find: Callable[[SearchRequest], RetrievalResult]) -> "SearchService":
        """Return this service, which has `find` do what it is asked for."""
        other = copy(self)
        other._find_by = find  # noqa: SLF001  its own class
        return other

    def search(self, request: SearchRequest) -> RetrievalResult:
        """Return the best chunks with their ranks and scores.

        Raises NotFound, InvalidRequest that names the value and its accepted range, StorageError.
        """
        return self._find_by(request)

    def _find(self, request: SearchRequest) -> RetrievalResult:
        kb_id = (request.base or self._catalog.bases.get(request.kb_id)).id
        top_k = DEFAULT_TOP_K if request.top_k is None else request.top_k
        check_text("query", request.text, self._limits.max_question_chars)
        check_range("top_k", top_k, 1, self._limits.max_top_k)
        question = parse_question(request.text)
        query = Query(kb_id, question, top_k, as_compared(request.filters), with_regions=True)
        state = self._states(kb_id, request.as_of)
        if state is None or state.is_present:
            return self._retriever().retrieve(query)
        return self._retriever().as_of(kb_id, state.change).retrieve(query)
