"""Documents and what is made of them: Page, Chunk, Revision, Document, KnowledgeBase.

Values only: no reading, writing or searching. A document's name is data, never a path and never an
identity; text offsets follow `spans`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.labels import LabelMark
from kb_service.domain.masking import NO_MASKING, Masking
from kb_service.domain.members import Container, Loss, Member
from kb_service.domain.spans import Box, PageRegion, TextSpan, merge_boxes


class PageKind(StrEnum):
    """How the text of a page was obtained; `both`: some of it was written, OCR read the rest."""

    TEXT = "text"
    OCR = "ocr"
    BOTH = "both"
    EMPTY = "empty"
    FAILED = "failed"


class VectorState(StrEnum):
    """Whether meaning finds a searchable document too, or its words alone so far."""

    PENDING = "pending"
    READY = "ready"


class DocumentStatus(StrEnum):
    """Where a document stands; `partial` means some pages could not be read, the rest is ready."""

    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a revision: its range in the revision text and where each character stands.

    `span`: range in the revision text. `char_boxes`: one Box per code point, (0, 0, 0, 0)
    for characters that have no ink (spaces, line ends); empty for formats without geometry.
    `width`, `height`: PDF points of the unrotated page, 0.0 without geometry. `rotation`: degrees
    clockwise that a viewer turns the page, one of 0, 90, 180, 270. `reason`: why a page is `empty`
    or `failed`, a stable snake_case code (for example `no_text_layer`), None for readable pages;
    `words_missing` for one that is not whole. `char_scores`: one byte per code point, how sure OCR
    is of it (`ocr_score`), 0 where it did not read; empty for a page that it did not read at all.
    """

    page_number: int
    span: TextSpan
    kind: PageKind
    reason: str | None = None
    width: float = 0.0
    height: float = 0.0
    rotation: int = 0
    char_boxes: tuple[Box, ...] = ()
    char_scores: bytes = b""

    def __post_init__(self) -> None:
        for what, values in (("boxes", self.char_boxes), ("scores", self.char_scores)):
            if values and len(values) != len(self.span):
                raise ValueError(
                    f"page {self.page_number}: {len(values)} {what}, {len(self.span)} chars"
                )

    @property
    def confidence(self) -> float | None:
        """How sure OCR is of what it read here, None when it read nothing."""
        return confidence_of(self.char_scores)

    def region(self, span: TextSpan) -> PageRegion | None:
        """Return where the words of `span` (revision offsets) stand here; None when none do."""
        shared = self.span.overlap(span)
        if shared is None:
            return None
        inside = shared.shifted(-self.span.start)
        return PageRegion(
            self.page_number,
            merge_boxes(list(self.char_boxes[inside.start : inside.end])),
            confidence_of(self.char_scores[inside.start : inside.end]),
        )


def ocr_score(confidence: float) -> int:
    """Return 0..1 as the byte that is kept of it, 1..255."""
    return 1 + round(254 * min(max(confidence, 0.0), 1.0))


SURE_CONFIDENCE = 0.9
"""Of made pictures of reports, most characters that were read wrong are below it."""
_SURE = ocr_score(SURE_CONFIDENCE)


def confidence_of(scores: bytes) -> float | None:
    """Return the mean of what OCR read among these characters, to 4 digits; None for nothing."""
    read = [score - 1 for score in scores if score]
    return round(sum(read) / len(read) / 254, 4) if read else None


def unsure_spans(scores: bytes, start: int = 0) -> tuple[TextSpan, ...]:
    """Return where OCR is unsure of what it read; `start`: of the first of these characters."""
    found: list[TextSpan] = []
    for place, score in enumerate(scores, start):
        if not 0 < score < _SURE:
            continue
        is_next = bool(found) and found[-1].end == place
        first = found.pop().start if is_next else place
        found.append(TextSpan(first, place + 1))
    return tuple(found)


def regions_of(pages: tuple[Page, ...], span: TextSpan) -> tuple[PageRegion, ...]:
    """Return the page regions of a span of revision text, in page order."""
    found = (page.region(span) for page in pages)
    return tuple(region for region in found if region is not None)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line: its span in the revision text and its level (1 is the highest)."""

    span: TextSpan
    level: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a Loader returns: the text of a revision with its pages and headings.

    `text`: the stored text; every span of the system points into it. `title`: best title the file
    itself gives, "" when it gives none. `metadata`: plain strings (author, sent_at, subject …).
    `unread`: numbers of the pages that show words which nothing has read yet. `members`: files
    inside this one, `losses`: what of it is not read. `unread_on`: where the numbers are those of
    pictures inside a document, the page that each stands on.
    """

    text: str
    pages: tuple[Page, ...]
    headings: tuple[Heading, ...] = ()
    title: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    unread: tuple[int, ...] = ()
    members: tuple[Member, ...] = ()
    losses: tuple[Loss, ...] = ()
    unread_on: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for page in self.pages:
            if page.span.end > len(self.text):
                raise ValueError(f"page {page.page_number} reaches past the text")


def embedded_text(prefix: str, text: str) -> str:
    """Return what an Embedder sees of a chunk: its prefix on a line of its own, then its text."""
    return f"{prefix}\n{text}" if prefix else text


def embedding_key(text: str) -> str:
    """Return the SHA-256 (hex) under which the vector of an embedded text is stored."""
    return sha256_of_text(text)


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A chunk before it is stored. `text[span] == text of the chunk`, always.

    `prefix`: deterministic context (title, heading path, date, place, type where known), indexed as
    a field of its own and embedded in front of the text; never part of the quoted words.
    """

    ordinal: int
    span: TextSpan
    text: str
    heading_path: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def embedded_text(self) -> str:
        """The text an Embedder sees; `embedding_key` of it names the stored vector."""
        return embedded_text(self.prefix, self.text)


@dataclass(frozen=True, slots=True)
class NearText:
    """A document whose text is nearly that of another: about this `share` of both is common."""

    document_id: str
    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored chunk: a draft with its integer id (never reused) and the revision it belongs to.

    `document_name`: the name of the file that it comes from.
    """

    id: int
    kb_id: str
    document_id: str
    revision_id: int
    title: str
    draft: ChunkDraft
    document_name: str = ""


@dataclass(slots=True)
class PageOutline:
    """How one page was read, without where its words stand; `confidence` as of its Page.

    Never changed, but not frozen: lists of documents make tens of thousands, three times as fast.
    """

    page_number: int
    kind: PageKind
    num_chars: int
    reason: str | None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class PageReport:
    """The truthful account of a revision's pages, one entry per page, none left out.

    `losses`: what else of the file is not read.
    """

    pages: tuple[PageOutline, ...] = ()
    losses: tuple[Loss, ...] = ()

    @classmethod
    def of(cls, pages: Iterable[Page], losses: tuple[Loss, ...] = ()) -> "PageReport":
        """Return what is to be told of these pages."""
        return cls(
            tuple(
                PageOutline(
                    page.page_number, page.kind, len(page.span), page.reason, page.confidence
                )
                for page in pages
            ),
            losses,
        )

    @property
    def counts(self) -> dict[str, int]:
        """The number of pages of each kind, zeros included."""
        found = Counter(map(attrgetter("kind"), self.pages))
        return {kind.value: found[kind] for kind in PageKind}

    @property
    def is_complete(self) -> bool:
        """True when nothing is lost and every page is whole, or holds no words."""
        return not self.losses and all(page.reason in _NOTHING_LACKS for page in self.pages)


WORDS_MISSING = "words_missing"
"""Reason of a page of text that lacks words of its file; the document's metadata names them."""
CONVERTED_BY = "converted_by"
"""Metadata: the program that made a file of an old format readable."""
CORRUPT_PAGE = "corrupt_page"
"""Reason of a page or slide that is damaged."""
BLANK_PAGE = "blank"
"""Reason of an `empty` page that has neither text nor pictures: nothing is missing from it."""

NO_TEXT_LAYER = "no_text_layer"
"""Reason of an `empty` page that has pictures: what they show is not in the text."""

OCR_NOT_INSTALLED = "ocr_not_installed"
"""Reason of a page with a picture of words that cannot be read here."""
OCR_FAILED = "ocr_failed"
"""Reason of a page whose picture could not be read within its limits."""
NO_WORDS = "no_words"
"""Reason of an `empty` page with pictures in which OCR finds no words: nothing is missing."""
WORDS_UNCERTAIN = "words_uncertain"
"""Reason of a page in whose picture stand words that OCR is too unsure of to tell them."""

_NOTHING_LACKS = frozenset({None, BLANK_PAGE, NO_WORDS})


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of a document. `id` is the internal key; `sha256` (hex) is the public name."""

    id: int
    document_id: str
    sha256: str
    size_bytes: int
    media_type: str
    num_pages: int
    num_chunks: int
    created_at: datetime
    embedded_by: str = ""
    """Fingerprint of the profile of which every chunk has a vector; "" while one lacks it."""

    @property
    def vectors(self) -> VectorState:
        """Whether meaning finds all of it."""
        is_whole = self.embedded_by or not self.num_chunks
        return VectorState.READY if is_whole else VectorState.PENDING


class VersionState(StrEnum):
    """Whether a version is what is found, its words are kept, or only its bytes.

    `unread`: it was replaced before it was read, could not be read, or waits to be.
    """

    SEARCHABLE = "searchable"
    KEPT = "kept"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Version:
    """Content that was sent in for a document; the highest number is the newest.

    The content of an earlier version that comes again is a version of its own.
    """

    number: int
    sha256: str
    size_bytes: int
    media_type: str
    created_at: datetime
    state: VersionState


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a knowledge base; `revision` is the searchable one, None before the first.

    `versions`: newest first, never none. `origin`: the folder of a sync, None of uploads; `path`:
    what it calls the document, None where that is its name. `container`: what it came out of.
    `encoding`: in which a person said that its text is written, empty for none.
    """

    id: str
    kb_id: str
    name: str
    media_type: str
    size_bytes: int
    status: DocumentStatus
    error: "dict[str, object] | None"
    tags: tuple[str, ...]
    labels: tuple[LabelMark, ...]
    metadata: dict[str, str]
    revision: Revision | None
    page_report: PageReport | None
    created_at: datetime
    updated_at: datetime
    versions: tuple[Version, ...] = ()
    origin: str | None = None
    path: str | None = None
    container: Container | None = None
    encoding: str = ""

    @property
    def source_path(self) -> str:
        """What its origin calls it."""
        return self.path or self.name


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A named set of documents that is asked together.

    `change`: the number of the last change of what can be found; `event`: of its last event.
    `masking`: what is hidden from those who may not see personal data.
    """

    id: str
    name: str
    description: str
    num_documents: int
    num_chunks: int
    created_at: datetime
    updated_at: datetime
    change: int = 0
    event: int = 0
    masking: Masking = NO_MASKING
