"""Scores pairs with a small BERT classifier by numpy alone, without the seconds torch loads for.

Knows the BERT layout (Devlin et al. 2019) and a tokenizer file. Knows no clock and no order.

B pairs, T tokens of the longest, C channels, H heads, D = C / H.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_service.domain.errors import ConfigurationError

FloatArray = npt.NDArray[np.float32]
CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE = "config.json", "model.safetensors", "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
MAX_BYTES = 40_000_000
"""Larger models gain more from torch than they lose while it is loaded."""
_HIDDEN = -1e9


@dataclass(frozen=True, slots=True)
class BertConfig:
    """What config.json says of the shape."""

    num_layers: int
    num_heads: int
    epsilon: float
    max_tokens: int


def small_bert_config(folder: Path) -> BertConfig | None:
    """The shape of a small BERT classifier of one label; None for any other model.

    Raises ConfigurationError `model_corrupt` where config.json does not say what it must.
    """
    files = [folder / WEIGHTS_FILE, folder / TOKENIZER_FILE, folder / TOKENIZER_CONFIG_FILE]
    if not all(file.is_file() for file in files) or files[0].stat().st_size > MAX_BYTES:
        return None
    config = _read_json(folder / CONFIG_FILE)
    expected = {
        "architectures": ["BertForSequenceClassification"],
        "hidden_act": "gelu",
        "type_vocab_size": 2,
    }
    if any(config.get(key) != value for key, value in expected.items()):
        return None
    if len(config.get("id2label") or ()) != 1:
        return None
    try:
        return _shape(config, _read_json(folder / TOKENIZER_CONFIG_FILE))
    except (KeyError, TypeError, ValueError) as error:
        path = folder / CONFIG_FILE
        raise _corrupt(f"{path} does not give the shape of a BERT: {error!r}", path) from error


def _shape(config: dict[str, Any], tokenizer: dict[str, Any]) -> BertConfig:
    limit, positions = tokenizer.get("model_max_length"), int(config["max_position_embeddings"])
    return BertConfig(
        num_layers=int(config["num_hidden_layers"]),
        num_heads=int(config["num_attention_heads"]),
        epsilon=float(config["layer_norm_eps"]),
        max_tokens=positions if limit is None else min(positions, int(limit)),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _corrupt(f"{path} cannot be read as JSON: {error}", path) from error
    if not isinstance(content, dict):
        raise _corrupt(f"{path} is not a JSON object", path)
    return content


class SmallBert:
    """A BERT classifier of one label; its logits equal those of transformers."""

    def __init__(self, folder: Path, config: BertConfig, *, num_threads: int) -> None:
        """Raises ConfigurationError `model_corrupt` naming the file."""
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped] # no stubs
        from tokenizers import Tokenizer

        self._config = config
        self._weights = _read_weights(folder / WEIGHTS_FILE)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        except Exception as error:  # the library raises no narrower class
            path = folder / TOKENIZER_FILE
            raise _corrupt(f"{path} cannot be read: {error}", path) from error
        self._require_rows(folder, "position_embeddings", config.max_tokens)
        self._require_rows(folder, "word_embeddings", 1 + max(self._tokenizer.get_vocab().values()))
        self._tokenizer.enable_truncation(config.max_tokens)
        self._tokenizer.no_padding()
        self._blas, self._num_threads = ThreadpoolController(), num_threads

    def _require_rows(self, folder: Path, table: str, num_needed: int) -> None:
        """Refuse at the start what only a long or rare text would run into."""
        num_rows = len(self._weights.get(f"bert.embeddings.{table}.weight", ()))
        if num_rows < num_needed:
            path = folder / WEIGHTS_FILE
            raise _corrupt(f"{path} has {num_rows} {table}; {num_needed} are needed", path)

    def logits(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One score a pair, in one pass."""
        encodings = self._tokenizer.encode_batch(list(pairs))
        longest = max(len(encoding.ids) for encoding in encodings)
        ids, types, mask = (np.zeros((len(pairs), longest), dtype=np.int64) for _ in range(3))
        for row, encoding in enumerate(encodings):
            count = len(encoding.ids)
            ids[row, :count], types[row, :count] = encoding.ids, encoding.type_ids
            mask[row, :count] = 1
        with self._blas.limit(limits=self._num_threads, user_api="blas"):
            scores = self._forward(ids, types, mask)
        return [float(score) for score in scores]

    def _forward(
        self,
        ids: npt.NDArray[np.int64],
        types: npt.NDArray[np.int64],
        mask: npt.NDArray[np.int64],
    ) -> FloatArray:
        """(B, T) each -> (B,)."""
        at = "bert.embeddings."
        hidden = self._weights[f"{at}word_embeddings.weight"][ids]  # (B, T, C)
        hidden = hidden + self._weights[f"{at}position_embeddings.weight"][: ids.shape[1]]
        hidden += self._weights[f"{at}token_type_embeddings.weight"][types]
        hidden = self._normed(hidden, f"{at}LayerNorm")
        hiding = np.where(mask[:, None, None, :] == 1, 0.0, _HIDDEN).astype(np.float32)
        for number in range(self._config.num_layers):
            # Of the last layer only the first token's state is asked for.
            asked = hidden[:, :1] if number == self._config.num_layers - 1 else hidden
            hidden = self._layer(asked, hidden, hiding, f"bert.encoder.layer.{number}.")
        pooled: FloatArray = np.tanh(self._linear(hidden[:, 0], "bert.pooler.dense"))
        logits: FloatArray = self._linear(pooled, "classifier")[:, 0]
        return logits

    def _layer(
        self, asked: FloatArray, hidden: FloatArray, hiding: FloatArray, at: str
    ) -> FloatArray:
        """The next states (B, A, C) of the asked ones (B, A, C), which look at all (B, T, C)."""
        attended = self._attend(asked, hidden, hiding, f"{at}attention.self.")
        attended = self._linear(attended, f"{at}attention.output.dense")
        asked = self._normed(asked + attended, f"{at}attention.output.LayerNorm")
        inner = gelu(self._linear(asked, f"{at}intermediate.dense"))
        return self._normed(
            asked + self._linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm"
        )

    def _attend(
        self, asked: FloatArray, hidden: FloatArray, hiding: FloatArray, at: str
    ) -> FloatArray:
        query = self._split(self._linear(asked, f"{at}query"))  # (B, H, A, D)
        query *= np.float32(1 / math.sqrt(query.shape[-1]))
        key, value = (
            self._split(self._linear(hidden, f"{at}{name}")) for name in ("key", "value")
        )  # (B, H, T, D)
        scores: FloatArray = query @ key.swapaxes(2, 3)  # (B, H, A, T)
        scores += hiding
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        mixed: FloatArray = scores @ value
        mixed /= scores.sum(axis=-1, keepdims=True)
        return mixed.swapaxes(1, 2).reshape(asked.shape)

    def _split(self, states: FloatArray) -> FloatArray:
        """(B, T, C) -> (B, H, T, D)."""
        batch, length, channels = states.shape
        heads = self._config.num_heads
        split: FloatArray = states.reshape(batch, length, heads, channels // heads).swapaxes(1, 2)
        return split

    def _linear(self, states: FloatArray, name: str) -> FloatArray:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        flat: FloatArray = states.reshape(-1, states.shape[-1]) @ weight.T
        flat += bias
        return flat.reshape(*states.shape[:-1], -1)

    def _normed(self, states: FloatArray, name: str) -> FloatArray:
        centred: FloatArray = states - states.mean(axis=-1, keepdims=True)
        spread = np.square(centred).mean(axis=-1, keepdims=True)
        centred /= np.sqrt(spread + np.float32(self._config.epsilon))
        centred *= self._weights[f"{name}.weight"]
        centred += self._weights[f"{name}.bias"]
        return centred


def gelu(values: FloatArray) -> FloatArray:
    """x times the normal distribution function of x, to 2e-7 (Abramowitz and Stegun, 7.1.26)."""
    sizes = np.abs(values) * np.float32(math.sqrt(0.5))
    part = 1 / (1 + np.float32(0.3275911) * sizes)
    series = np.full_like(part, 1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series *= part
        series += np.float32(term)
    tail = series * part * np.exp(-np.square(sizes))  # 1 - erf, for a positive argument
    result: FloatArray = values * np.where(values >= 0, 1 - 0.5 * tail, 0.5 * tail)
    return result


def _read_weights(path: Path) -> dict[str, FloatArray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise _corrupt(f"{path} cannot be read: {error}", path) from error


def _corrupt(message: str, path: Path) -> ConfigurationError:
    return ConfigurationError(message, code="model_corrupt", details={"file": str(path)})
