"""What the service is built of: every concrete object that holds something, built when first asked.

Part of the composition root. Nothing connects, loads a model or starts a process before the part
that needs it is first asked for; libraries that are slow to import come with it. What is done with
the parts is the services'.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingest.converters import find_converters
from ingest.converting import ConvertingLoader
from ingest.pictures import PagePictures
from ingest.reading import PageReader, ReadingLoader, reading_limits
from ingest.sandbox import Sandbox, SandboxedLoader
from kb_service.cluster.pool import ActorPool
from kb_service.cluster.ports import PooledEmbedder, PooledRunner
from kb_service.domain.errors import KbError
from kb_service.domain.ports import DerivedFiles, Embedder, RemoteModel
from kb_service.index_parts import index_files, index_root, open_indexes
from kb_service.ingest_limits import parse_limits
from kb_service.language.stated.reading import FactReader
from kb_service.model_parts import Models, dense_weight, label_sense
from kb_service.s3_parts import open_blobs
from kb_service.services.parts import Part
from kb_service.settings import IngestSettings, Settings
from kb_service.storage.answers.buffered import BufferedAnswers
from kb_service.storage.blobs import BlobStore
from kb_service.storage.chunks import SqlIndexSource
from kb_service.storage.database import Database
from kb_service.storage.facts.store import Facts
from kb_service.storage.opening import Storage, migrate_own, open_storage
from kb_service.storage.past import PastIndexSource
from retrievers.fusion import FusionPolicy
from retrievers.reranking import RerankPolicy

if TYPE_CHECKING:
    from retrievers.hybrid import HybridRetriever


class _Closable(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """The parts of one running service."""

    settings: Settings
    models: Models
    blobs: BlobStore
    index_files: DerivedFiles
    storage: Part[Storage]
    answers: Part[BufferedAnswers]
    retriever: "Part[HybridRetriever]"
    actors: Part[ActorPool]
    loader: Part[ConvertingLoader]
    pictures: Part[PagePictures]
    facts: FactReader

    def outage(self) -> KbError | None:
        """Return why a model elsewhere does not answer now, None when it does or none is used."""
        chosen = self.models.generator.built
        if chosen and isinstance(chosen.model, RemoteModel):
            return chosen.model.outage()
        return None

    def outages(self) -> dict[str, KbError | None]:
        """Return why an index or a cluster elsewhere does not serve us, by part; None when it does.

        Without that index words are still found, without that cluster jobs wait.
        """
        retriever, actors = self.retriever.built, self.actors.built
        return {
            "index": retriever.outage() if retriever else None,
            "ray": actors.outage() if actors else None,
        }

    def compute_checks(self) -> dict[str, Callable[[], str]]:
        """Return what `kb doctor` asks of a cluster, nothing where none is used."""
        return {"ray": lambda: self.actors().check()} if self.settings.ray.address else {}

    @property
    def num_embedders(self) -> int:
        """How many passages' embedders work at a time: the actors of a cluster, or this process."""
        ray = self.settings.ray
        return ray.actors if ray.address and ray.embedding else 1

    def passages_by(self, embedder: Embedder) -> Embedder:
        """Return what embeds passages as this embedder does: itself, or actors with its model."""
        settings = self.settings
        is_ours = not (settings.ray.address and settings.ray.embedding)
        if is_ours or embedder.profile.dimension == 0:
            return embedder
        return PooledEmbedder(self.actors(), embedder, settings.embedding, settings.ray.actors)

    def stated(self) -> Facts:
        """Return the facts of all bases."""
        return Facts(self.storage().database, reader=self.facts)

    def drop_index(self, kb_id: str) -> None:
        """Remove the index files of a deleted base; no model is loaded for that."""
        (self.retriever.built or self.index_files).drop(kb_id)

    def close(self) -> None:
        """Release what was opened; safe to call twice."""
        reranker = self.models.reranker.take()
        opened: tuple[_Closable | None, ...] = (
            self.pictures.take(),
            self.loader.take(),
            self.actors.take(),
            self.retriever.take(),
            reranker.model if reranker else None,
            self.answers.take(),
            self.storage.take(),
        )
        for part in opened:
            if part is not None:
                part.close()


def build_parts(
    settings: Settings, models: Models, write_wait_s: float | None = None
) -> ServiceParts:
    """Return the parts of a service. `write_wait_s`: how long a write waits, not the setting."""
    data_dir = settings.data_dir.resolve()
    blobs = open_blobs(settings.blobs, data_dir)
    storage = Part(lambda: open_storage(settings, lambda db: migrate_own(db, blobs), write_wait_s))
    ingest = settings.ingest
    actors = Part(lambda: ActorPool(settings.ray))
    return ServiceParts(
        settings=settings,
        models=models,
        blobs=blobs,
        index_files=index_files(settings),
        storage=storage,
        answers=Part(lambda: BufferedAnswers(storage().database)),
        retriever=Part(lambda: _retriever(settings, models, storage().database)),
        actors=actors,
        loader=Part(lambda: _loader(ingest, blobs, actors() if settings.ray.address else None)),
        pictures=Part(lambda: PagePictures(parse_limits(ingest), ingest.picture_s)),
        facts=FactReader(Part(lambda: label_sense(settings.retrieval, models))),
    )


def _loader(ingest: IngestSettings, blobs: BlobStore, actors: ActorPool | None) -> ConvertingLoader:
    limits = parse_limits(ingest)
    for_pages = reading_limits(limits, ingest.read_page_s)
    reading = ReadingLoader(
        SandboxedLoader(limits, PooledRunner(actors, limits) if actors else None),
        PageReader(PooledRunner(actors, for_pages) if actors else Sandbox(for_pages)),
        kept_at=lambda path: blobs.readings(path.name),
    )
    return ConvertingLoader(reading, find_converters(ingest.converter), limits)


def _retriever(settings: Settings, models: Models, database: Database) -> "HybridRetriever":
    from retrievers.hybrid import HybridRetriever

    rerank, source, embedder = settings.rerank, SqlIndexSource(database), models.embedder().model
    return HybridRetriever(
        source,
        embedder,
        index_root(settings),
        candidates=settings.retrieval.candidates,
        policy=FusionPolicy(dense_weight=dense_weight(settings.retrieval, models)),
        reranker=lambda: models.reranker().model,
        rerank_policy=RerankPolicy(rerank.candidates, rerank.weight),
        past=PastIndexSource(database),
        indexes=open_indexes(settings, source, embedder.profile, database),
    )
