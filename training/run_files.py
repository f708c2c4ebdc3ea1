"""What a training run keeps in its folder: the checkpoint it goes on from, and its curve.

Knows files, optimiser state and the average of weights; what else is in a checkpoint is the
run's. Whoever kills the process finds the old checkpoint or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT_FILE = "checkpoint.safetensors"
CURVE_FILE = "curve.jsonl"


def save_checkpoint(
    folder: Path,
    tensors: Mapping[str, Tensor],
    optimiser: torch.optim.Optimizer,
    facts: Mapping[str, str],
) -> None:
    """Write tensors, the optimiser's state and facts to the folder's checkpoint."""
    kept = dict(tensors)
    for index, values in optimiser.state_dict()["state"].items():
        kept |= {f"optimiser.{index}.{key}": value for key, value in values.items()}
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{CHECKPOINT_FILE}.tmp"
    contiguous = {name: value.detach().cpu().contiguous() for name, value in kept.items()}
    save_file(contiguous, unfinished, metadata=dict(facts))
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(folder / CHECKPOINT_FILE)


def read_checkpoint(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Facts and tensors of a checkpoint."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return file.metadata(), tensors


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimiser the state that a checkpoint's tensors hold."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".")
            state.setdefault(int(index), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


@torch.no_grad()
def follow(average: Mapping[str, Tensor], network: nn.Module, step: int, decay: float) -> None:
    """Move the average of a network's weights; early on it follows faster (Polyak averaging)."""
    live = dict(network.named_parameters())
    share = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.values()), [live[name] for name in average], share)


class CurveFile:
    """Appends lines of JSON to a file; lines behind `step` are cut off first."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_curve(path) if 0 < step >= line["step"]]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def add(self, line: Mapping[str, float]) -> str:
        """Write a line and return it."""
        text = json.dumps(line)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        return text


def read_curve(path: Path) -> list[dict[str, Any]]:
    """The lines of a curve file, an unfinished last one left out; empty when there is none."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]
