"""In place of an embedding model that cannot be used: no vectors, and the reason for it.

Words and exact identifiers go on finding. Knows no model.
"""

from collections.abc import Sequence

from kb_service.domain.errors import KbError
from kb_service.domain.ports import EmbeddingProfile, Vector

NO_VECTORS = EmbeddingProfile("none", 0, "none")
"""Texts under this profile need no vector and have none."""


class AbsentEmbedder:
    """Implements `domain.ports.Embedder` by refusing with the error that the model was met with."""

    def __init__(self, reason: KbError) -> None:
        self._reason = reason

    @property
    def profile(self) -> EmbeddingProfile:
        return NO_VECTORS

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Nothing for nothing; raises the reason when there is a text."""
        if texts:
            raise self._reason
        return []

    def embed_query(self, text: str) -> Vector:
        """Raises the reason."""
        raise self._reason
