"""A pocket reader's folder: how likely words of a sentence are to answer a question.

Runs llm's loaded model over the words that may answer. Checks every file before it trusts it. Knows
no documents, no retrieval and no candidates.

N tokens of all branches and their prompt together, K branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.spans import TextSpan
from kb_service.generation.pocket_folder import CONFIG_FILE, READER_FIELD, is_pocket_reader
from kb_service.generation.pocket_prompt import ReaderTokenizer, answer_range, prompt_of
from kb_service.storage.checksums import require_listed, verify_checksums
from llm.checkpoints.checkpoint import load_model
from llm.checkpoints.weight_files import weight_files
from llm.models.model import ChatGLM
from llm.models.packed import block_forward, layers_of
from llm.models.rope import rotation
from llm.tokenizers.sentence_pieces import TOKENIZER_FILE

LENGTH_EXPONENT = 0.5
"""A candidate's log-probability is divided by its number of tokens to this power."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Sentence ``number`` from 1 and the span of the answer in it; 0 and None when none answers.

    ``log_probability`` of the words, the end included, given the sentence's number;
    ``citation`` is the probability of that number.
    """

    number: int
    span: TextSpan | None
    log_probability: float
    citation: float
    num_tokens: int

    @property
    def confidence(self) -> float:
        """Log-probability, evened out over the length."""
        evened: float = self.log_probability / max(1, self.num_tokens) ** LENGTH_EXPONENT
        return evened


@dataclass(frozen=True, slots=True)
class Origin:
    """The folder a reader came from, and the SHA-256 of its weights and its tokenizer."""

    name: str
    weights: str
    tokenizer: str


class PocketReader:
    """A model folder as a judge of words. `score` keeps no state: threads may share a reader."""

    def __init__(
        self, model: ChatGLM, tokenizer: ReaderTokenizer, origin: Origin | None = None
    ) -> None:
        self._model = model.float()
        self._tokenizer = tokenizer
        self.origin = origin or Origin("pocket-reader", "", "")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the folder with llm's loader, every file checked against its checksum first.

        Raises:
            ConfigurationError: a file that is not the one that was shipped (`model_corrupt`).
            CheckpointError: naming what was expected and what was found.
        """
        checksums = verify_checksums(folder)
        weights = _only_weights(folder)
        files = [folder / CONFIG_FILE, folder / TOKENIZER_FILE, weights]
        require_listed(folder, files, checksums)
        if not is_pocket_reader(folder):
            raise _refused(folder / CONFIG_FILE, f"it has no field {READER_FIELD}")
        origin = Origin(folder.resolve().name, checksums[weights.name], checksums[TOKENIZER_FILE])
        return cls(load_model(folder, device="cpu"), ReaderTokenizer(folder), origin)

    @property
    def shape(self) -> str:
        """Layers, channels and number of weights, in words."""
        config = self._model.config
        millions = config.num_parameters / 1e6
        return f"{config.num_layers} layers of {config.hidden_size}, {millions:.1f} M weights"

    @torch.inference_mode()
    def score(
        self, question: str, sentences: Sequence[str], number: int, spans: Sequence[TextSpan]
    ) -> list[Reading]:
        """How likely each span of sentence ``number`` is, all in one pass; spans as given."""
        prompt = prompt_of(question, sentences, self._tokenizer)
        offset = prompt.offsets[number - 1]
        mark = self._tokenizer.mark_ids[number]
        ranges = [answer_range(prompt.pieces, offset + s.start, offset + s.end) for s in spans]
        texts = [prompt.pieces.ids[first:last] for first, last in ranges]
        scores = self._branches((*prompt.ids, mark), texts)
        readings = []
        for span, ids, rows in zip(spans, texts, scores, strict=True):
            targets = torch.tensor([*ids, self._tokenizer.eos_id])
            chances = torch.log_softmax(rows, dim=-1).gather(1, targets[:, None])
            readings.append(Reading(number, span, float(chances.sum()), 1.0, len(targets)))
        return readings

    def _branches(self, prompt: Sequence[int], branches: Sequence[Sequence[int]]) -> list[Tensor]:
        """Scores of what follows the prompt and each token of each branch: (K) of (1 + n, V).

        All branches share one pass: a token sees the prompt and the tokens of its own branch.
        """
        length = len(prompt)
        flat = [token for branch in branches for token in branch]
        ids = torch.tensor([*prompt, *flat])
        owner = torch.tensor([0] * length + [n for n, b in enumerate(branches, 1) for _ in b])
        places = [*range(length), *(length + i for branch in branches for i in range(len(branch)))]
        index = torch.arange(len(ids))
        seen = (index[:, None] >= index) & ((owner[:, None] == owner) | (owner == 0))
        model = self._model
        cos, sin = rotation(torch.tensor(places)[:, None], model.config)
        x = model.embedding(ids)[None]  # (1, N, C)
        for block in layers_of(model):
            x = block_forward(block, x, cos[None], sin[None], seen[None, None])
        states = model.final_norm(x)[0]
        rows, start = [], length
        for branch in branches:
            picked = torch.tensor([length - 1, *range(start, start + len(branch))])
            rows.append(model.head(states[picked]))
            start += len(branch)
        return rows


def _only_weights(folder: Path) -> Path:
    files = weight_files(folder)
    if len(files) > 1:
        raise _refused(folder, f"its weights are {len(files)} files; expected one")
    return files[0]


def _refused(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no pocket reader: {reason}", code="model_corrupt", details={"file": str(path)}
    )
