"""What stands in for the local parts: a runner of requests and an embedder, over the pool.

Knows the ports of loaders and embedders; what is done on the far side is the actor's.
"""

import dataclasses
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from ingest.limits import ParseLimits
from kb_service.cluster.actor import shared_model
from kb_service.domain.errors import ComputeError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.ports import Embedder, EmbeddingProfile, Vector
from kb_service.settings import EmbeddingSettings

_START = Progress(JobStage.LOAD, 0, 0)
_TEXTS = 8
"""Of one request to embed: enough to pay for its way."""


class Pool(Protocol):
    """What answers requests, as `ActorPool`."""

    def ask(self, request: Mapping[str, object]) -> Generator[dict[str, Any] | None, None, None]:
        """Yield what is told of a request until it is done."""

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a folder for one request."""


class PooledRunner:
    """Runs requests under limits, each beside an actor. The pool is closed by its owner."""

    def __init__(self, pool: Pool, limits: ParseLimits) -> None:
        self._pool = pool
        self._limits = dataclasses.asdict(limits)

    def run(
        self, request: Mapping[str, object], name: str
    ) -> Generator[Progress | Path, None, None]:
        """Yield progress, then the path of the result, valid until the next step.

        Closing the iterator early ends the work. Raises as `Sandbox`, and ComputeError.
        """
        with self._pool.folder() as folder:
            result = folder / "result"
            sent = {**request, "name": name, "result": str(result), "limits": self._limits}
            yield from self._progress(sent)
            yield result

    def prepare(self, media_type: str) -> None:
        """Have an actor ready for a media type. Raises as `run`."""
        request = {"command": "prepare", "media_type": media_type, "limits": self._limits}
        for _ in self._progress(request):
            pass

    def close(self) -> None:
        """Nothing: the pool goes on for others."""

    def _progress(self, request: Mapping[str, object]) -> Iterator[Progress]:
        progress = _START
        with closing(self._pool.ask(request)) as messages:
            for message in messages:
                if message and "progress" in message:
                    done, total = message["progress"]
                    progress = Progress(JobStage.LOAD, int(done), int(total))
                yield progress


class PooledEmbedder:
    """Passages are embedded by actors; a question is, as ever, by the model of this process."""

    def __init__(
        self, pool: Pool, local: Embedder, settings: EmbeddingSettings, max_actors: int
    ) -> None:
        self._pool = pool
        self._local = local
        self._model = shared_model(settings.model)
        self._threads = settings.threads
        self._max_actors = max_actors

    @property
    def profile(self) -> EmbeddingProfile:
        """The profile of the local model: an actor whose model has another one makes no vector."""
        return self._local.profile

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        return self._local.embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order. Raises ComputeError."""
        parts = [texts[at : at + _TEXTS] for at in range(0, len(texts), _TEXTS)]
        with ThreadPoolExecutor(self._max_actors, "embed") as threads:
            return [vector for part in threads.map(self._embedded, parts) for vector in part]

    def _embedded(self, texts: Sequence[str]) -> list[Vector]:
        size = 4 * self.profile.dimension
        with self._pool.folder() as folder:
            path, result = folder / "texts", folder / "result"
            path.write_text(json.dumps(list(texts)), encoding="utf-8")
            request = {
                "command": "embed",
                "path": str(path),
                "result": str(result),
                "model": self._model,
                "threads": self._threads,
                "fingerprint": self.profile.fingerprint,
            }
            for _ in self._pool.ask(request):
                pass
            data = result.read_bytes()
        if len(data) != size * len(texts):
            raise ComputeError(f"{len(texts)} texts came back as {len(data)} bytes of vectors")
        return [data[at : at + size] for at in range(0, len(data), size)]
