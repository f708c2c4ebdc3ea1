"""What is said about bases, documents, jobs and search hits, made from domain values.

Pure conversions. Fields may be added; those here keep their names and meaning.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, PlainSerializer

from kb_service.domain.documents import (
    Document,
    KnowledgeBase,
    PageOutline,
    PageReport,
    Revision,
)
from kb_service.domain.jobs import IngestJob
from kb_service.domain.queries import Reranking, RetrievalResult, ScoredChunk
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.services.documents import DocumentPart, DocumentState
from kb_service.services.uploads import UploadItem
from kb_service.storage.identity import Listing


def iso_time(value: datetime) -> str:
    """Return an ISO 8601 UTC time with microseconds and Z."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(iso_time, return_type=str)]
ErrorValue = dict[str, object]
Value = TypeVar("Value")
Stored = TypeVar("Stored")
LEGS = ("lexical", "dense", "rerank")


class ErrorDetail(BaseModel):
    """What went wrong, under a stable code."""

    code: str
    message: str
    details: ErrorValue | None
    request_id: str


class ErrorBody(BaseModel):
    """The one shape of every error."""

    error: ErrorDetail


class ListBody(BaseModel, Generic[Value]):
    """A part of a list and the cursor of the next part."""

    items: list[Value]
    next_cursor: str | None


class KnowledgeBaseBody(BaseModel):
    """A knowledge base."""

    id: str
    name: str
    description: str
    num_documents: int
    num_chunks: int
    created_at: Time
    updated_at: Time


class RevisionBody(BaseModel):
    """The searchable content of a document; `sha256` is its public name."""

    id: int
    sha256: str
    num_pages: int
    num_chunks: int
    created_at: Time


class PageReportBody(BaseModel):
    """Pages by kind, and each page; all zero before the first revision."""

    text: int
    ocr: int
    empty: int
    failed: int
    pages: tuple[PageOutline, ...]


class JobBody(BaseModel):
    """An ingest job."""

    id: str
    kb_id: str
    document_id: str
    status: str
    stage: str
    done: int
    total: int
    attempt: int
    error: ErrorValue | None
    created_at: Time
    started_at: Time | None
    finished_at: Time | None


class DocumentBody(BaseModel):
    """A document; `job` is its newest ingest job."""

    id: str
    kb_id: str
    name: str
    media_type: str
    size_bytes: int
    status: str
    error: ErrorValue | None
    tags: list[str]
    metadata: dict[str, str]
    revision: RevisionBody | None
    page_report: PageReportBody
    job: JobBody | None
    created_at: Time
    updated_at: Time


class DocumentListBody(ListBody[DocumentBody]):
    """A part of a list of documents; `totals` counts the whole list by status.

    `totals` is null in the parts behind the first.
    """

    totals: dict[str, int] | None


class TextBody(BaseModel):
    """The stored text of a revision, into which every span points."""

    document_id: str
    revision: str
    text: str


class UploadItemBody(BaseModel):
    """What became of one file of an upload."""

    outcome: str
    document: DocumentBody | None
    job: JobBody | None
    error: ErrorValue | None


class UploadBody(BaseModel):
    """What became of each file, in the order sent."""

    items: list[UploadItemBody]


class SpanBody(BaseModel):
    """A half-open range of code points."""

    start: int
    end: int


class RegionBody(BaseModel):
    """Boxes on one page: [x0, y0, x1, y1] in PDF points, origin bottom-left, unrotated page."""

    page_number: int
    boxes: list[list[float]]


class HitBody(BaseModel):
    """A chunk that was found, and why."""

    chunk_id: int
    document_id: str
    revision: str
    title: str
    text: str
    span: SpanBody
    pages: list[RegionBody]
    score: float
    ranks: dict[str, int | None]
    scores: dict[str, float | None]


class RerankBody(BaseModel):
    """What the reranking model read: `scored` of `candidates` within `budget_s` seconds."""

    model: str
    candidates: int
    scored: int
    budget_s: float


class SearchBody(BaseModel):
    """Hits, best first, seconds by step, and what was reranked (null without such a model)."""

    items: list[HitBody]
    timings: dict[str, float]
    rerank: RerankBody | None = None


def list_body(listing: Listing[Stored], convert: Callable[[Stored], Value]) -> ListBody[Value]:
    """Convert a listing item by item."""
    items = [convert(item) for item in listing.items]
    return ListBody(items=items, next_cursor=listing.next_cursor)


def knowledge_base_body(base: KnowledgeBase) -> KnowledgeBaseBody:
    """Convert a knowledge base."""
    return KnowledgeBaseBody(
        id=base.id,
        name=base.name,
        description=base.description,
        num_documents=base.num_documents,
        num_chunks=base.num_chunks,
        created_at=base.created_at,
        updated_at=base.updated_at,
    )


def document_body(document: Document, job: IngestJob | None) -> DocumentBody:
    """Convert a document with its revision, page report and newest job."""
    return DocumentBody(
        id=document.id,
        kb_id=document.kb_id,
        name=document.name,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        status=document.status,
        error=document.error,
        tags=list(document.tags),
        metadata=document.metadata,
        revision=_revision_body(document.revision),
        page_report=page_report_body(document.page_report or PageReport()),
        job=job_body(job) if job else None,
        created_at=document.created_at,
        updated_at=document.updated_at,
    )


def document_state_body(state: DocumentState) -> DocumentBody:
    """Convert a document with its newest job."""
    return document_body(state.document, state.job)


def document_list_body(part: DocumentPart) -> DocumentListBody:
    """Convert a part of a list of documents."""
    items = [document_state_body(state) for state in part.items]
    return DocumentListBody(items=items, next_cursor=part.next_cursor, totals=part.totals)


def _revision_body(revision: Revision | None) -> RevisionBody | None:
    if revision is None:
        return None
    return RevisionBody(
        id=revision.id,
        sha256=revision.sha256,
        num_pages=revision.num_pages,
        num_chunks=revision.num_chunks,
        created_at=revision.created_at,
    )


def page_report_body(report: PageReport) -> PageReportBody:
    """Convert a page report."""
    return PageReportBody(pages=report.pages, **report.counts)


def job_body(job: IngestJob) -> JobBody:
    """Convert an ingest job."""
    return JobBody(
        id=job.id,
        kb_id=job.kb_id,
        document_id=job.document_id,
        status=job.status,
        stage=job.stage,
        done=job.done,
        total=job.total,
        attempt=job.attempt,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def upload_body(items: Iterable[UploadItem]) -> UploadBody:
    """Convert the outcomes of an upload, order kept."""
    return UploadBody(items=[_upload_item_body(item) for item in items])


def _upload_item_body(item: UploadItem) -> UploadItemBody:
    return UploadItemBody(
        outcome=item.outcome,
        document=document_body(item.document, item.job) if item.document else None,
        job=job_body(item.job) if item.job else None,
        error=item.error.as_dict() if item.error else None,
    )


def span_body(span: TextSpan) -> SpanBody:
    """Convert a span."""
    return SpanBody(start=span.start, end=span.end)


def region_bodies(regions: Sequence[PageRegion]) -> list[RegionBody]:
    """Convert page regions."""
    return [
        RegionBody(page_number=region.page_number, boxes=[list(box) for box in region.boxes])
        for region in regions
    ]


def search_body(result: RetrievalResult) -> SearchBody:
    """Convert a retrieval result."""
    return SearchBody(
        items=[_hit_body(hit) for hit in result.items],
        timings=result.timings,
        rerank=rerank_body(result.reranking),
    )


def rerank_body(reranking: Reranking | None) -> RerankBody | None:
    """Convert what a reranker did, if one did anything."""
    if reranking is None:
        return None
    return RerankBody(
        model=reranking.model,
        candidates=reranking.num_candidates,
        scored=reranking.num_scored,
        budget_s=reranking.budget_s,
    )


def _hit_body(hit: ScoredChunk) -> HitBody:
    return HitBody(
        chunk_id=hit.chunk.id,
        document_id=hit.chunk.document_id,
        revision=hit.sha256,
        title=hit.chunk.title,
        text=hit.chunk.draft.text,
        span=span_body(hit.chunk.draft.span),
        pages=region_bodies(hit.regions),
        score=hit.score,
        ranks={leg: hit.ranks.get(leg) for leg in LEGS} | dict(hit.ranks),
        scores={leg: hit.scores.get(leg) for leg in LEGS} | dict(hit.scores),
    )
