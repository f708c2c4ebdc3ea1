"""Turns texts into unit vectors with a sentence-transformers model, and says which model it was.

Knows two kinds of folder: a pretrained encoder, which `retrievers.pretrained` reads without torch,
and every other sentence-transformers model, which that library reads. Checks the files of a model
against its checksums before it trusts them. Does not know what the vectors are compared with.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kb_service.checksums import (
    CHECKSUMS_FILE,
    PLAIN_CHECKSUMS_FILE,
    verify_checksums,
)
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.extras import extra_needed
from kb_service.domain.hashing import sha256_of_file
from kb_service.domain.ports import Embedder, EmbeddingProfile, Vector
from retrievers.pretrained import PretrainedEmbedder, is_pretrained

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from kb_service.encoder.kernel import Kernel

POOLING_VERSION = "mean-l2-1"
_PAPERS = frozenset(("LICENSE", CHECKSUMS_FILE, PLAIN_CHECKSUMS_FILE))
FloatArray = npt.NDArray[np.float32]


def _unavailable(message: str, path: str) -> ConfigurationError:
    return ConfigurationError(message, code="model_unavailable", details={"path": path})


def _corrupt(message: str, **details: object) -> ConfigurationError:
    return ConfigurationError(message, code="model_corrupt", details=details)


def fingerprint_of(folder: Path) -> str:
    """SHA-256 over the names and contents of all model files and the pooling version.

    Papers beside the model (``*.md``, ``LICENSE``) and the list of checksums do not count.
    """
    digest = hashlib.sha256(POOLING_VERSION.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".md" or path.name in _PAPERS:
            continue
        digest.update(f"\n{path.relative_to(folder).as_posix()} {sha256_of_file(path)}".encode())
    return digest.hexdigest()


def _vectors_of(matrix: FloatArray) -> list[Vector]:
    return [row.tobytes() for row in matrix.astype("<f4", copy=False)]


def _prompt(prompts: Mapping[str, str | None], names: Sequence[str]) -> str:
    return next((prompt for name in names if (prompt := prompts.get(name))), "")


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, on its own device, vectors L2-normalised.

    Costs the import of torch and of that library. A name that is not a folder is looked up in the
    local cache only, unless ``allow_download`` is set and HF_HUB_OFFLINE is not.
    """

    def __init__(self, name_or_folder: str, *, allow_download: bool = False) -> None:
        """Raises ConfigurationError model_unavailable where the model cannot be loaded."""
        self._model = _load_model(name_or_folder, allow_download)
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise _unavailable(f"{name_or_folder} does not say its dimension", name_or_folder)
        prompts = self._model.prompts or {}
        self._query_prompt = _prompt(prompts, ("query",))
        self._passage_prompt = _prompt(prompts, ("document", "passage", "corpus"))
        folder = Path(name_or_folder)
        fingerprint = fingerprint_of(folder) if folder.is_dir() else self._weights_fingerprint()
        self._profile = EmbeddingProfile(folder.name, int(dimension), fingerprint)

    @property
    def profile(self) -> EmbeddingProfile:
        return self._profile

    def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """One vector per text, in order."""
        return self._embed(texts, self._passage_prompt)

    def embed_query(self, text: str) -> Vector:
        """The vector of a question."""
        return self._embed([text], self._query_prompt)[0]

    def _embed(self, texts: Sequence[str], prompt: str) -> list[Vector]:
        if not texts:
            return []
        matrix = self._model.encode(
            list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False
        )
        return _vectors_of(np.asarray(matrix, dtype=np.float32))

    def _weights_fingerprint(self) -> str:
        digest = hashlib.sha256(f"{POOLING_VERSION}\n{self._model}".encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            values = tensor.detach().cpu().float().numpy()
            digest.update(name.encode() + struct.pack("<q", values.size) + values.tobytes())
        return digest.hexdigest()


def _load_model(name_or_folder: str, allow_download: bool) -> SentenceTransformer:
    with extra_needed("llm", f"the embedding model {name_or_folder}"):
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer

    offline = not allow_download or os.environ.get("HF_HUB_OFFLINE", "0") not in {"", "0"}
    try:
        return SentenceTransformer(
            name_or_folder, local_files_only=offline, trust_remote_code=False
        )
    except SafetensorError as error:
        raise _corrupt(
            f"weights of {name_or_folder} cannot be read: {error}", file=name_or_folder
        ) from error
    except Exception as error:  # of a damaged tokenizer the library raises no narrower class
        switch = "KB_EMBEDDING__ALLOW_DOWNLOAD=true allows a download"
        hint = f" (looked for on this machine only; {switch})" if offline else ""
        raise _unavailable(
            f"embedding model {name_or_folder} cannot be loaded{hint}: {error}", name_or_folder
        ) from error


def _looks_like_path(name_or_folder: str) -> bool:
    path = Path(name_or_folder)
    return (
        path.is_absolute() or name_or_folder.startswith((".", "~")) or path.parts[:1] == ("models",)
    )


def load_embedder(
    name_or_folder: str,
    *,
    allow_download: bool = False,
    num_threads: int = 1,
    kernel: Kernel | None = None,
) -> Embedder:
    """The embedder for a model folder or, where no such folder exists, for a model name.

    ``num_threads`` and ``kernel`` (numpy's where none is given): of a pretrained encoder.

    Raises ConfigurationError: ``model_unavailable`` naming the path or model, ``model_corrupt``
    naming the file with its expected and found checksum.
    """
    try:
        folder = Path(name_or_folder).expanduser()
    except RuntimeError as error:
        raise _unavailable(
            f"embedding model folder {name_or_folder} does not exist: no such user", name_or_folder
        ) from error
    if folder.is_dir():
        verify_checksums(folder)
        if is_pretrained(folder):
            return PretrainedEmbedder(
                folder, fingerprint_of(folder), num_threads=num_threads, kernel=kernel
            )
        return SentenceTransformerEmbedder(str(folder))
    if not name_or_folder or _looks_like_path(name_or_folder):
        raise _unavailable(
            f"embedding model folder {folder} does not exist; "
            "give a sentence-transformers folder or a model name",
            str(folder),
        )
    return SentenceTransformerEmbedder(name_or_folder, allow_download=allow_download)
