"""A search request checked against its accepted ranges. Ranking is the retriever's."""

from kb_service.domain.queries import Filters, Query
from kb_service.language.asked import parse_question
from kb_service.services.ranges import check_range, check_text
from kb_service.settings import RetrievalSettings

DEFAULT_TOP_K = 10


def search_request(
    kb_id: str,
    text: str,
    top_k: int | None,
    limits: RetrievalSettings,
    filters: Filters | None = None,
) -> Query:
    """Return the Query; InvalidRequest names the value and its accepted range."""
    top_k = DEFAULT_TOP_K if top_k is None else top_k
    check_text("query", text, limits.max_question_chars)
    check_range("top_k", top_k, 1, limits.max_top_k)
    return Query(
        kb_id=kb_id,
        question=parse_question(text),
        top_k=top_k,
        filters=filters or Filters(),
        with_regions=True,
    )
