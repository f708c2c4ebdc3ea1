"""Writes a trained encoder as a sentence-transformers folder: transformer, mean, unit length.

Knows the files of that layout. Does not know training or what the papers beside a model say.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing
from torch import nn

from training.encoder.network import NUM_MARKS, encoder_config, front_mark, padding
from training.encoder.prepared import TOKENIZER_FILE
from training.encoder.recipe import EncoderSize
from training.model_folder import write_checksums
from training.run_files import CHECKPOINT_FILE, read_checkpoint
from training.vocabulary import UNKNOWN

FRONT, PADDING = "[FRONT]", "[PAD]"
_PREFIX = "model."
_MODULES = (
    ("", "sentence_transformers.models.Transformer"),
    ("1_Pooling", "sentence_transformers.models.Pooling"),
    ("2_Normalize", "sentence_transformers.models.Normalize"),
)


def export(run: Path, prepared: Path, out: Path, size: EncoderSize) -> None:
    """Write the folder `out` from the checkpoint of `run`, weights as float16, with checksums.

    Raises FileNotFoundError where the run has no checkpoint.
    """
    _, tensors = read_checkpoint(run / CHECKPOINT_FILE)
    weights = {n.removeprefix(_PREFIX): t for n, t in tensors.items() if n.startswith(_PREFIX)}
    write_encoder(out, weights, prepared / TOKENIZER_FILE, size)


def write_encoder(
    out: Path, weights: dict[str, torch.Tensor], tokenizer: Path, size: EncoderSize
) -> None:
    """Write weights, tokenizer and the module files of the layout, then the checksums."""
    from transformers import EuroBertModel

    num_pieces = len(weights["embed_tokens.weight"]) - NUM_MARKS
    model: nn.Module = EuroBertModel(encoder_config(size, num_pieces))
    model.load_state_dict(weights)
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    model.half().save_pretrained(out)  # type: ignore[operator] # a method of PreTrainedModel
    # The file is float16 to be small; in memory a CPU wants float32.
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    _write(out / "config.json", config | {"dtype": "float32"})
    _write_tokenizer(out, tokenizer, num_pieces, size.max_tokens)
    _write_modules(out, size)
    write_checksums(out)


def _write_tokenizer(out: Path, tokenizer: Path, num_pieces: int, max_tokens: int) -> None:
    from transformers import PreTrainedTokenizerFast

    pieces = Tokenizer.from_file(str(tokenizer))
    pieces.add_special_tokens([AddedToken(mark, special=True) for mark in (FRONT, PADDING)])
    found = (pieces.token_to_id(FRONT), pieces.token_to_id(PADDING))
    if found != (front_mark(num_pieces), padding(num_pieces)):
        raise ValueError(f"the marks have the ids {found}; expected them behind the pieces")
    pieces.post_processor = TemplateProcessing(
        single=f"{FRONT} $A", special_tokens=[(FRONT, front_mark(num_pieces))]
    )
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # the library leaves it untyped
        tokenizer_object=pieces,
        unk_token=UNKNOWN,
        pad_token=PADDING,
        cls_token=FRONT,
        model_max_length=max_tokens,
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.save_pretrained(out)


def _write_modules(out: Path, size: EncoderSize) -> None:
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": kind}
        for index, (path, kind) in enumerate(_MODULES)
    ]
    _write(out / "modules.json", modules)
    _write(
        out / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "", "document": ""},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write(out / "sentence_bert_config.json", {"max_seq_length": size.max_tokens})
    pooling = {"word_embedding_dimension": size.width, "pooling_mode_mean_tokens": True}
    (out / "1_Pooling").mkdir()
    (out / "2_Normalize").mkdir()
    _write(out / "1_Pooling" / "config.json", pooling)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
