"""Fill an empty model module by module: read, join, reorder, adapt, quantise, move.

Knows the way of one module's values from the files to a device; what must be there was checked
before (weight_plan.py). Holds at most one module's values beside the model, and gives what loading
needed back to the system.

H heads, G key/value groups, D head dimension.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from llm.checkpoints.lora import Adapter, LoraLinear, LowRank, side_by_side
from llm.checkpoints.placement import Placement
from llm.checkpoints.weight_files import StoredTensor, read_tensors
from llm.checkpoints.weight_plan import StoredModule, WeightPlan
from llm.errors import UnsupportedCheckpoint
from llm.kernels.quantization import dequantize_rows, unpack_int4
from llm.kernels.quantized_linear import Int4Linear, Int8Linear, bits_of, quantize_linear
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM


class NoHead(nn.Module):
    """Stands where a checkpoint that only classifies has no output layer."""

    def forward(self, x: Tensor) -> Tensor:
        raise UnsupportedCheckpoint("this checkpoint only classifies: it has no output layer")


@dataclass(frozen=True, slots=True)
class Weights:
    """Values by key, read one at a time; `overlay` holds those that replace a file's."""

    stored: Mapping[str, StoredTensor]
    overlay: Mapping[str, Tensor]

    def __getitem__(self, key: str) -> Tensor:
        if key in self.overlay:
            return self.overlay[key]
        ((_, value),) = read_tensors(self.stored[key].file, [key])
        return value


@dataclass(frozen=True, slots=True)
class WeightLoader:
    """How values are changed on their way into the model.

    `quantize_bits` (0: none) rounds the linear layers of a float checkpoint; `dequantize` makes
    a quantised one compute in floating point, exactly as stored.
    """

    weights: Weights
    adapter: Adapter
    placement: Placement
    dtype: torch.dtype
    quantize_bits: int = 0
    dequantize: bool = False

    def fill(self, model: ChatGLM, plan: WeightPlan) -> None:
        """Give every parameter of an empty model its value."""
        rows = qkv_order(model.config)
        for module in plan.modules:
            self._fill_module(model, module, rows if module.name.endswith(".qkv") else None)
        self._fill_head(model, plan)
        if plan.prefix:
            self._fill_prefix(model, plan)

    def _fill_module(self, model: ChatGLM, module: StoredModule, rows: Tensor | None) -> None:
        bits = self._bits(module)
        if bits:
            linear = self._quantized(module, rows, bits)
            _replace(model, module.name, linear)
            return
        values = {name: self._joined(module, name, rows) for name in module.shapes}
        if module.bits:
            values["weight"] = self._dequantized(module, values["weight"], rows)
        product = self._product(module, rows)
        if product is not None:
            values["weight"] = values["weight"].float() + product.delta()
        self._assign(model.get_submodule(module.name), module, values)

    def _bits(self, module: StoredModule) -> int:
        """The width of the quantised layer that the module becomes; 0 for a float one."""
        if module.bits:
            keeps = module.name.startswith("layers.") and not self.dequantize
            return module.bits if keeps else 0
        if not self.quantize_bits or not (module.name == "head" or module.is_layer_linear):
            return 0
        return bits_of(module.name, self.quantize_bits) or 0

    def _joined(self, module: StoredModule, name: str, rows: Tensor | None) -> Tensor:
        """The rows of all sources in the model's order; a view of a file where nothing changes."""
        parts = [self.weights[f"{source}.{name}"] for source in module.sources]
        value = parts[0] if len(parts) == 1 else torch.cat(parts)
        return value if rows is None else value.index_select(0, rows)

    def _quantized(self, module: StoredModule, rows: Tensor | None, bits: int) -> nn.Module:
        device = self.placement.device_of(module.name)
        weight = self._joined(module, "weight", rows)
        bias = self._joined(module, "bias", rows) if "bias" in module.shapes else None
        linear: nn.Module
        if not module.bits:
            linear = quantize_linear(weight, bias, bits)
        else:
            scale = self._joined(module, "weight_scale", rows)
            kind = Int8Linear if bits == 8 else Int4Linear
            linear = kind.from_canonical(weight, scale, bias)
        linear = linear.to(device)
        product = self._product(module, rows)
        if product is None:
            return linear
        moved = LowRank(self._ready(product.down, device), self._ready(product.up, device))
        return LoraLinear(linear, moved)

    def _dequantized(self, module: StoredModule, weight: Tensor, rows: Tensor | None) -> Tensor:
        codes = unpack_int4(weight) if module.bits == 4 else weight
        return dequantize_rows(codes, self._joined(module, "weight_scale", rows))

    def _product(self, module: StoredModule, rows: Tensor | None) -> LowRank | None:
        products = [self.adapter.products.get(source) for source in module.sources]
        product = side_by_side(products, module.rows)
        if product is None or rows is None:
            return product
        return LowRank(product.down, product.up.index_select(0, rows))

    def _ready(self, value: Tensor, device: torch.device) -> Tensor:
        # A copy even where nothing changes: the tensor may be a view of the mapped file.
        return value.to(device=device, dtype=self.dtype, copy=True)

    def _assign(
        self, target: nn.Module, module: StoredModule, values: Mapping[str, Tensor]
    ) -> None:
        device = self.placement.device_of(module.name)
        for name, _ in list(target.named_parameters(recurse=False)):
            if name not in values:
                setattr(target, name, None)
        for name, value in values.items():
            setattr(target, name, nn.Parameter(self._ready(value, device), requires_grad=False))

    def _fill_head(self, model: ChatGLM, plan: WeightPlan) -> None:
        if plan.head == "absent":
            _replace(model, "head", NoHead())
            return
        embedding = model.embedding.weight
        if plan.head == "tied":
            self._share(model, embedding)
        elif isinstance(model.head, nn.Linear) and _equal(model.head.weight, embedding):
            model.head.weight = embedding

    def _share(self, model: ChatGLM, embedding: Tensor) -> None:
        device = self.placement.device_of("head")
        bits = bits_of("head", self.quantize_bits) if self.quantize_bits else None
        if bits:
            _replace(model, "head", quantize_linear(embedding.detach(), None, bits).to(device))
            return
        if embedding.device != device:
            embedding = nn.Parameter(embedding.to(device), requires_grad=False)
        model.head.weight = embedding

    def _fill_prefix(self, model: ChatGLM, plan: WeightPlan) -> None:
        config = model.config
        values = {
            key.split(".prefix_encoder.")[1]: self.weights[key].float() for key in plan.prefix
        }
        prefix = values["embedding.weight"]
        if "trans.0.weight" in values:
            inner = nn.functional.linear(prefix, values["trans.0.weight"], values["trans.0.bias"])
            prefix = nn.functional.linear(
                inner.tanh(), values["trans.2.weight"], values["trans.2.bias"]
            )
        # (P, 2 L, G, D): for each layer keys, then values.
        layers = prefix.view(-1, 2 * config.num_layers, config.num_kv_groups, config.head_dim)
        pairs = pair_order(config)
        for number in range(config.num_layers):
            keys, contents = layers[:, 2 * number], layers[:, 2 * number + 1]
            if pairs is not None:
                keys = keys[..., pairs]
            device = self.placement.device_of(f"layers.{number}")
            both = self._ready(torch.stack((keys, contents)), device)
            model.get_submodule(f"layers.{number}.attention").register_buffer("prefix", both)


def _equal(head: Tensor, embedding: Tensor) -> bool:
    return head.device == embedding.device and torch.equal(head, embedding)


def _replace(model: ChatGLM, name: str, module: nn.Module) -> None:
    owner, _, attribute = name.rpartition(".")
    setattr(model.get_submodule(owner), attribute, module)


# The two row orders below are those of releases; scores and outputs do not change with them,
# because a query and a key are permuted alike.
def pair_order(config: ModelConfig) -> Tensor | None:
    """For each of the model's D dimensions of a query or key, the stored one; None if the same."""
    if not config.row_order.rotate_half:
        return None
    order = torch.arange(config.head_dim)
    rotated = order[: config.rope_dim].view(config.rope_axes, 2, -1)
    return torch.cat((rotated.transpose(1, 2).flatten(), order[config.rope_dim :]))


def qkv_order(config: ModelConfig) -> Tensor | None:
    """For each of the model's rows of qkv, (H + 2G) D of them, the stored one; None if the same."""
    pairs = pair_order(config)
    if pairs is None and not config.row_order.per_head:
        return None
    dim = config.head_dim
    heads = torch.arange((config.num_heads + 2 * config.num_kv_groups) * dim)
    if config.row_order.per_head:
        heads = heads.view(config.num_heads, 3, dim).transpose(0, 1)
    heads = heads.reshape(-1, dim)
    if pairs is not None:
        num_turned = config.num_heads + config.num_kv_groups
        heads = torch.cat((heads[:num_turned, pairs], heads[num_turned:]))
    return heads.flatten()


def release_free_memory() -> bool:
    """Collect garbage and return free pages; False where the C library (not glibc) cannot.

    glibc keeps freed pieces below 32 MB for later: after quantising a large model these are
    hundreds of megabytes that nobody will ask for again.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library called None
        return False
    return bool(trim(0))
