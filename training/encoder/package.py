"""Writes an encoder as the folder that the service reads, small: bytes with a scale a row.

Knows the files of that folder (kb_service/encoder/folder.py) and what is quantised. Does not know
which pieces are kept, nor what a head is for.

V pieces, K kept pieces, C channels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_service.encoder.folder import (
    CONFIG_FILE,
    HEAD,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    WORDS,
    WORDS_FROM,
)
from kb_service.encoder.tensors import SCALE
from training.encoder.tokens import cut_tokenizer
from training.model_folder import write_checksums

FloatArray = npt.NDArray[np.float32]

_LAYERS = "encoder.layer."
_LARGEST = 127


@dataclass(frozen=True, slots=True)
class Papers:
    """The files beside the weights, and what config.json says beyond the shape.

    ``config``: prompts, lengths and the like.
    """

    card: str
    licence: str
    config: Mapping[str, Any] = field(default_factory=dict)


def package(
    state: Mapping[str, FloatArray],
    heads: Mapping[str, FloatArray],
    tokenizer_json: str,
    out_folder: Path,
    keep_ids: Sequence[int],
    papers: Papers,
    *,
    num_heads: int = 12,
) -> None:
    """Write weights, tokenizer, configuration, papers and checksums.

    ``state``: tensors as transformers' BertModel names them, the word embeddings (V, C);
    ``heads``: more tensors, kept as float32 under `head.` and their name; ``tokenizer_json``: the
    Unigram tokenizer of all V pieces, of which ``keep_ids`` (K,) are kept and numbered anew.
    """
    encoder = _encoder(state)
    encoder[WORDS] = np.asarray(state[WORDS])[np.asarray(keep_ids)]
    _write_weights(out_folder, encoder, heads)
    cut = cut_tokenizer(tokenizer_json, keep_ids)
    (out_folder / TOKENIZER_FILE).write_text(cut, encoding="utf-8")
    _write_papers(out_folder, shape_config(encoder, len(keep_ids), num_heads), papers)


def package_beside(
    state: Mapping[str, FloatArray],
    heads: Mapping[str, FloatArray],
    out_folder: Path,
    words_from: str,
    papers: Papers,
    *,
    num_heads: int = 12,
) -> None:
    """Write the same without tokenizer and word embeddings, which stay those of another folder.

    ``words_from``: where that lies as seen from this one, such as `../e5-zh-en`. Only for weights
    whose word embeddings were frozen: those of ``state`` are left out.
    """
    encoder = _encoder(state)
    _write_weights(out_folder, encoder, heads)
    shared = json.loads((out_folder / words_from / CONFIG_FILE).read_text(encoding="utf-8"))
    config = shape_config(encoder, shared["vocab_size"], num_heads) | {WORDS_FROM: words_from}
    _write_papers(out_folder, config, papers)


def _encoder(state: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """What the service reads of a BertModel: no pooler, no word embeddings, no counters."""
    return {
        name: np.asarray(tensor, dtype=np.float32)
        for name, tensor in state.items()
        if name.startswith(("embeddings.", _LAYERS))
        and name not in (WORDS, "embeddings.position_ids")
    }


def _write_weights(
    folder: Path, encoder: Mapping[str, FloatArray], heads: Mapping[str, FloatArray]
) -> None:
    from safetensors.numpy import save_file

    stored: dict[str, npt.NDArray[Any]] = {}
    for name, tensor in encoder.items():
        if name == WORDS or (name.startswith(_LAYERS) and tensor.ndim == 2):
            stored[name], stored[name + SCALE] = quantized(tensor)
        else:
            stored[name] = tensor
    for name, tensor in heads.items():
        stored[HEAD + name.removeprefix(HEAD)] = np.asarray(tensor, dtype=np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(t) for name, t in stored.items()}, folder / WEIGHTS_FILE)


def quantized(matrix: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Codes (R, C) and scales (R,) whose products are the nearest to the matrix (R, C)."""
    largest = np.abs(matrix).max(axis=1)
    scales = (np.where(largest > 0, largest, 1) / _LARGEST).astype(np.float32)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales


def shape_config(
    encoder: Mapping[str, FloatArray], num_words: int, num_heads: int
) -> dict[str, Any]:
    """The configuration as transformers reads it, from the tensors."""
    positions = encoder["embeddings.position_embeddings.weight"]
    numbers = {int(name.split(".")[2]) for name in encoder if name.startswith(_LAYERS)}
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": positions.shape[1],
        "num_hidden_layers": len(numbers),
        "num_attention_heads": num_heads,
        "intermediate_size": len(encoder[f"{_LAYERS}0.intermediate.dense.bias"]),
        "vocab_size": num_words,
        "max_position_embeddings": positions.shape[0],
        "type_vocab_size": len(encoder["embeddings.token_type_embeddings.weight"]),
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    }


def _write_papers(folder: Path, config: Mapping[str, Any], papers: Papers) -> None:
    content = json.dumps(dict(config) | dict(papers.config), indent=2, ensure_ascii=False) + "\n"
    (folder / CONFIG_FILE).write_text(content, encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(papers.card, encoding="utf-8")
    (folder / "LICENSE").write_text(papers.licence, encoding="utf-8")
    write_checksums(folder)
