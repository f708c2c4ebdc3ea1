"""Deterministic stand-ins for the slow parts: a loader, a chunker, an embedder, a retriever."""

import hashlib
import struct
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from kb_service.domain.documents import ChunkDraft, Page, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError, ParseAccident, ParseInterrupted
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.members import Member
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.domain.queries import Query, RetrievalResult
from kb_service.domain.spans import TextSpan


class TextLoader:
    """Reads UTF-8 text as one page; BROKEN is bad, CRASH kills the parser, SLOW outlasts it."""

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        text = path.read_text(encoding="utf-8")
        if text.startswith("BROKEN"):
            raise DocumentError(f"{name} is broken", code="corrupt_document")
        if text.startswith("CRASH"):
            raise ParseAccident(f"{name} killed the parser", details={"exit_status": -11})
        if text.startswith("SLOW"):
            raise ParseInterrupted(f"{name} took too long", code="parse_timeout")
        yield Progress(JobStage.LOAD, 1, 1)
        pages = (Page(1, TextSpan(0, len(text)), PageKind.TEXT),)
        with tempfile.TemporaryDirectory() as folder:
            yield ParsedDocument(text, pages, members=tuple(_members(text, Path(folder))))


def _members(text: str, folder: Path) -> Iterator[Member]:
    """The files of a text that is a container: `FILES`, then `path=words` line by line."""
    first, *lines = text.splitlines() or [""]
    for number, line in enumerate(lines if first == "FILES" else ()):
        path, _, words = line.partition("=")
        file = folder / str(number)
        file.write_text(words.replace("|", "\n"), encoding="utf-8")
        yield Member(path, file)


class ParagraphChunker:
    """One chunk for each paragraph."""

    def chunk(self, document: ParsedDocument, title: str) -> list[ChunkDraft]:
        chunks, start = [], 0
        for paragraph in document.text.split("\n\n"):
            if paragraph:
                span = TextSpan(start, start + len(paragraph))
                chunks.append(ChunkDraft(len(chunks), span, paragraph, prefix=title))
            start += len(paragraph) + 2
        return chunks


class HashEmbedder:
    """A unit vector in the direction that the text's hash names; counts what it embeds."""

    profile = EmbeddingProfile("hash", 4, "0" * 64)

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        self.embedded.extend(texts)
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        axis = hashlib.sha256(text.encode()).digest()[0] % 4
        return struct.pack("<4f", *(float(index == axis) for index in range(4)))


class NoIndex:
    """A retriever that only remembers which bases it was asked to refresh or to rebuild."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.rebuilt: list[str] = []

    def refresh(self, kb_id: str) -> None:
        self.refreshed.append(kb_id)

    def retrieve(self, query: Query) -> RetrievalResult:
        return RetrievalResult((), {})

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        return {}

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        return dict.fromkeys(terms, 0.0)

    def rebuild(self, kb_id: str) -> None:
        self.rebuilt.append(kb_id)

    def drop(self, kb_id: str) -> None:
        self.refreshed.clear()
