"""The services over a data folder, as one process has them. Models are replaced by small ones.

The processes that parse files are started once and shared: they keep nothing of a folder.
"""

import logging
import shutil
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from ingest.reading import PageReader, ReadingLoader, reading_sandbox
from ingest.sandbox import SandboxedLoader
from kb_service.bootstrap import compose
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.ingest_limits import parse_limits
from kb_service.language.text import index_terms
from kb_service.model_parts import build_models
from kb_service.parts import build_parts
from kb_service.services.parts import Chosen, Part
from kb_service.services.sketching import SketchService
from kb_service.services.vectors import VectorService
from kb_service.services.worker import new_worker_id, release_dead_workers
from kb_service.settings import (
    IngestSettings,
    ReaderSettings,
    RerankSettings,
    RetrievalSettings,
    Settings,
    StorageSettings,
    SyncSettings,
)
from kb_service.storage.database import open_database
from kb_service.storage.embeddings import Embeddings
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.revisions.store import Revisions

DIMENSION = 16


class TermEmbedder:
    """A unit vector of the terms of a text, each in the direction that its sum names."""

    profile = EmbeddingProfile("terms", DIMENSION, "7e" * 32)

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a text."""
        sums = [1e-3] * DIMENSION
        for term in index_terms(text):
            sums[zlib.crc32(term.encode()) % DIMENSION] += 1.0
        length = sum(value * value for value in sums) ** 0.5
        return struct.pack(f"<{DIMENSION}f", *(value / length for value in sums))


class Parsers:
    """The processes that parse files; closed once, by who made them."""

    def __init__(self) -> None:
        self.limits = parse_limits(IngestSettings())
        self._sandbox = SandboxedLoader(self.limits)
        self._reader = PageReader(reading_sandbox(self.limits, IngestSettings().read_page_s))

    def loader(self, kept_at: Callable[[Path], Path]) -> ReadingLoader:
        """Return the loader of a folder; to be left open."""
        return _LeftOpen(self._sandbox, self._reader, kept_at=kept_at)

    def close(self) -> None:
        """End the processes."""
        self._sandbox.close()
        self._reader.close()


class _LeftOpen(ReadingLoader):
    def close(self) -> None:
        """Leave the processes to the others."""


class Hand:
    """The services of one process over a folder, and what its worker does in spare time."""

    def __init__(self, folder: Path, parsers: Parsers) -> None:
        settings = settings_of(folder)
        models = replace(build_models(settings), embedder=Part(lambda: Chosen(TermEmbedder())))
        parts = build_parts(settings, models)
        blobs = parts.blobs
        loader = Part(lambda: parsers.loader(lambda path: blobs.readings(path.name)))
        self.parts = replace(parts, loader=loader)
        self.services = compose(self.parts)
        self.database = self.parts.storage().database
        self.jobs = JobQueue(self.database)
        retriever = self.parts.retriever
        self._vectors = VectorService(
            Embeddings(self.database), TermEmbedder, lambda kb: retriever().refresh(kb)
        )

    def work(self, kb_id: str) -> None:
        """Bring every waiting job of a base to its end."""
        release_dead_workers(self.jobs)
        waiting = [
            state.job.id
            for state in self.services.documents.every(kb_id)
            if state.job and state.job.finished_at is None
        ]
        self.services.intake.ingest(waiting)

    def rest(self) -> None:
        """Do what a worker does when it has no job."""
        sketches = SketchService(Revisions(self.database))
        for step in (self._vectors.step, self.services.facts.step, sketches.step):
            while step():
                pass

    def abandon(self) -> None:
        """Take a job, and be gone."""
        self.jobs.claim(new_worker_id())

    def close(self) -> None:
        """Release everything, as the end of a process does."""
        self._vectors.close()
        self.services.close()


def settings_of(folder: Path) -> Settings:
    """Return the settings of a folder: small models only, nothing kept back."""
    return Settings(
        data_dir=folder,
        retrieval=RetrievalSettings(dense_weight=0.3),
        rerank=RerankSettings(model=""),
        reader=ReaderSettings(model=""),
        storage=StorageSettings(reserve_bytes=0),
        sync=SyncSettings(settle_s=0),
    )


def new_folder(place: Path, template: Path) -> Path:
    """Make a data folder with an empty database, copied from one that was migrated."""
    if not template.exists():
        database = open_database(f"sqlite:///{template}")
        database.migrate()
        database.close()
    place.mkdir(parents=True, mode=0o700)
    shutil.copy(template, place / "kb.sqlite3")
    return place


def be_quiet() -> None:
    """Log errors only: a failed file is a part of many histories."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
