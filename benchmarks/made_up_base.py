"""A base of made-up texts in a folder of its own, each searchable as it is added; no measuring."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from kb_service.domain.documents import ChunkDraft, Page, PageKind, ParsedDocument
from kb_service.domain.spans import TextSpan
from kb_service.language.stated.reading import FactReader
from kb_service.language.stated.sense import LabelSense
from kb_service.model_parts import SENSING_ENCODER
from kb_service.storage.blobs import BlobStore
from kb_service.storage.catalog import Catalog
from kb_service.storage.database import Database, open_database
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.revisions.publishing import RevisionPublisher
from retrievers.embedding import load_embedder

MAX_BYTES = 1_000_000
ENCODER = Path(__file__).parents[1] / "models" / SENSING_ENCODER


@cache
def fact_reader() -> FactReader:
    """Return what reads facts as the service does, with the encoder that is shipped."""
    embedder = load_embedder(str(ENCODER))
    sense = LabelSense(embedder.embed_passages, embedder.profile.fingerprint)
    return FactReader(lambda: sense)


class Base:
    """A base over a database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self._blobs = BlobStore(folder / "blobs")
        self.catalog = Catalog(database, self._blobs)
        self._jobs = JobQueue(database)
        self._publisher = RevisionPublisher(database, self._blobs, reader=fact_reader())
        self.kb_id = self.catalog.bases.create("made up").id

    def add(self, name: str, text: str) -> str:
        """Make a text searchable; return the id of its document."""
        staged = self._blobs.stage(text.encode(), MAX_BYTES)
        outcome = self.catalog.documents.register(self.kb_id, name, staged, "text/plain")
        claim = self._jobs.claim("benchmark")
        if claim is None:
            raise RuntimeError("the job of a document is not there")
        span = TextSpan(0, len(text))
        parsed = ParsedDocument(text, (Page(1, span, PageKind.TEXT),))
        self._publisher.publish(claim, parsed, [ChunkDraft(0, span, text)])
        return outcome.document.id


@contextmanager
def made_up_base() -> Iterator[Base]:
    """Yield an empty base, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'kb.sqlite3'}")
        database.migrate()
        try:
            yield Base(database, Path(folder))
        finally:
            database.close()
