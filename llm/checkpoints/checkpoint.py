"""From a released folder to a model in memory: check everything, then copy shard by shard.

Knows config.json, the key map and the order of work: names and shapes are compared with the
config before any weight is read. Executes nothing found in the folder. Does not know tokenizers
or prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from llm.checkpoints.weight_files import (
    StoredTensor,
    read_json,
    read_tensors,
    stored_tensors,
    weight_files,
)
from llm.checkpoints.weight_plan import LAYOUTS, WeightLayout, checked, fit_config, plan_weights
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ModelConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from llm.checkpoints.placement import Placement
    from llm.models.model import ChatGLM

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")
QUANTIZATIONS = {"int8": 8, "int4": 4}


class LoadOptions(TypedDict, total=False):
    """The keyword arguments of load_model, for those who pass them on."""

    device: str
    dtype: str
    quantize: str | None
    dequantize: bool
    device_map: Literal["auto"] | Mapping[int, str] | None
    lora: Path | None
    prefix: Path | None
    family: str | None
    rope_theta: float | None


def read_config(
    folder: Path, *, family: str | None = None, rope_theta: float | None = None
) -> ModelConfig:
    """The config of a checkpoint folder.

    `family` and `rope_theta` override what the folder says; some say it wrong.

    Raises:
        CheckpointError: no folder, no config.json, or one that is not usable.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder")
    raw = read_json(folder / "config.json")
    config = ModelConfig.from_json(raw, family or _family_by_code(folder))
    return config if rope_theta is None else replace(config, rope_base=rope_theta)


def load_model(
    folder: Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    quantize: str | None = None,
    dequantize: bool = False,
    device_map: Literal["auto"] | Mapping[int, str] | None = None,
    lora: Path | None = None,
    prefix: Path | None = None,
    family: str | None = None,
    rope_theta: float | None = None,
) -> ChatGLM:
    """Load a released folder; peak memory is about the model, which is filled module by module.

    Args:
        folder: config.json and weights of any released layout.
        device, dtype: see choose_device and choose_dtype.
        quantize: `int8` or `int4` to round the linear layers of a float checkpoint.
        dequantize: compute with a quantised checkpoint's weights in floating point.
        device_map: a device for each layer by number, or `auto` to spread the layers over every
            CUDA device; instead of `device`.
        lora: folder of a LoRA adapter in peft's format, which is added to the weights, or kept
            beside them where they are quantised.
        prefix: folder of a P-tuning prefix encoder that was trained over this model.
        family, rope_theta: see read_config.

    Raises CheckpointError, naming key, expected and found.
    """
    from llm.checkpoints.lora import Adapter, read_adapter
    from llm.checkpoints.placement import connect
    from llm.checkpoints.weight_loader import WeightLoader, Weights, release_free_memory

    config = read_config(folder, family=family, rope_theta=rope_theta)
    layout = LAYOUTS[config.layout]
    adapter = read_adapter(lora) if lora else Adapter()
    overlay = {**adapter.replaced, **(_prefix_values(prefix, layout) if prefix else {})}
    stored = _stored(folder, overlay)
    config = _with_prefix(fit_config(config, layout, stored), layout, overlay)
    placement = _placement(config, device, device_map)
    kind = choose_dtype(dtype, config, placement.layers[0])
    bits = _quantize_bits(quantize, config)
    model = _empty_model(folder, config)
    plan = plan_weights(model, layout, stored)
    adapter.require_known(plan.linear_shapes())
    weights = Weights(checked(stored, plan, layout), overlay)
    WeightLoader(weights, adapter, placement, kind, bits, dequantize).fill(model, plan)
    release_free_memory()
    return connect(model, placement)


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
        name = "float32" if config.fp32_residual else config.stored_dtype
        if device.type == "cpu" and name == "float16":
            name = "bfloat16"
    if config.fp32_residual and name != "float32":
        raise CheckpointError(
            f"dtype is {name!r}; config.json has fp32_residual_connection = True, which is"
            " supported in float32 only"
        )
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    return kinds[name]


def _placement(
    config: ModelConfig, device: str, device_map: Literal["auto"] | Mapping[int, str] | None
) -> Placement:
    import torch

    from llm.checkpoints.placement import explicit, spread

    if device_map is None:
        return spread(config.num_layers, [choose_device(device)])
    if device_map == "auto":
        number = min(torch.cuda.device_count(), config.num_layers)
        names = [f"cuda:{index}" for index in range(number)] or [device]
        return spread(config.num_layers, [choose_device(name) for name in names])
    devices = {number: choose_device(name) for number, name in device_map.items()}
    return explicit(config.num_layers, devices)


def _prefix_values(folder: Path, layout: WeightLayout) -> dict[str, Tensor]:
    """The prefix encoder of a folder, which may hold other weights besides."""
    if layout.prefix_encoder is None:
        raise UnsupportedCheckpoint(f"{layout.name} checkpoints have no prefix encoder")
    stored = stored_tensors(weight_files(folder))
    found = [each for each in stored if each.key.startswith(f"{layout.prefix_encoder}.")]
    if not found:
        raise CheckpointError(f"{folder} holds no key {layout.prefix_encoder}.*")
    return {
        key: tensor.clone() for each in found for key, tensor in read_tensors(each.file, [each.key])
    }


def _with_prefix(
    config: ModelConfig, layout: WeightLayout, overlay: Mapping[str, Tensor]
) -> ModelConfig:
    """The config with the length of a prefix that came in a file of its own."""
    embedding = overlay.get(f"{layout.prefix_encoder}.embedding.weight")
    if embedding is None:
        return config
    return replace(config, num_prefix_tokens=embedding.shape[0])


def _stored(folder: Path, overlay: Mapping[str, Tensor]) -> dict[str, StoredTensor]:
    """What the folder's files hold, and in place of it what lies over them."""
    stored = {each.key: each for each in stored_tensors(weight_files(folder))}
    for key, value in overlay.items():
        stored[key] = StoredTensor(key, folder, tuple(value.shape), str(value.dtype))
    return stored


def _empty_model(folder: Path, config: ModelConfig) -> ChatGLM:
    """A model of the config's shapes, which a hostile config may make absurd."""
    from llm.models.build import empty_model

    try:
        return empty_model(config)
    except (RuntimeError, TypeError) as error:  # more elements than a tensor can have
        raise CheckpointError(
            f"{folder / 'config.json'} asks for the impossible: {error}"
        ) from error


def _quantize_bits(name: str | None, config: ModelConfig) -> int:
    if name is None:
        return 0
    if name not in QUANTIZATIONS:
        raise CheckpointError(
            f"quantize is {name!r}; expected one of {', '.join(QUANTIZATIONS)}, or none"
        )
    if config.quantization_bit:
        raise CheckpointError(
            f"quantize is {name!r}; the checkpoint is quantised already"
            f" (quantization_bit = {config.quantization_bit})"
        )
    return QUANTIZATIONS[name]


def _family_by_code(folder: Path) -> str | None:
    """The family by the tokenizer code beside the weights, which is read, never run.

    ChatGLM2 and 3 share the file tokenizer.model, but only the third generation's code knows
    role tokens; GLM-4's uses another library.
    """
    code = folder / "tokenization_chatglm.py"
    config = read_json(folder / "config.json")
    if not code.is_file() or "multi_query_attention" not in config:
        return None
    text = code.read_text("utf-8", "replace")
    if "tiktoken" in text:
        return "glm4"
    return "chatglm3" if "<|system|>" in text else "chatglm2"
