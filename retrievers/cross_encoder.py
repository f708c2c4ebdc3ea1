"""Scores pairs of question and text with a cross-encoder from a folder on this machine.

Knows two ways to run one (a small BERT by numpy, everything else by sentence-transformers) and a
thread of its own for it. Checks the files of a model before it trusts them. Knows no clock, so a
busy machine changes no score, and not what the scores are used for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.extras import extra_needed
from retrievers.small_bert import SmallBert, small_bert_config

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

log = structlog.get_logger("reranker")

BATCH_SIZE = 5
"""Pairs of one forward pass; between two of them those of another question may be read."""
MAX_TOKENS = 512
"""Longer pairs are cut, whatever the model would take: a chunk and a question are shorter."""
CONFIG_FILE, WEIGHTS_PATTERN = "config.json", "*.safetensors"


class PairModel(Protocol):
    """A model that reads question and text together."""

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One score a pair, in one pass."""


class CrossEncoderReranker:
    """Implements `domain.ports.Reranker`. One pass runs at a time; who comes later waits."""

    def __init__(self, folder: Path, *, num_threads: int) -> None:
        """Raises ConfigurationError: model_unavailable or model_corrupt, naming the folder."""
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, "reranker")
        self._model = _model_of(folder, num_threads, self._thread)
        self._try_once()

    @property
    def name(self) -> str:
        return self._folder.name

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return the model's logits of the texts; of those before a pass that was not finite."""
        scores: list[float] = []
        for start in range(0, len(texts), BATCH_SIZE):
            batch = [(question, text) for text in texts[start : start + BATCH_SIZE]]
            found = self._thread.submit(self._model.logits, batch).result()
            if not all(map(math.isfinite, found)):
                log.error("scores are not finite", model=str(self._folder))
                break
            scores += found
        return scores

    def close(self) -> None:
        """End the thread after the pass that it may be in."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _try_once(self) -> None:
        """See that the weights fit the tokenizer, and let the first question find a warm model."""
        try:
            scores = self._thread.submit(self._model.logits, [("a", "b")] * BATCH_SIZE).result()
        except (RuntimeError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            self.close()
            raise _corrupt(f"{self._folder} cannot score a pair: {error}", self._folder) from error
        if not all(map(math.isfinite, scores)):
            self.close()
            raise _corrupt(f"{self._folder} scores a pair {scores[0]}, not a number", self._folder)


def load_reranker(folder: Path, *, num_threads: int = 1) -> CrossEncoderReranker:
    """The reranker of a folder in the layout of sentence-transformers' CrossEncoder, or of a
    transformers model for sequence classification with one label.

    Raises ConfigurationError: `model_unavailable` naming the folder, `model_corrupt` naming the
    file with its expected and found checksum.
    """
    if not folder.is_dir():
        raise _unavailable(
            f"reranking model folder {folder} does not exist; "
            "give a folder in the layout of a sentence-transformers CrossEncoder",
            folder,
        )
    verify_checksums(folder)
    if not (folder / CONFIG_FILE).is_file() or not any(folder.glob(WEIGHTS_PATTERN)):
        raise _unavailable(
            f"{folder} is not a reranking model: {CONFIG_FILE} and weights in {WEIGHTS_PATTERN} "
            "are expected in it",
            folder,
        )
    return CrossEncoderReranker(folder, num_threads=num_threads)


def _model_of(folder: Path, num_threads: int, thread: ThreadPoolExecutor) -> PairModel:
    config = small_bert_config(folder)
    if config is not None:
        return SmallBert(folder, config, num_threads=num_threads)
    model = LibraryModel(folder)
    _bound_threads(thread, num_threads)
    return model


class LibraryModel:
    """Any cross-encoder that sentence-transformers loads, in float32."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigurationError: model_unavailable or model_corrupt, naming the folder."""
        self._model = _load(folder)

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One score a pair, in one pass."""
        from torch import nn

        logits = self._model.predict(
            list(pairs), batch_size=len(pairs), activation_fn=nn.Identity(), show_progress_bar=False
        )
        return [float(logit) for logit in logits]


def _load(folder: Path) -> CrossEncoder:
    with extra_needed("llm", f"the reranking model {folder}"):
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            # Half precision, in which some are released, is slower than float32 on a CPU.
            model_kwargs={"use_safetensors": True, "dtype": "float32"},
        )
    except SafetensorError as error:
        raise _corrupt(f"weights of {folder} cannot be read: {error}", folder) from error
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise _unavailable(f"reranking model {folder} cannot be loaded: {error}", folder) from error
    if model.num_labels != 1:
        raise _unavailable(f"{folder} has {model.num_labels} labels; a reranker has 1", folder)
    model.eval()
    model.max_seq_length = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    return model


def _bound_threads(thread: ThreadPoolExecutor, num_threads: int) -> None:
    """Bound what passes in that thread use; every other thread of this process keeps its bound."""
    import torch

    def bound() -> None:
        torch.set_num_threads(num_threads)
        torch.get_num_threads()  # the first use in a thread is what makes the number its own

    before = torch.get_num_threads()
    thread.submit(bound).result()
    # torch also made that number the default of threads that start later.
    torch.set_num_threads(before)


def _unavailable(message: str, folder: Path) -> ConfigurationError:
    return ConfigurationError(message, code="model_unavailable", details={"path": str(folder)})


def _corrupt(message: str, folder: Path) -> ConfigurationError:
    return ConfigurationError(message, code="model_corrupt", details={"file": str(folder)})
