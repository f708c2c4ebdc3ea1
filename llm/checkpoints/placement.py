"""Which device each layer lies on, and how the hidden state crosses from one to the next.

Knows devices and module names. Does not know weights; with one device nothing here does work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from llm.errors import CheckpointError
from llm.models.model import ChatGLM, Step


@dataclass(frozen=True, slots=True)
class Placement:
    """The device of every layer; embeddings lie with the first, what follows with the last."""

    layers: tuple[torch.device, ...]

    def device_of(self, module: str) -> torch.device:
        """The device of one of the model's modules."""
        if module.startswith("layers."):
            return self.layers[int(module.split(".", 2)[1])]
        return self.layers[0] if module == "embedding" else self.layers[-1]


def spread(num_layers: int, devices: list[torch.device]) -> Placement:
    """Layers over devices in order, as evenly as their number allows."""
    return Placement(tuple(devices[n * len(devices) // num_layers] for n in range(num_layers)))


def explicit(num_layers: int, devices: Mapping[int, torch.device]) -> Placement:
    """A device for each layer by its number.

    Raises:
        CheckpointError: a layer without a device, or a number that is no layer.
    """
    if sorted(devices) != list(range(num_layers)):
        raise CheckpointError(
            f"device_map names the layers {sorted(devices)}; expected 0 to {num_layers - 1}"
        )
    return Placement(tuple(devices[number] for number in range(num_layers)))


def connect(model: ChatGLM, placement: Placement) -> ChatGLM:
    """Make the layers of several devices fetch what they work on; returns the model."""
    if len(set(placement.layers)) == 1:
        return model
    last_on = {device: number for number, device in enumerate(placement.layers)}
    crossings = {device: _Crossing(device, last) for device, last in last_on.items()}
    for device, block in zip(placement.layers, model.layers, strict=True):
        block.register_forward_pre_hook(crossings[device])
    return model


class _Crossing:
    """Moves a layer's inputs to its device; what all layers share is moved once a step."""

    def __init__(self, device: torch.device, last_layer: int) -> None:
        self._device = device
        self._last_layer = last_layer
        self._moved: tuple[Step, Step] | None = None

    def __call__(self, block: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x, step, layer = inputs
        if self._moved is None or self._moved[0] is not step:
            self._moved = (step, _move_step(step, self._device))
        moved = self._moved[1]
        if layer == self._last_layer:
            self._moved = None  # it holds the cache
        return x.to(self._device), moved, layer


def _move_step(step: Step, device: torch.device) -> Step:
    batch = step.batch
    return replace(
        step,
        batch=replace(
            batch,
            slots=batch.slots.to(device),
            slices=tuple(replace(part, pages=part.pages.to(device)) for part in batch.slices),
        ),
        cos=step.cos.to(device),
        sin=step.sin.to(device),
        biases=tuple(_move(bias, device) for bias in step.biases),
    )


def _move(tensor: Tensor | None, device: torch.device) -> Tensor | None:
    return None if tensor is None else tensor.to(device)
