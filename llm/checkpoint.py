"""From a released folder to a model in memory: check everything, then copy shard by shard.

Knows config.json, the key map and the order of work: names and shapes are compared with the
config before any weight is read. Executes nothing found in the folder. Does not know tokenizers
or prompts.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from llm.config import ModelConfig
from llm.errors import CheckpointError
from llm.weight_files import StoredTensor, read_json, read_tensors, stored_tensors, weight_files
from llm.weight_names import CHATGLM2, WeightLayout, require_supported

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from llm.model import ChatGLM

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")

_FLOAT_TYPES = frozenset(("F16", "BF16", "F32", "torch.float16", "torch.bfloat16", "torch.float32"))


def read_config(folder: Path) -> ModelConfig:
    """The config of a checkpoint folder.

    Raises:
        CheckpointError: no folder, no config.json, or one that is not usable.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder")
    return ModelConfig.from_json(read_json(folder / "config.json"), _generation_by_code(folder))


def load_model(folder: Path, *, device: str = "auto", dtype: str = "auto") -> ChatGLM:
    """Load the weights of a released folder.

    Peak memory is about the model: tensors are converted and moved one by one.

    Raises:
        CheckpointError: naming key, expected and found.
    """
    from llm.build import empty_model

    config = read_config(folder)
    target = choose_device(device)
    kind = choose_dtype(dtype, config, target)
    model = empty_model(config)
    parameter_of = {CHATGLM2.checkpoint_key(name): name for name, _ in model.named_parameters()}
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    found = _checked(
        stored_tensors(weight_files(folder)),
        {key: shapes[name] for key, name in parameter_of.items()},
        CHATGLM2,
    )
    for file, tensors in groupby(found, key=lambda tensor: tensor.file):
        for key, tensor in read_tensors(file, [each.key for each in tensors]):
            _assign(model, parameter_of[key], tensor, kind, target)
    return model


def choose_device(name: str) -> torch.device:
    """The torch device of a name; `auto` takes CUDA, else MPS, else the CPU.

    Raises:
        CheckpointError: an unknown device, or one that this machine does not have.
    """
    import torch

    kind = name.partition(":")[0]
    if kind not in DEVICES:
        raise CheckpointError(f"device is {name!r}; expected one of {', '.join(DEVICES)}")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((each for each, there in present.items() if there), "cpu")
    elif not present.get(kind, True):
        raise CheckpointError(f"device is {name!r}; this machine has no such device")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise CheckpointError(f"device is {name!r}: {error}") from error


def choose_dtype(name: str, config: ModelConfig, device: torch.device) -> torch.dtype:
    """The torch dtype of a name; `auto` takes the stored one.

    On a CPU `auto` turns float16 into bfloat16, which has its range and faster kernels there.

    Raises:
        CheckpointError: an unknown dtype.
    """
    import torch

    if name not in DTYPES:
        raise CheckpointError(f"dtype is {name!r}; expected one of {', '.join(DTYPES)}")
    if name == "auto":
        name = config.stored_dtype
        if device.type == "cpu" and name == "float16":
            name = "bfloat16"
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    return kinds[name]


def _checked(
    stored: list[StoredTensor], expected: dict[str, tuple[int, ...]], layout: WeightLayout
) -> list[StoredTensor]:
    """The stored tensors that the model needs; raises on any difference from what it expects."""
    wanted = [tensor for tensor in stored if not layout.ignored.search(tensor.key)]
    keys = {tensor.key for tensor in wanted}
    require_supported(sorted(keys))
    _require_none(sorted(expected.keys() - keys), f"missing from this {layout.name} checkpoint")
    _require_none(sorted(keys - expected.keys()), f"unexpected in this {layout.name} checkpoint")
    for tensor in wanted:
        if tensor.shape != expected[tensor.key]:
            raise CheckpointError(
                f"key {tensor.key!r} has the shape {list(tensor.shape)};"
                f" config.json asks for {list(expected[tensor.key])}"
            )
        if tensor.dtype not in _FLOAT_TYPES:
            raise CheckpointError(
                f"key {tensor.key!r} has the type {tensor.dtype};"
                " expected float16, bfloat16 or float32"
            )
    return wanted


def _require_none(keys: list[str], what: str) -> None:
    if keys:
        named = ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")
        raise CheckpointError(f"{len(keys)} keys are {what}: {named}")


def _assign(
    model: ChatGLM, parameter: str, tensor: Tensor, dtype: torch.dtype, device: torch.device
) -> None:
    import torch

    owner, _, name = parameter.rpartition(".")
    # A copy even where nothing changes: the tensor may be a view of the mapped file.
    value = tensor.to(device=device, dtype=dtype, copy=True)
    weight = torch.nn.Parameter(value, requires_grad=False)
    setattr(model.get_submodule(owner), name, weight)


def _generation_by_code(folder: Path) -> str | None:
    """ChatGLM2 or 3 by the tokenizer code beside the weights, which is read, never run.

    Only the third generation knows role tokens; tokenizer.model is the same file in both.
    """
    code = folder / "tokenization_chatglm.py"
    if not code.is_file():
        return None
    return "chatglm3" if "<|system|>" in code.read_text("utf-8", "replace") else "chatglm2"
