"""What is said about search hits, made from domain values. Pure conversions."""

from kb_service.domain.queries import Reranking, RetrievalResult, ScoredChunk
from kb_service.schemas.documents import Shape, SpanBody

LEGS = ("lexical", "dense", "rerank")


class RegionBody(Shape):
    """Boxes on one page: [x0, y0, x1, y1] in PDF points, origin bottom-left, unrotated page.

    `confidence`: 0..1, how sure OCR is of the words that it read there; null where it read none.
    """

    page_number: int
    boxes: list[list[float]]
    confidence: float | None


class HitBody(Shape):
    """A chunk that was found, and why."""

    chunk_id: int
    document_id: str
    revision: str
    title: str
    document_name: str
    text: str
    span: SpanBody
    pages: list[RegionBody]
    score: float
    ranks: dict[str, int | None]
    scores: dict[str, float | None]


class RerankBody(Shape):
    """What the reranking model read: `scored` of `candidates`."""

    model: str
    candidates: int
    scored: int


class SearchBody(Shape):
    """Hits, best first, seconds by step, and what was reranked (null without such a model)."""

    items: list[HitBody]
    timings: dict[str, float]
    rerank: RerankBody | None = None


def search_body(result: RetrievalResult) -> SearchBody:
    """Convert a retrieval result."""
    hits = [_hit_body(hit) for hit in result.items]
    return SearchBody.of(result, items=hits, rerank=rerank_body(result.reranking))


def rerank_body(reranking: Reranking | None) -> RerankBody | None:
    """Convert what a reranker did, if one did anything."""
    if reranking is None:
        return None
    counts = {"candidates": reranking.num_candidates, "scored": reranking.num_scored}
    return RerankBody.of(reranking, **counts)


def _hit_body(hit: ScoredChunk) -> HitBody:
    chunk = hit.chunk
    return HitBody.of(
        hit,
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        revision=hit.sha256,
        title=chunk.title,
        document_name=chunk.document_name,
        text=chunk.draft.text,
        span=chunk.draft.span,
        pages=hit.regions,
        ranks={leg: hit.ranks.get(leg) for leg in LEGS} | dict(hit.ranks),
        scores={leg: hit.scores.get(leg) for leg in LEGS} | dict(hit.scores),
    )
