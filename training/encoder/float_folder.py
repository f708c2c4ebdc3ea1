"""Writes the released encoder as float32 with all its pieces, to train on.

Knows the layout that transformers reads.
"""

from __future__ import annotations

import json
from pathlib import Path

from kb_service.encoder.folder import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, WORDS
from training.encoder.package import shape_config
from training.encoder.released import Released
from training.encoder.tokens import BEGIN, END, MASK, PAD, UNKNOWN, unigram_tokenizer

_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": BEGIN,
    "cls_token": BEGIN,
    "eos_token": END,
    "sep_token": END,
    "unk_token": UNKNOWN,
    "pad_token": PAD,
    "mask_token": MASK,
}


def write_float32(released: Released, out: Path) -> None:
    """Write weights, configuration and tokenizer."""
    from safetensors.numpy import save_file

    out.mkdir(parents=True, exist_ok=True)
    save_file(released.tensors, out / WEIGHTS_FILE, metadata={"format": "pt"})
    unigram_tokenizer(released.pieces).save(str(out / TOKENIZER_FILE))
    # The table is longer than the list of pieces: its last rows stand for none.
    shape = released.shape
    config = shape_config(released.tensors, len(released.tensors[WORDS]), shape.num_heads)
    tokenizer = _TOKENIZER | {"model_max_length": shape.max_tokens}
    for name, content in ((CONFIG_FILE, config), ("tokenizer_config.json", tokenizer)):
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
