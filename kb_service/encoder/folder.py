"""Opens the folder of an encoder: its shape, weights, heads, tokenizer and prompts.

Knows the files of the layout of transformers' BertModel, weights as float or as bytes with a scale
a row, and that several models may share the word embeddings and the tokenizer of one folder. Does
not check the files against their checksums, and does not know what a head is for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.arithmetic import FloatArray
from kb_service.encoder.bert import Bert, BertShape, Rows, Stored
from kb_service.encoder.kernel import Kernel
from kb_service.encoder.tensors import open_tensors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE = "config.json", "model.safetensors", "tokenizer.json"
WORDS = "embeddings.word_embeddings.weight"
HEAD = "head."
WORDS_FROM = "words_from"
"""The entry of config.json that names the folder of the shared words, as seen from its own."""
_WRONG_WEIGHTS = (KeyError, ValueError, IndexError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A folder that has been opened. ``heads``: the tensors `head.*` by what follows the dot.

    Others may have the same ``tokenizer``: nobody changes it.
    """

    bert: Bert
    tokenizer: Tokenizer
    heads: Mapping[str, FloatArray]
    prompts: Mapping[str, str] = field(default_factory=dict)


def is_encoder(folder: Path) -> bool:
    """Whether the folder is one that `open_encoder` reads: a BERT without a task of its own."""
    if not all((folder / name).is_file() for name in (CONFIG_FILE, WEIGHTS_FILE)):
        return False
    config = read_config(folder)
    return config.get("architectures") == ["BertModel"] and config.get("hidden_act") == "gelu"


def open_encoder(folder: Path, *, num_threads: int = 1, kernel: Kernel | None = None) -> Encoder:
    """Open a folder of which `is_encoder` holds.

    Raises ConfigurationError `model_corrupt` naming the file that is missing, cannot be read or
    does not fit the others.
    """
    config = read_config(folder)
    shared = folder / str(config.get(WORDS_FROM, "."))
    weights = folder / WEIGHTS_FILE
    tensors = open_tensors(weights)
    words = words_of(shared)
    tokenizer = shared_tokenizer(shared / TOKENIZER_FILE)
    bert = fitted_bert(
        tensors.as_stored(),
        shape_of(folder, config),
        weights,
        words,
        num_threads=num_threads,
        kernel=kernel,
    )
    require_words(bert, tokenizer, shared / WEIGHTS_FILE)
    heads = {name.removeprefix(HEAD): tensors[name] for name in tensors if name.startswith(HEAD)}
    return Encoder(bert, tokenizer, heads, _prompts(config))


def words_of(folder: Path) -> Rows:
    """The word embeddings of a folder, where they lie. Raises as `open_encoder`."""
    path = folder / WEIGHTS_FILE
    try:
        return open_tensors(path).rows(WORDS)
    except KeyError as error:
        raise corrupt(f"{path} holds no {WORDS}", path) from error


def shared_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a file, one for all who ask: it takes some 36 MB. Raises as `open_encoder`.

    A file that was changed is another one.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise corrupt(f"{path} cannot be read: {error}", path) from error
    return _tokenizer_of(path.resolve(), found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _tokenizer_of(path: Path, mtime_ns: int, size: int) -> Tokenizer:
    return open_tokenizer(path)


def open_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a file, without padding. Raises as `open_encoder`."""
    from tokenizers import Tokenizer

    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower class
        raise corrupt(f"{path} cannot be read: {error}", path) from error
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # text that spells a special piece is text
    return tokenizer


def fitted_bert(
    tensors: Stored,
    shape: BertShape,
    path: Path,
    words: Rows | None = None,
    *,
    num_threads: int = 1,
    kernel: Kernel | None = None,
) -> Bert:
    """A model that has read a sequence. Raises `model_corrupt` for tensors that do not fit."""
    try:
        bert = Bert(tensors, shape, words=words, num_threads=num_threads, kernel=kernel)
        bert.hidden([[0, 0]])
    except _WRONG_WEIGHTS as error:
        what = f"{path} does not hold the weights of the encoder that {CONFIG_FILE} describes"
        raise corrupt(f"{what}: {error!r}", path) from error
    return bert


def require_words(bert: Bert, tokenizer: Tokenizer, path: Path) -> None:
    """Refuse at the start what only a rare text would run into."""
    num_needed = 1 + max(tokenizer.get_vocab().values())
    if bert.num_words < num_needed:
        what = f"{path} has {bert.num_words} word_embeddings; {num_needed} are needed"
        raise corrupt(what, path)


def shape_of(folder: Path, config: Mapping[str, Any]) -> BertShape:
    """What the configuration says of the shape. Raises as `open_encoder`."""
    try:
        return BertShape(
            num_layers=int(config["num_hidden_layers"]),
            num_heads=int(config["num_attention_heads"]),
            epsilon=float(config["layer_norm_eps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        path = folder / CONFIG_FILE
        raise corrupt(f"{path} does not give the shape of a BERT: {error!r}", path) from error


def read_config(folder: Path, name: str = CONFIG_FILE) -> dict[str, Any]:
    """The JSON object in a file of the folder. Raises as `open_encoder`."""
    path = folder / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise corrupt(f"{path} cannot be read as JSON: {error}", path) from error
    if not isinstance(content, dict):
        raise corrupt(f"{path} is not a JSON object", path)
    return content


def corrupt(message: str, path: Path) -> ConfigurationError:
    """The error for a file that cannot be used."""
    return ConfigurationError(message, code="model_corrupt", details={"file": str(path)})


def _prompts(config: Mapping[str, Any]) -> dict[str, str]:
    prompts = config.get("prompts") or {}
    return {str(name): str(prompt) for name, prompt in prompts.items()}
