"""Scores pairs with a small BERT classifier by numpy alone, without the seconds torch loads for.

Knows a head of one label and how pairs are cut. Knows no layer, no clock and no order.

B pairs, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb_service.encoder.arithmetic import FloatArray
from kb_service.encoder.bert import BertShape
from kb_service.encoder.folder import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    corrupt,
    fitted_bert,
    open_tokenizer,
    read_config,
    require_words,
    shape_of,
)
from kb_service.encoder.tensors import open_tensors

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
MAX_BYTES = 40_000_000
"""Larger models gain more from torch than they lose while it is loaded."""


@dataclass(frozen=True, slots=True)
class BertConfig:
    """What the JSON files say."""

    shape: BertShape
    max_tokens: int


def small_bert_config(folder: Path) -> BertConfig | None:
    """The shape of a small BERT classifier of one label; None for any other model.

    Raises ConfigurationError `model_corrupt` where config.json does not say what it must.
    """
    files = [folder / WEIGHTS_FILE, folder / TOKENIZER_FILE, folder / TOKENIZER_CONFIG_FILE]
    if not all(file.is_file() for file in files) or files[0].stat().st_size > MAX_BYTES:
        return None
    config = read_config(folder)
    expected = {
        "architectures": ["BertForSequenceClassification"],
        "hidden_act": "gelu",
        "type_vocab_size": 2,
    }
    if any(config.get(key) != value for key, value in expected.items()):
        return None
    if len(config.get("id2label") or ()) != 1:
        return None
    return BertConfig(shape_of(folder, config), _max_tokens(folder, config))


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    limit = read_config(folder, TOKENIZER_CONFIG_FILE).get("model_max_length")
    try:
        positions = int(config["max_position_embeddings"])
        return positions if limit is None else min(positions, int(limit))
    except (KeyError, TypeError, ValueError) as error:
        path = folder / CONFIG_FILE
        raise corrupt(f"{path} does not give the shape of a BERT: {error!r}", path) from error


class SmallBert:
    """A BERT classifier of one label; its logits equal those of transformers."""

    def __init__(self, folder: Path, config: BertConfig, *, num_threads: int) -> None:
        """Raises ConfigurationError `model_corrupt` naming the file."""
        path = folder / WEIGHTS_FILE
        tensors = _without_prefix(open_tensors(path))
        self._bert = fitted_bert(tensors, config.shape, path, num_threads=num_threads)
        self._pooler, self._classifier = (
            _affine(tensors, name, path) for name in ("pooler.dense", "classifier")
        )
        self._tokenizer = open_tokenizer(folder / TOKENIZER_FILE)
        if self._bert.max_tokens < config.max_tokens:
            num_rows = self._bert.max_tokens
            what = f"{path} has {num_rows} position_embeddings; {config.max_tokens} are needed"
            raise corrupt(what, path)
        require_words(self._bert, self._tokenizer, path)
        self._tokenizer.enable_truncation(config.max_tokens)

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One score a pair."""
        encodings = self._tokenizer.encode_batch(list(pairs))
        firsts = self._bert.hidden(
            [encoding.ids for encoding in encodings],
            [encoding.type_ids for encoding in encodings],
            num_asked=1,
        )
        return [self._logit(first) for first in firsts]

    def _logit(self, first: FloatArray) -> float:
        """(1, C) -> a score."""
        weight, bias = self._pooler
        pooled = np.tanh(first @ weight.T + bias)
        weight, bias = self._classifier
        return float((pooled @ weight.T + bias)[0, 0])


def _without_prefix(tensors: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name.removeprefix("bert."): tensors[name] for name in tensors}


def _affine(
    tensors: Mapping[str, FloatArray], name: str, path: Path
) -> tuple[FloatArray, FloatArray]:
    try:
        return tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    except KeyError as error:
        raise corrupt(f"{path} does not hold {error}", path) from error
