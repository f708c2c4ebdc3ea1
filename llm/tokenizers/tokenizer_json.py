"""The tokenizer.json of native GLM checkpoints (glm-4-9b-chat-hf, glm-edge).

Knows byte-level byte-pair files of the `tokenizers` library. Control tokens are taken out of the
file before the library sees it, so that no text can name one, and are found by name afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.tokenizers.tokenizer import Tokenizer, read_tokenizer_file

if TYPE_CHECKING:
    import tokenizers

TOKENIZER_JSON_FILE = "tokenizer.json"
_MAX_IDS = 10_000_000
_EXPECTED = "a tokenizer.json of byte-level byte pairs"


class GlmTokenizer(Tokenizer):
    """Byte pairs of a tokenizer.json; `template` is what the file itself puts around a text.

    Raises:
        CheckpointError: the file is missing or damaged.
        UnsupportedCheckpoint: another model than byte-level byte pairs.
    """

    def __init__(self, path: Path) -> None:
        raw = _read(path)
        _require_byte_level(path, raw)
        controls = _added_tokens(path, raw)
        post_processor = raw.get("post_processor")
        has_template = "TemplateProcessing" in json.dumps(post_processor)
        self.template = json.dumps(post_processor) if has_template else ""
        vocabulary = {
            token: token_id
            for token, token_id in raw["model"]["vocab"].items()
            if token not in controls
        }
        super().__init__(path, _table(path, vocabulary, controls), controls, "<|endoftext|>")
        self._pairs = _without_control_tokens(path, raw, vocabulary)

    def _encode(self, text: str) -> list[int]:
        return list(self._pairs.encode(text, add_special_tokens=False).ids)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(read_tokenizer_file(path, _EXPECTED))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is no JSON: {error}; expected {_EXPECTED}") from error
    model = raw.get("model") if isinstance(raw, dict) else None
    if not isinstance(model, dict) or not _is_numbering(model.get("vocab")):
        raise CheckpointError(f"{path} has no model with a vocabulary; expected {_EXPECTED}")
    return dict(raw)


def _is_numbering(vocabulary: object) -> bool:
    return isinstance(vocabulary, dict) and all(type(i) is int for i in vocabulary.values())


def _require_byte_level(path: Path, raw: Mapping[str, Any]) -> None:
    kind = raw["model"].get("type", "BPE")
    decoders = [step.get("type") for step in _steps(raw.get("decoder"), "decoders")]
    if kind != "BPE" or "ByteLevel" not in decoders:
        raise UnsupportedCheckpoint(
            f"{path} has a model of type {kind!r} and the decoders {decoders}; expected 'BPE'"
            " and ['ByteLevel']"
        )


def _steps(part: object, name: str) -> list[Mapping[str, Any]]:
    """A decoder, or those that a sequence of them holds."""
    if not isinstance(part, dict):
        return []
    inner = part.get(name)
    return [step for step in inner if isinstance(step, dict)] if isinstance(inner, list) else [part]


def _added_tokens(path: Path, raw: Mapping[str, Any]) -> dict[str, int]:
    added = raw.get("added_tokens") or []
    try:
        controls = {str(token["content"]): int(token["id"]) for token in added}
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} has an added token without content and id: {error!r}"
        ) from error
    if len(set(controls.values())) != len(added):
        raise CheckpointError(f"{path} has added tokens that share a name or an id")
    return controls


def _table(path: Path, vocabulary: Mapping[str, int], controls: Mapping[str, int]) -> list[bytes]:
    """The bytes of every id from 0 on; ids that no name has stand for nothing."""
    ids = [*vocabulary.values(), *controls.values()]
    if len(set(ids)) < len(ids) or not all(0 <= token_id < _MAX_IDS for token_id in ids):
        raise CheckpointError(
            f"{path} has two tokens of one id, or an id outside 0 to {_MAX_IDS - 1}"
        )
    table = [b""] * (max(ids, default=-1) + 1)
    byte_of = {character: value for value, character in byte_characters()}
    for token, token_id in vocabulary.items():
        try:
            table[token_id] = bytes([byte_of[character] for character in token])
        except KeyError as error:
            raise CheckpointError(
                f"{path} has the token {token!r}, in which {error} stands for no byte"
            ) from None
    return table


def byte_characters() -> Iterator[tuple[int, str]]:
    """Byte-level files write each byte as one visible character: printable Latin-1 as itself,
    the others as those from U+0100 on, in order."""
    shift = 0
    for value in range(256):
        if 0x21 <= value <= 0x7E or (0xA1 <= value <= 0xFF and value != 0xAD):
            yield value, chr(value)
        else:
            yield value, chr(0x100 + shift)
            shift += 1


def _without_control_tokens(
    path: Path, raw: Mapping[str, Any], vocabulary: dict[str, int]
) -> tokenizers.Tokenizer:
    import tokenizers

    plain = {
        **raw,
        "added_tokens": [],
        "post_processor": None,
        "truncation": None,
        "padding": None,
        "model": {**raw["model"], "vocab": vocabulary},
    }
    try:
        return tokenizers.Tokenizer.from_str(json.dumps(plain))
    except Exception as error:  # the library raises nothing narrower
        raise CheckpointError(f"cannot read {path}: {str(error)[:200]}") from error
