"""The seams: Protocols that services use and that ingest, retrievers, llm and storage fulfil.

Knows the domain's values; knows no implementation. A port stands where the slow thing is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import ChatEvent, ChatRequest
from kb_service.domain.documents import Chunk, ChunkDraft, ParsedDocument
from kb_service.domain.errors import KbError
from kb_service.domain.jobs import Progress
from kb_service.domain.queries import Filters, Passage, Query, RetrievalResult
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import Box, PageRegion

HEAD_BYTES = 16384
"""How much of a file the media type detector may look at."""

MediaTypeDetector = Callable[[str, bytes], str]
"""(name, first bytes) -> media type; DocumentError when the kind cannot be read."""

Vector = bytes
"""An embedding: little-endian float32, L2-normalised, `4 * dimension` bytes."""


@dataclass(frozen=True, slots=True)
class EmbeddingProfile:
    """Names one way to embed. Vectors of different fingerprints are never compared.

    `dimension` 0: no text has a vector, and none is missing one.
    `fingerprint`: SHA-256 hex over the model files and the pooling version.
    """

    name: str
    dimension: int
    fingerprint: str


class Loader(Protocol):
    """Reads one file into text with provenance."""

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then exactly one ParsedDocument.

        Raises DocumentError when the file cannot be read, ParseInterrupted when a limit stopped it.
        """


class Chunker(Protocol):
    """Cuts a parsed document into chunks."""

    def chunk(self, document: ParsedDocument, title: str) -> list[ChunkDraft]:
        """Return chunks in order; `document.text[c.span.start:c.span.end] == c.text` for each."""


class Embedder(Protocol):
    """Turns texts into vectors of one profile."""

    @property
    def profile(self) -> EmbeddingProfile:
        """The profile of every vector this embedder makes."""

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """A committed change: the chunks of `revision_id` became searchable (or stopped being it)."""

    seq: int
    revision_id: int
    is_added: bool


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """What an index needs of a chunk. `title` holds the prefix; `vector` None when not embedded."""

    chunk_id: int
    revision_id: int
    document_id: str
    title: str
    text: str
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A live chunk read back from the database with its revision's public name."""

    chunk: Chunk
    sha256: str


class IndexSource(Protocol):
    """The database as the indexes see it: the only truth they are derived from."""

    def head(self, kb_id: str) -> int:
        """Return the sequence number of the last committed change, 0 when none."""

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        """Return changes with seq > after, ascending; the last one of a revision counts."""

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        """Return the live chunks of a revision with their vectors under that profile."""

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        """Yield every searchable chunk of the base, in id order (for a rebuild)."""

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Return those of the chunks that are searchable right now; others are absent."""

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        """Return where each of the chunks stands on its pages, in their order."""

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        """Return ids of the documents that pass the filters."""


class Reranker(Protocol):
    """Scores texts for a question by reading both together."""

    @property
    def name(self) -> str:
        """The model's name."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return scores of the first texts, in order, the higher the better.

        Which texts are read depends on the texts alone, never on time: they are fewer than the
        texts only from where the model's scores are not finite.
        """

    def close(self) -> None:
        """Give up what the model holds."""


class Searcher(Protocol):
    """Finds chunks for a question in bases as they are, or were."""

    def retrieve(self, query: Query) -> RetrievalResult:
        """Return at most `query.top_k` live chunks, best first."""

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        """Return the inverse document frequency of each term in the base's lexical index."""

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return by normalised name which of the documents hold it whole in their words."""


class Retriever(Searcher, Protocol):
    """Finds chunks in bases as they are, and keeps their indexes."""

    def as_of(self, kb_id: str, change: int) -> Searcher:
        """Return what searches a base as it was after a change."""

    def refresh(self, kb_id: str) -> None:
        """Bring the indexes of a base up to its head and publish a generation when worth it."""

    def follow(self, kb_ids: Sequence[str] = ()) -> None:
        """Open the indexes of these bases, and bring every open one up to its head."""

    def rebuild(self, kb_id: str) -> None:
        """Make the indexes of a base from the database alone and publish them."""

    def drop(self, kb_id: str) -> None:
        """Remove every index file of a deleted base."""


class DerivedFiles(Protocol):
    """The files of all indexes: they belong to bases, and can be made again from the database.

    `bases` reads the ids of all bases. It is asked after the files were listed, as a base is older
    than its files.
    """

    def orphans(self, bases: Callable[[], Collection[str]]) -> list[str]:
        """Return the ids that have files and are no base's."""

    def sweep(self, bases: Callable[[], Collection[str]]) -> int:
        """Remove what deleted bases and killed processes left; return how many bases."""

    def drop(self, kb_id: str) -> None:
        """Remove the files of a deleted base. Raises StorageError."""

    def traces(self, kb_id: str, document_ids: Collection[str]) -> tuple[int, list[str]]:
        """Return how many places were looked at, and which still hold one of the documents."""


class PageDrawer(Protocol):
    """Draws pages of stored files. Who asks has checked boxes and scale."""

    def render(
        self,
        path: Path,
        page_number: int,
        boxes: Sequence[Box],
        scale: float,
        hidden: Sequence[Box] = (),
    ) -> bytes:
        """Return a PNG of the page, `scale` pixels per point, `boxes` lit and `hidden` black.

        Boxes are points from the bottom-left corner of the unrotated page. Raises InvalidRequest
        (picture_too_large), NotFound (page_not_found, page_has_no_picture when the file is no PDF),
        DocumentError, ParseInterrupted (picture_timeout), FileNotFoundError.
        """


class PassageReader(Protocol):
    """Finds in passages the words that answer a question; the same input gives the same output."""

    @property
    def name(self) -> str:
        """Name of the model."""

    def read(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> tuple[Reading, ...]:
        """Return the best reading of every passage that was read, surest first.

        `idf`: rarity of the question's terms in the knowledge base.
        """


class Generator(Protocol):
    """Writes an answer from numbered passages."""

    @property
    def info(self) -> GeneratorInfo:
        """Which model answers."""

    def generate(self, request: GenerationRequest) -> PyGenerator[str, None, Generation]:
        """Yield pieces of text; return the whole Generation. Closing it cancels the work.

        Raises GenerationError.
        """


@runtime_checkable
class ChatGenerator(Protocol):
    """Writes the next turn of a chat, without documents."""

    @property
    def info(self) -> GeneratorInfo:
        """Which model chats."""

    def chat(self, request: ChatRequest) -> PyGenerator[ChatEvent, None, None]:
        """Yield ChatPieces, then one ChatEnd. Closing it, or `request.cancelled`, ends the work.

        Raises InvalidRequest, GenerationError and Busy, from the first step at the earliest.
        """


@runtime_checkable
class RemoteModel(Protocol):
    """A model on another machine, which may be out of reach."""

    def check(self) -> str:
        """Ask its server whether it has the model; say which one, and where.

        Raises RemoteError, ConfigurationError, Busy.
        """

    def outage(self) -> KbError | None:
        """Return why it cannot be used at present, None when it can; asks now and then."""
