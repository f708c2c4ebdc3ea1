"""LoRA adapters in peft's file format: read, checked, and added to a base.

Knows adapter_config.json, the keys of adapter_model files and the scale of each product. Names
modules as the base's checkpoint does; how those become the model's is the loader's part.

r rank, formula: W + scale · B·A with A (r, in) and B (out, r); scale is alpha / r, or
alpha / sqrt(r) for rank-stabilised adapters (Hu et al. 2021; Kalajdzievski 2023).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 -- the name every torch reader expects
from torch import Tensor, nn

from llm.checkpoints.weight_files import read_json, read_tensors, stored_tensors
from llm.errors import CheckpointError, UnsupportedCheckpoint

CONFIG_FILE = "adapter_config.json"
_WEIGHT_FILES = ("adapter_model.safetensors", "adapter_model.bin")

_FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")
_OUTER = "base_model.model."
_PLAIN_PATTERN = re.compile(r"\^?[A-Za-z0-9_.]+")
# Variants whose files look alike and mean something else.
_REFUSED = ("use_dora", "use_qalora", "lora_bias", "trainable_token_indices")


@dataclass(frozen=True, slots=True)
class LowRank:
    """A product to add to a weight (out, in): `up` (out, r), its scale included, `down` (r, in)."""

    down: Tensor
    up: Tensor

    def delta(self) -> Tensor:
        """The product (out, in), float32."""
        return self.up @ self.down


@dataclass(frozen=True, slots=True)
class Adapter:
    """Products by the checkpoint's module, and whole tensors that replace the base's by key."""

    products: Mapping[str, LowRank] = field(default_factory=dict)
    replaced: Mapping[str, Tensor] = field(default_factory=dict)

    def require_known(self, shapes: Mapping[str, tuple[int, int]]) -> None:
        """Raise CheckpointError unless every product fits a module of these shapes (out, in)."""
        unknown = sorted(self.products.keys() - shapes.keys())
        if unknown:
            raise CheckpointError(
                f"the adapter changes {unknown[0]!r}; the base has no such linear module"
                f" ({len(unknown)} of {len(self.products)} are unknown)"
            )
        for module, product in self.products.items():
            found = (product.up.shape[0], product.down.shape[1])
            if found != shapes[module]:
                raise CheckpointError(
                    f"the adapter's {module!r} is for a weight of {list(found)};"
                    f" the base has {list(shapes[module])}"
                )


class LoraLinear(nn.Module):
    """A linear layer that stays as it is, with a low-rank product beside it.

    For a base whose weight is quantised: adding the product would round it away.
    """

    def __init__(self, base: nn.Module, product: LowRank) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(product.down, requires_grad=False)
        self.up = nn.Parameter(product.up, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        beside: Tensor = F.linear(F.linear(x, self.down), self.up)
        return self.base(x) + beside


def read_adapter(folder: Path) -> Adapter:
    """Read a folder with adapter_config.json and adapter_model.safetensors or .bin.

    Raises:
        UnsupportedCheckpoint: a kind of adapter other than LoRA, or an unknown variant.
        CheckpointError: a missing or damaged file, or a rank that is not the config's.
    """
    config = read_json(folder / CONFIG_FILE)
    _require_lora(config)
    tensors = _read_tensors(folder)
    factors: dict[str, dict[str, Tensor]] = {}
    replaced = {}
    for key, tensor in tensors.items():
        name = key.removeprefix(_OUTER)
        match = _FACTOR.fullmatch(name)
        if match:
            factors.setdefault(match["module"], {})[match["side"]] = tensor.float()
        elif ".lora_" in name:
            raise UnsupportedCheckpoint(f"adapter key {key!r} is no lora_A or lora_B weight")
        else:
            replaced[_plain_key(name)] = tensor
    products = {name: _product(name, pair, config) for name, pair in factors.items()}
    if not products and not replaced:
        raise CheckpointError(f"{folder} holds an adapter without weights")
    return Adapter(products, replaced)


def side_by_side(products: Collection[LowRank | None], rows: Collection[int]) -> LowRank | None:
    """One product for modules whose rows (so many of each) are joined; None if none has one."""
    present = [each for each in products if each]
    if not present:
        return None
    columns, first_row = [], 0
    for product, num_rows in zip(products, rows, strict=True):
        if product:
            column = torch.zeros(sum(rows), product.up.shape[1])
            column[first_row : first_row + num_rows] = product.up
            columns.append(column)
        first_row += num_rows
    return LowRank(torch.cat([each.down for each in present]), torch.cat(columns, dim=1))


def _require_lora(config: Mapping[str, Any]) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise UnsupportedCheckpoint(f"{CONFIG_FILE} has peft_type = {kind!r}; expected 'LORA'")
    for key in _REFUSED:
        if config.get(key):
            raise UnsupportedCheckpoint(f"{CONFIG_FILE} has {key} = {config[key]!r}; not supported")


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    for name in _WEIGHT_FILES:
        path = folder / name
        if path.is_file():
            keys = [each.key for each in stored_tensors([path])]
            return {key: tensor.clone() for key, tensor in read_tensors(path, keys)}
    raise CheckpointError(f"{folder} holds no weights; expected {' or '.join(_WEIGHT_FILES)}")


def _plain_key(name: str) -> str:
    """The base's key of a tensor that was saved whole (modules_to_save, biases)."""
    for wrapper in (".modules_to_save.default", ".modules_to_save", ".original_module"):
        name = name.replace(wrapper, "")
    return name.replace(".base_layer", "")


def _product(module: str, pair: Mapping[str, Tensor], config: Mapping[str, Any]) -> LowRank:
    if len(pair) != 2 or any(each.dim() != 2 for each in pair.values()):
        raise CheckpointError(f"the adapter's {module!r} lacks a matrix lora_A or lora_B")
    down, up = pair["A"], pair["B"]
    rank = _number(config, module, "r", "rank_pattern")
    if not down.shape[0] == up.shape[1] == rank:
        raise CheckpointError(
            f"the adapter's {module!r} has lora_A {list(down.shape)} and lora_B {list(up.shape)};"
            f" {CONFIG_FILE} gives it the rank {rank:g}"
        )
    alpha = _number(config, module, "lora_alpha", "alpha_pattern")
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return LowRank(down, up * scale)


def _number(config: Mapping[str, Any], module: str, key: str, patterns: str) -> float:
    """The value of a key for one module, by the first pattern that names the end of its path."""
    value = config.get(key)
    for pattern, special in (config.get(patterns) or {}).items():
        if _names(pattern, module):
            value = special
            break
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise CheckpointError(f"{CONFIG_FILE} has {key} = {value!r}; expected a number above 0")
    return float(value)


def _names(pattern: str, module: str) -> bool:
    """Whether a pattern names a module; only plain names are, as others may never end matching."""
    if not _PLAIN_PATTERN.fullmatch(pattern):
        raise UnsupportedCheckpoint(
            f"{CONFIG_FILE} has the pattern {pattern!r:.80}; expected a plain module name"
        )
    if pattern.startswith("^"):
        return module == pattern[1:]
    return module == pattern or module.endswith(f".{pattern}")
