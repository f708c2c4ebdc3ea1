"""All of storage over one database, with a clock that tests move, and small parsed documents."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config

from kb_service.domain.documents import (
    ChunkDraft,
    Page,
    PageKind,
    ParsedDocument,
    Revision,
    embedding_key,
)
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.domain.spans import TextSpan
from kb_service.storage.answers.store import AnswerStore
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.checks.verifier import Verifier
from kb_service.storage.chunks import SqlIndexSource
from kb_service.storage.database import Database
from kb_service.storage.documents.store import UploadOutcome
from kb_service.storage.embeddings import Embeddings
from kb_service.storage.jobs.queue import Claim, JobQueue
from kb_service.storage.migration import MIGRATIONS
from kb_service.storage.revisions.publishing import RevisionPublisher

PROFILE = EmbeddingProfile("tiny", 2, "f" * 64)
LEASE_S = 30.0


class FakeClock:
    """A clock that stands still until time passes or somebody sets it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.passed = 1000.0

    def __call__(self) -> datetime:
        return self.now

    def elapsed(self) -> float:
        """Seconds of a clock that is never set."""
        return self.passed

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    def set_by(self, seconds: float) -> None:
        """Set the clock; no time passes."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class World:
    """Every part of storage, wired as the service wires it."""

    database: Database
    blobs: BlobStore
    catalog: Catalog
    queue: JobQueue
    publisher: RevisionPublisher
    embeddings: Embeddings
    source: SqlIndexSource
    answers: AnswerStore
    verifier: Verifier
    clock: FakeClock

    def upload(self, kb_id: str, name: str, content: bytes, **labels: object) -> UploadOutcome:
        staged = self.blobs.stage(content, 1_000_000)
        return self.catalog.documents.register(kb_id, name, staged, "text/plain", **labels)

    def claim(self) -> Claim:
        claim = self.queue.claim("worker-1")
        assert claim is not None
        return claim

    def publish(self, claim: Claim, sentences: Sequence[str]) -> Revision:
        parsed, drafts = parsed_of(sentences)
        revision = self.publisher.publish(claim, parsed, drafts)
        self.embeddings.add(PROFILE, vectors_of(drafts))
        return revision

    def ingest(self, kb_id: str, name: str, sentences: Sequence[str]) -> Revision:
        """Upload a document that reads as these sentences and make it searchable."""
        self.upload(kb_id, name, "\n".join(sentences).encode())
        return self.publish(self.claim(), sentences)

    def live_texts(self, kb_id: str) -> list[str]:
        return [chunk.text for chunk in self.source.live_chunks(kb_id, PROFILE)]

    def assert_clean(self, *, may_wait: bool = False) -> None:
        """Nothing lost or doubled; `may_wait`: vectors may still be to come, as after a kill."""
        report = self.verifier.verify()
        assert report.is_clean, report
        assert may_wait or not report.pending, report


def build_world(database: Database, folder: Path, blobs: BlobStore | None = None) -> World:
    clock = FakeClock()
    blobs = blobs or BlobStore(folder / "blobs")
    return World(
        database=database,
        blobs=blobs,
        catalog=Catalog(database, blobs, clock),
        queue=JobQueue(database, LEASE_S, 3, clock, clock.elapsed),
        publisher=RevisionPublisher(database, blobs, clock),
        embeddings=Embeddings(database),
        source=SqlIndexSource(database),
        answers=AnswerStore(database, clock),
        verifier=Verifier(database, blobs),
        clock=clock,
    )


def parsed_of(sentences: Sequence[str]) -> tuple[ParsedDocument, list[ChunkDraft]]:
    """One page and one chunk per sentence; each character is a box of 1 by 10 points."""
    text, pages, drafts = "", [], []
    for number, sentence in enumerate(sentences):
        span = TextSpan(len(text), len(text) + len(sentence))
        boxes = tuple((float(i), 0.0, i + 1.0, 10.0) for i in range(len(sentence)))
        pages.append(Page(number + 1, span, PageKind.TEXT, char_boxes=boxes))
        drafts.append(ChunkDraft(number, span, sentence))
        text += sentence + "\n"
    return ParsedDocument(text, tuple(pages)), drafts


def vectors_of(drafts: Sequence[ChunkDraft]) -> dict[str, Vector]:
    return vectors_of_keys([embedding_key(draft.embedded_text) for draft in drafts])


def vectors_of_keys(keys: Sequence[str]) -> dict[str, Vector]:
    return {key: struct.pack("<2f", 1.0, int(key[:4], 16) / 65536) for key in keys}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def downgrade(database: Database, version: str) -> None:
    """Bring a database back to the schema of an older version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)
