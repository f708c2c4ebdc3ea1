"""Which files of a folder hold the weights, and how to read one tensor at a time from them.

Knows safetensors, torch's zip format and the shard index; treats every name in the index as
hostile. Never unpickles anything but tensors. Does not know what a key means.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from llm.absent_files import refuse_absent, unfinished_downloads
from llm.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

MAX_JSON_BYTES = 64 * 2**20

# In order of preference: safetensors cannot carry code at all.
_CANDIDATES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies, and its shape and element type as the file states them."""

    key: str
    file: Path
    shape: tuple[int, ...]
    dtype: str


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        CheckpointError: missing, over 64 MiB, not UTF-8 JSON, or not an object.
    """
    refuse_absent(path)
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path} has {size} bytes; at most {MAX_JSON_BYTES} are read")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a {type(value).__name__}; expected an object")
    return value


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights of a checkpoint folder, sorted by name.

    Raises:
        CheckpointError: no weights, a bad index, or a shard that is not in the folder.
    """
    for name in _CANDIDATES:
        path = folder / name
        if path.is_file():
            return list(_shards(path)) if name.endswith(".json") else [path]
    expected = ", ".join(_CANDIDATES)
    raise CheckpointError(
        f"{folder} holds no weights; expected one of {expected}{unfinished_downloads(folder)}"
    )


def _shards(index: Path) -> Iterator[Path]:
    suffix = ".safetensors" if ".safetensors." in index.name else ".bin"
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{index} has weight_map = {weight_map!r:.80}; expected a map")
    for name in sorted({str(name) for name in weight_map.values()}):
        if Path(name).name != name or "\\" in name or not name.endswith(suffix):
            raise CheckpointError(
                f"{index} names the shard {name!r}; expected a plain *{suffix} file name"
            )
        if not (index.parent / name).is_file():
            left = unfinished_downloads(index.parent)
            raise CheckpointError(
                f"{index} names the shard {name!r}; it is not in the folder{left}"
            )
        yield index.parent / name


def stored_tensors(files: list[Path]) -> list[StoredTensor]:
    """Key, shape and type of every tensor, read without loading a value.

    Raises:
        CheckpointError: an unreadable file, or one key in two files.
    """
    tensors = [tensor for file in files for tensor in _describe(file)]
    doubled = [key for key, count in Counter(t.key for t in tensors).items() if count > 1]
    if doubled:
        raise CheckpointError(f"key {doubled[0]!r} is stored in more than one file")
    return tensors


def read_tensors(file: Path, keys: list[str]) -> Iterator[tuple[str, Tensor]]:
    """The named tensors of one file, mapped from disk one after the other.

    The file is opened anew for each tensor, so that pages already copied do not stay mapped:
    the peak is the model plus one tensor, also for a single file of many gigabytes.
    """
    for key in keys:
        if file.suffix == ".safetensors":
            with _open_safetensors(file) as opened:
                yield key, opened.get_tensor(key)
        else:
            yield key, _load_bin(file)[key]


def _describe(file: Path) -> Iterator[StoredTensor]:
    refuse_absent(file)
    if file.suffix == ".safetensors":
        with _open_safetensors(file) as opened:
            for key in opened.keys():  # noqa: SIM118 -- safe_open is no mapping
                part = opened.get_slice(key)
                yield StoredTensor(key, file, tuple(part.get_shape()), part.get_dtype())
    else:
        for key, tensor in _load_bin(file).items():
            yield StoredTensor(key, file, tuple(tensor.shape), str(tensor.dtype))


@contextmanager
def _open_safetensors(file: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            yield opened
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"cannot read {file}: {error}") from error


def _load_bin(file: Path) -> dict[str, Tensor]:
    import torch

    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except UnpicklingError as error:
        raise CheckpointError(
            f"refused {file}: it holds something other than tensors ({str(error)[:200]})"
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise CheckpointError(f"cannot read {file}: {str(error)[:200]}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds a {type(content).__name__}; expected named tensors")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise CheckpointError(
                f"{file} holds {key!r}: {type(value).__name__}; expected a named tensor"
            )
    return content
