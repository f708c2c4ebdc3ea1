"""Which models can be asked by name, and what the embedding model makes of texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.people import Principal
from kb_service.domain.ports import Embedder, Vector
from kb_service.services.bases import BaseService
from kb_service.services.chatting import ChattingService
from kb_service.services.ranges import check_range
from kb_service.services.readiness import ReadinessService


@dataclass(frozen=True, slots=True)
class ServedModels:
    """What can be asked now: the chat model and the embedding model by name, and the bases."""

    chat: str | None
    bases: tuple[KnowledgeBase, ...]
    embedding: str | None


class ModelService:
    """`chatting` and `embedder` load a model when they are first called."""

    def __init__(
        self,
        bases: BaseService,
        readiness: ReadinessService,
        chatting: Callable[[], ChattingService],
        embedder: Callable[[], Embedder],
    ) -> None:
        self._bases = bases
        self._readiness = readiness
        self._chatting = chatting
        self._embedder = embedder

    def served(self, who: Principal) -> ServedModels:
        """Return what this one can ask now; waits for no model. Raises StorageError."""
        waiting = self._readiness.waiting()
        chat = None if "generator" in waiting else self._chatting().info
        is_missing = "embedder" in waiting | self._readiness.replaced()
        return ServedModels(
            chat.name if chat else None,
            tuple(base for base in self._bases.every() if who.sees(base.id)),
            None if is_missing else self._embedder().profile.name,
        )

    def embed(self, model: str, texts: Sequence[str], dimensions: int | None) -> Sequence[Vector]:
        """Return one vector for each text, as passages are embedded.

        Raises NotFound (model_not_found), InvalidRequest.
        """
        profile = self._embedder().profile
        if model != profile.name:
            raise NotFound(f"no embedding model {model!r}", code="model_not_found")
        check_range("dimensions", dimensions, profile.dimension, profile.dimension)
        if not all(text.strip() for text in texts):
            raise InvalidRequest(
                "input has an empty text; expected at least 1 character in each",
                details={"name": "input"},
            )
        return self._embedder().embed_passages(texts)
