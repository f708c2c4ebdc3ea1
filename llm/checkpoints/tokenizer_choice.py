"""Which tokenizer a checkpoint folder needs, and whether the one in it fits.

Decides by the family of the config and the files that are there, never by the folder's name.
Knows no weights and no chats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llm.checkpoints.weight_files import read_json
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ModelConfig
from llm.tokenizers.byte_pairs import GLM4Tokenizer
from llm.tokenizers.sentence_pieces import (
    ICE_TEXT_FILE,
    NUM_IMAGE_TOKENS,
    TOKENIZER_FILE,
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
)
from llm.tokenizers.tokenizer import Tokenizer
from llm.tokenizers.tokenizer_json import TOKENIZER_JSON_FILE, GlmTokenizer

# The files of a family, the usual one first.
_READERS: Mapping[str, Mapping[str, Callable[[Path], Tokenizer]]] = {
    "chatglm1": {ICE_TEXT_FILE: ChatGLMTokenizer},
    "chatglm2": {TOKENIZER_FILE: ChatGLM2Tokenizer},
    "chatglm3": {TOKENIZER_FILE: ChatGLM3Tokenizer},
    "glm4": {TOKENIZER_FILE: GLM4Tokenizer, TOKENIZER_JSON_FILE: GlmTokenizer},
    "glm": {TOKENIZER_JSON_FILE: GlmTokenizer, TOKENIZER_FILE: GLM4Tokenizer},
}
# The control tokens whose ids the first generation's config records, beside that of the end.
_RECORDED_IDS = {"bos_token_id": "<sop>", "mask_token_id": "[MASK]", "gmask_token_id": "[gMASK]"}
# The vocabulary of checkpoints whose text ids start behind those of images.
_VOCAB_SIZE_WITH_IMAGES = 150_528


def load_tokenizer(folder: Path, config: ModelConfig) -> Tokenizer:
    """The tokenizer of a checkpoint folder, compared with its config.

    Raises:
        CheckpointError: it is missing, damaged, or another model's.
    """
    readers = _READERS.get(config.family)
    if readers is None:
        raise UnsupportedCheckpoint(
            f"{folder} is of the generation {config.family}; tokenizers are known for"
            f" {', '.join(_READERS)}"
        )
    name = next((name for name in readers if (folder / name).is_file()), None)
    if name is None:
        raise CheckpointError(
            f"{folder} has no {' or '.join(readers)}; a checkpoint of the generation"
            f" {config.family} needs one"
        )
    tokenizer = _read(readers[name], folder / name, config)
    _require_fit(tokenizer, config, read_json(folder / "config.json"))
    return tokenizer


def has_prefix(folder: Path, tokenizer: Tokenizer, config: ModelConfig) -> bool:
    """Whether prompts begin with [gMASK] and <sop>, as GLM-4's do and GLM-Edge's do not.

    The chat template tells, else the tokenizer file; where both are silent, the rotary rule:
    GLM-Edge turns whole heads.

    Raises:
        CheckpointError: tokenizer_config.json is there and cannot be read.
    """
    template = _chat_template(folder)
    if template:
        return "[gMASK]" in template
    if isinstance(tokenizer, GlmTokenizer) and tokenizer.template:
        return "[gMASK]" in tokenizer.template
    return config.rope_dim < config.head_dim


def _chat_template(folder: Path) -> str:
    """The template's text, searched and never run; empty if the folder has none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text("utf-8", "replace")
    settings = folder / "tokenizer_config.json"
    template = read_json(settings).get("chat_template") if settings.is_file() else None
    return json.dumps(template) if template else ""


def _read(reader: Callable[[Path], Tokenizer], path: Path, config: ModelConfig) -> Tokenizer:
    if reader is ChatGLMTokenizer and config.vocab_size == _VOCAB_SIZE_WITH_IMAGES:
        return ChatGLMTokenizer(path, NUM_IMAGE_TOKENS)
    try:
        return reader(path)
    except CheckpointError as error:
        raise type(error)(f"wrong tokenizer for the generation {config.family}: {error}") from error


def _require_fit(tokenizer: Tokenizer, config: ModelConfig, raw: Mapping[str, Any]) -> None:
    if tokenizer.num_ids > config.vocab_size:
        raise CheckpointError(
            f"{tokenizer.path} has {tokenizer.num_ids} ids;"
            f" config.json has room for padded_vocab_size = {config.vocab_size}"
        )
    recorded = _RECORDED_IDS if config.family == "chatglm1" else {}
    for key, token_id in {
        **{key: tokenizer.control_id(name) for key, name in recorded.items()},
        "eos_token_id": tokenizer.eos_id,
    }.items():
        expected = token_id if raw.get(key) is None else raw[key]
        if token_id not in (expected if isinstance(expected, list) else [expected]):
            raise CheckpointError(
                f"{tokenizer.path} has the id {token_id} for what config.json calls {key} ="
                f" {expected}: the tokenizer is another model's"
            )
