"""What is said about bases, documents and jobs, made from domain values.

Pure conversions. Fields may be added; those here keep their names and meaning.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, PlainSerializer

from kb_service.domain.documents import (
    Document,
    KnowledgeBase,
    NearText,
    PageOutline,
    PageReport,
    VectorState,
)
from kb_service.domain.jobs import IngestJob
from kb_service.domain.labels import LabelMark
from kb_service.domain.members import Container, Loss
from kb_service.services.documents import DocumentPart, DocumentState
from kb_service.services.page_words import PageWords
from kb_service.services.uploads import UploadItem
from kb_service.storage.identity import Listing


def iso_time(value: datetime) -> str:
    """Return an ISO 8601 UTC time with microseconds and Z."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(iso_time, return_type=str)]
ErrorValue = dict[str, object]
Value = TypeVar("Value")
Stored = TypeVar("Stored")


class Shape(BaseModel):
    """A public shape. What it names as the value does is taken from the value, also deeper in."""

    @classmethod
    def of(cls, value: object, **given: object) -> Self:
        """Return the shape of a value; `given`: the fields that it does not have so."""
        names = cls.model_fields.keys() - given.keys()
        read = {name: getattr(value, name) for name in names}
        return cls.model_validate(read | given, from_attributes=True)


class ErrorDetail(Shape):
    """What went wrong, under a stable code."""

    code: str
    message: str
    details: ErrorValue | None
    request_id: str


class ErrorBody(Shape):
    """The one shape of every error."""

    error: ErrorDetail


class ListBody(Shape, Generic[Value]):
    """A part of a list and the cursor of the next part."""

    items: list[Value]
    next_cursor: str | None


class MaskingBody(Shape):
    """Which kinds of personal data, and the names of people in which roles, are hidden."""

    kinds: Annotated[list[str], BeforeValidator(sorted)]
    roles: Annotated[list[str], BeforeValidator(sorted)]


class KnowledgeBaseBody(Shape):
    """A knowledge base; `masking`: what those see masked who may not see personal data."""

    id: str
    name: str
    description: str
    num_documents: int
    num_chunks: int
    change: int
    masking: MaskingBody
    created_at: Time
    updated_at: Time


class RevisionBody(Shape):
    """The searchable content of a document; `sha256` is its public name."""

    id: int
    sha256: str
    num_pages: int
    num_chunks: int
    created_at: Time


class VersionBody(Shape):
    """Content that was sent in; `state`: `searchable`, `kept` (its text) or `unread`."""

    number: int
    sha256: str
    size_bytes: int
    state: str
    created_at: Time


class PageReportBody(Shape):
    """Pages by kind, each page, and what else is not read; all zero before the first revision."""

    text: int
    ocr: int
    both: int
    empty: int
    failed: int
    pages: tuple[PageOutline, ...]
    losses: tuple[Loss, ...]


class JobBody(Shape):
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


class PauseBody(Shape):
    """Why no worker takes jobs; `by` is "" where no key was needed or a command did it."""

    by: str
    at: Time
    is_everywhere: bool


class NearTextBody(Shape):
    """A document whose text is nearly the same: about this `share` of both is common."""

    document_id: str
    name: str
    share: float


class DocumentBody(Shape):
    """A document; `job` is its newest ingest job.

    `encoding`: the one that a person chose for its text, empty for none. `vectors`: `pending` or
    `ready`; null where none are made, and before the first revision.
    `container`: the document that it came out of. `similar_to`: the nearest first.
    """

    id: str
    kb_id: str
    name: str
    media_type: str
    size_bytes: int
    status: str
    error: ErrorValue | None
    tags: list[str]
    labels: list[LabelMark]
    metadata: dict[str, str]
    revision: RevisionBody | None
    page_report: PageReportBody
    job: JobBody | None
    encoding: str
    vectors: str | None
    versions: list[VersionBody]
    container: Container | None
    similar_to: list[NearTextBody]
    created_at: Time
    updated_at: Time


class DocumentListBody(ListBody[DocumentBody]):
    """A part of a list of documents of `base`; behind the first part the rest is null.

    `totals`: by status, whichever is listed. `num_open`: of the whole base, what waits or is read.
    `event`: the number of the last event that the list has seen.
    """

    totals: dict[str, int] | None
    num_open: int | None
    paused: PauseBody | None
    base: KnowledgeBaseBody | None
    event: int | None


class TagBody(Shape):
    """A tag, and how many documents of the base carry it."""

    tag: str
    num_documents: int


class TagListBody(Shape):
    """Every tag of a base, by name."""

    items: list[TagBody]


class SpanBody(Shape):
    """A half-open range of code points."""

    start: int
    end: int


class TextBody(Shape):
    """The stored text of a revision, into which every span points.

    `unsure`: where OCR is unsure of what it read.
    """

    document_id: str
    revision: str
    text: str
    unsure: list[SpanBody]


class PageLineBody(Shape):
    """A line of a page: its span in the stored text, its words, `[x0, y0, x1, y1]` in points."""

    start: int
    end: int
    text: str
    box: list[float]


class PageWordsBody(Shape):
    """The words of a page by lines; `width`, `height`, `rotation` of the page, 0 where unknown."""

    document_id: str
    revision: str
    page_number: int
    width: float
    height: float
    rotation: int
    lines: list[PageLineBody]


def page_words_body(words: PageWords) -> PageWordsBody:
    """Return the words of a page."""
    lines = [
        PageLineBody(start=one.span.start, end=one.span.end, text=one.text, box=list(one.box))
        for one in words.lines
    ]
    revision = words.revision
    return PageWordsBody.of(
        words.page, document_id=revision.document_id, revision=revision.sha256, lines=lines
    )


class UploadItemBody(Shape):
    """What became of one file of an upload."""

    outcome: str
    document: DocumentBody | None
    job: JobBody | None
    error: ErrorValue | None


class UploadBody(Shape):
    """What became of each file, in the order sent."""

    items: list[UploadItemBody]


def list_body(listing: Listing[Stored], convert: Callable[[Stored], Value]) -> ListBody[Value]:
    """Convert a listing item by item."""
    items = [convert(item) for item in listing.items]
    return ListBody(items=items, next_cursor=listing.next_cursor)


def document_body(
    document: Document,
    job: IngestJob | None,
    vectors: VectorState | None = None,
    similar_to: Sequence[NearText] = (),
) -> DocumentBody:
    """Convert a document with its revision, page report and newest job."""
    report = document.page_report or PageReport()
    return DocumentBody.of(
        document,
        page_report=PageReportBody.of(report, **report.counts),
        job=job,
        vectors=vectors,
        similar_to=similar_to,
    )


def document_state_body(state: DocumentState) -> DocumentBody:
    """Convert a document with its newest job and the state of its vectors."""
    return document_body(state.document, state.job, state.vectors, state.similar_to)


def document_list_body(part: DocumentPart, base: KnowledgeBase) -> DocumentListBody:
    """Convert a part of a list of documents of a base."""
    items = list(map(document_state_body, part.items))
    if part.totals is None:
        return DocumentListBody.of(part, items=items, base=None, event=None)
    return DocumentListBody.of(part, items=items, base=base, event=base.event)


def upload_body(items: Iterable[UploadItem]) -> UploadBody:
    """Convert the outcomes of an upload, order kept."""
    return UploadBody(items=[upload_item_body(item) for item in items])


def upload_item_body(item: UploadItem) -> UploadItemBody:
    """Convert the outcome of one file."""
    return UploadItemBody.of(
        item,
        document=document_body(item.document, item.job) if item.document else None,
        error=item.error.as_dict() if item.error else None,
    )
