"""Gives searchable texts their vectors, a few at a time, on a thread that steps back for others.

Knows the order: oldest chunks first, a transaction for each few, indexes told when a revision is
done. What is missing is what the database lacks, so a worker that was killed goes on where it was.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import structlog

from kb_service.domain.errors import ComputeError, StorageError
from kb_service.domain.ports import Embedder, Vector
from kb_service.services.keeping import step_back
from kb_service.storage.embeddings import Embeddings, WaitingText

BATCH = 8
"""Texts of a step: a job that comes in waits for so many, half a second, before it is begun."""

REST_S = 15.0
"""After machines that embed for us were found to be away: other work of spare time goes on."""

log = structlog.get_logger("vectors")

Embed = Callable[[list[str]], list[Vector]]


class VectorService:
    """Loads the embedding model with its first use. Belongs to one thread.

    `refresh` publishes the index of a base when that is worth it. `num_embedders`: that
    share a step.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        embedder: Callable[[], Embedder],
        refresh: Callable[[str], None],
        num_embedders: int = 1,
    ) -> None:
        self._embeddings = embeddings
        self._embedder = embedder
        self._refresh = refresh
        self._batch = BATCH * num_embedders
        self._rests_until = 0.0
        self._is_begun = False
        self._after = 0
        self._done_at: dict[str, int] | None = None
        """The heads of all bases when no text waited; None while one may."""
        self._thread: ThreadPoolExecutor | None = None

    def step(self) -> bool:
        """Embed a few texts; False when none waits, or nobody can embed now. Raises StorageError.

        Texts that were not embedded wait on.
        """
        if monotonic() < self._rests_until:
            return False
        try:
            return self._step()
        except ComputeError as error:
            log.warning("texts not embedded", code=error.code, error=error.message)
            self._rests_until = monotonic() + REST_S
            return False

    def _step(self) -> bool:
        heads = self._embeddings.heads()
        if heads == self._done_at:
            return False
        profile = self._embedder().profile
        if not self._is_begun:
            self._embeddings.adopt(profile)
            self._is_begun = True
        waiting = self._embeddings.waiting(profile, self._after, self._batch)
        if waiting:
            self._add(waiting, self._stepping_back)
            self._after = waiting[-1].chunk_id
        elif self._after:
            self._after = 0  # once more from the first: a text may have failed to be stored
        else:
            self._embeddings.settle(profile)
            self._done_at = heads
            return False
        return True

    def catch_up(self, kb_id: str) -> int:
        """Embed at once all that waits in a base; return how many texts. Raises StorageError.

        Vectors of other models go when no base needs the present one's any more.
        """
        embedder, num_texts = self._embedder(), 0
        self._embeddings.adopt(embedder.profile)
        while waiting := self._embeddings.waiting(embedder.profile, 0, self._batch, kb_id):
            num_texts += self._add(waiting, embedder.embed_passages)
        self._embeddings.settle(embedder.profile)
        return num_texts

    def close(self) -> None:
        """End the thread."""
        if self._thread:
            self._thread.shutdown()
            self._thread = None

    def _add(self, waiting: Sequence[WaitingText], embed: Embed) -> int:
        texts = {text.text_sha256: text.text for text in waiting}
        vectors = dict(zip(texts, embed(list(texts.values())), strict=True))
        added = self._embeddings.add(self._embedder().profile, vectors)
        for kb_id in added.kb_ids:
            try:
                self._refresh(kb_id)
            except StorageError as error:
                log.warning("index not published", kb_id=kb_id, error=error.message)
        return added.num_texts

    def _stepping_back(self, texts: list[str]) -> list[Vector]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "vectors", initializer=step_back)
        return self._thread.submit(self._embedder().embed_passages, texts).result()
