"""Opens a run: the static embedding model's words, the lists and the first weights put together.

Knows which file is where. Knows neither the loss nor the layout of a released folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from training.model_folder import TABLE_FOLDER
from training.reranker.lists import read_lists
from training.reranker.network import FloatArray, build
from training.reranker.recipe import Recipe
from training.reranker.tokens import CLS, PAD, SEP, pair_tokenizer
from training.reranker.trainer import Batches, Run, Tokens


@dataclass(frozen=True, slots=True)
class Words:
    """The pair tokenizer and the static vectors (V, static dimensions) of its pieces."""

    tokenizer: Tokenizer
    table: FloatArray

    @property
    def tokens(self) -> Tokens:
        """Ids of the control tokens."""
        pad, cls, sep = (self.tokenizer.token_to_id(name) or 0 for name in (PAD, CLS, SEP))
        return Tokens(pad, cls, sep)


def words_of(embedding: Path) -> Words:
    """Read a static embedding model. FileNotFoundError where it is not one."""
    module = embedding / TABLE_FOLDER
    table = load_file(module / "model.safetensors")["embedding.weight"]
    return Words(pair_tokenizer(module / "tokenizer.json"), table)


def open_run(
    folder: Path, lists: Path, embedding: Path, recipe: Recipe, *, device: str, num_threads: int
) -> Run:
    """A run at its first step."""
    torch.set_num_threads(num_threads)
    words = words_of(embedding)
    model = build(words.table, words.tokenizer.get_vocab_size(), recipe.size, recipe.seed)
    batches = Batches(read_lists(lists), words.tokens, recipe, device)
    return Run(folder, model, batches, recipe, device)
