"""Turns texts into unit vectors with a pretrained encoder, without torch.

Knows pooling, prompts and where a text is cut. Does not know what the vectors are compared with.

T tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.encoder.arithmetic import FloatArray
from kb_service.encoder.folder import is_encoder, open_encoder, read_config
from kb_service.encoder.kernel import Kernel

MAX_TOKENS = 512
_POOLING = "mean"


def is_pretrained(folder: Path) -> bool:
    """Whether the folder is an encoder that says how its states become a vector.

    Raises ConfigurationError `model_corrupt` for a configuration that is not JSON.
    """
    return is_encoder(folder) and read_config(folder).get("pooling") == _POOLING


class PretrainedEmbedder:
    """The mean of the last states of a text's tokens, L2-normalised; longer texts are cut.

    A text has the same vector whatever is embedded beside it.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        *,
        num_threads: int = 1,
        kernel: Kernel | None = None,
    ) -> None:
        """Raises ConfigurationError `model_corrupt` naming the file."""
        encoder = open_encoder(folder, num_threads=num_threads, kernel=kernel)
        self._bert, self._tokenizer = encoder.bert, encoder.tokenizer
        self._max_tokens = min(MAX_TOKENS, self._bert.max_tokens)
        self._query_prompt = encoder.prompts.get("query", "")
        self._passage_prompt = encoder.prompts.get("passage", "")
        self._profile = EmbeddingProfile(folder.name, self._bert.num_channels, fingerprint)

    @property
    def profile(self) -> EmbeddingProfile:
        return self._profile

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """One vector per text, in order."""
        return self._embed([self._passage_prompt + text for text in texts])

    def embed_query(self, text: str) -> Vector:
        """The vector of a question."""
        return self._embed([self._query_prompt + text])[0]

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = [
            encoding.ids if len(encoding.ids) <= self._max_tokens else self._cut(text)
            for text, encoding in zip(texts, encodings, strict=True)
        ]
        return [_unit(states) for states in self._bert.hidden(ids)]

    def _cut(self, text: str) -> list[int]:
        """The ids of the beginning of a long text: the tokenizer, which others share, cuts none."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(
            self._max_tokens - self._tokenizer.num_special_tokens_to_add(is_pair=False)
        )
        ids: list[int] = self._tokenizer.post_process(encoding).ids
        return ids


def _unit(states: FloatArray) -> Vector:
    """(T, C) -> the bytes of (C,)."""
    mean: FloatArray = states.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    return bytes(mean.astype("<f4").tobytes())
