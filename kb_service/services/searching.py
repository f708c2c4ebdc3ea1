"""A search request checked against its accepted ranges. Ranking is the retriever's."""

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Filters, Query
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
    if not text.strip():
        raise InvalidRequest(
            f"query is empty; expected 1 to {limits.max_question_chars} characters",
            code="query_empty",
        )
    if len(text) > limits.max_question_chars:
        raise InvalidRequest(
            f"query has {len(text)} characters; expected 1 to {limits.max_question_chars}",
            code="query_too_long",
            details={"num_chars": len(text), "max_chars": limits.max_question_chars},
        )
    if not 1 <= top_k <= limits.max_top_k:
        raise InvalidRequest(
            f"top_k is {top_k}; expected 1 to {limits.max_top_k}",
            code="top_k_out_of_range",
            details={"value": top_k, "min": 1, "max": limits.max_top_k},
        )
    return Query(kb_id=kb_id, text=text, top_k=top_k, filters=filters or Filters())
