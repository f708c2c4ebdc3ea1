"""Opens a run: the words of the reranker before it, the lists and the first weights put together.

Knows which file is where. Knows neither the loss nor the layout of a released folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from training.reranker.lists import read_lists
from training.reranker.network import FloatArray, build
from training.reranker.recipe import Recipe
from training.reranker.tokens import CLS, PAD, SEP
from training.reranker.trainer import Batches, Run, Tokens

WORDS = "bert.embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Words:
    """The pair tokenizer of a reranker, and what stood at (V, channels) of its pieces.

    Its control tokens follow the pieces and have no row.
    """

    tokenizer: Tokenizer
    table: FloatArray

    @property
    def tokens(self) -> Tokens:
        """Ids of the control tokens."""
        pad, cls, sep = (self.tokenizer.token_to_id(name) or 0 for name in (PAD, CLS, SEP))
        return Tokens(pad, cls, sep)


def words_of(reranker: Path) -> Words:
    """Read the words of a reranker. FileNotFoundError where it is none.

    They hardly move in training, so a run begins where the one before it began.
    """
    table = load_file(reranker / "model.safetensors")[WORDS].astype(np.float32)
    tokenizer: Tokenizer = Tokenizer.from_file(str(reranker / "tokenizer.json"))
    return Words(tokenizer, table[: tokenizer.token_to_id(PAD)])


def open_run(
    folder: Path, lists: Path, words_from: Path, recipe: Recipe, *, device: str, num_threads: int
) -> Run:
    """A run at its first step. ValueError: the words are of a model of another width."""
    torch.set_num_threads(num_threads)
    words = words_of(words_from)
    model = build(words.table, words.tokenizer.get_vocab_size(), recipe.size, recipe.seed)
    batches = Batches(read_lists(lists), words.tokens, recipe, device)
    return Run(folder, model, batches, recipe, device)
