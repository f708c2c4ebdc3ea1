"""The training loop of the encoder: steps, checkpoints, the curve and what the probes say.

Knows how a run goes on after it was killed: a checkpoint is weights, optimiser and the step, and
everything else is a function of seed and step. Does not know text, retrieval or what is exported.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from training.contrastive import EncodedPair, IntArray, by_source, contrastive_loss, drawn
from training.encoder.network import embed_all, starting_encoder
from training.encoder.prepared import Prepared, Probe
from training.encoder.recipe import EncoderRecipe, Schedule, kind_of

CHECKPOINT_FILE = "checkpoint.safetensors"
CURVE_FILE = "curve.jsonl"
VECTORS = "embed_tokens.weight"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to train: device, and threads on a CPU."""

    device: str = "cpu"
    num_threads: int = 1


def rate_factor(schedule: Schedule, step: int) -> float:
    """Share of the learning rates at a step (from 0): linear up, then linear down to zero."""
    up = (step + 1) / max(1, schedule.warmup_steps)
    return min(up, (schedule.num_steps - step) / schedule.num_steps)


def source_shares(prepared: Prepared, recipe: EncoderRecipe) -> list[float]:
    """How often each source gives a batch: the share of its kind, divided by root of its size."""
    sizes = np.bincount([p.source for p in prepared.pairs], minlength=len(prepared.sources)) ** 0.5
    kinds = [kind_of(source) for source in prepared.sources]
    shares = dict(recipe.shares)
    sums = {kind: sum(s for s, k in zip(sizes, kinds, strict=True) if k == kind) for kind in shares}
    return [
        float(shares[kind] * size / sums[kind]) for size, kind in zip(sizes, kinds, strict=True)
    ]


class Run:
    """One training run in a folder; ``resume`` goes on where the last checkpoint stands."""

    def __init__(
        self, folder: Path, prepared: Prepared, recipe: EncoderRecipe, machine: Machine
    ) -> None:
        torch.set_num_threads(machine.num_threads)
        self.folder = folder
        self.recipe = recipe
        self.step = 0
        self.seconds = 0.0
        self._prepared = prepared
        self._device = machine.device
        model = starting_encoder(prepared.table, recipe.size, recipe.seed)
        self.model = model.to(machine.device).train()
        self._optimiser = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98), fused=True)
        self._rates = [group["lr"] for group in self._optimiser.param_groups]

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices of the layers decay; word vectors and norms do not."""
        schedule = self.recipe.schedule
        layers = {n: p for n, p in self.model.named_parameters() if n != VECTORS}
        return [
            {"params": [self.model.get_parameter(VECTORS)], "lr": schedule.vector_rate}
            | {"weight_decay": 0.0},
            {"params": [p for p in layers.values() if p.ndim > 1], "lr": schedule.learning_rate}
            | {"weight_decay": schedule.weight_decay},
            {"params": [p for p in layers.values() if p.ndim < 2], "lr": schedule.learning_rate}
            | {"weight_decay": 0.0},
        ]

    def train(self, until: int, deadline: float | None, log: Log) -> None:
        """Train up to the step ``until``; stop earlier at ``deadline`` (seconds since the epoch).

        The learning rate follows the schedule of the recipe, whenever the run is stopped.
        """
        schedule = self.recipe.schedule
        curve = Curve(self.folder / CURVE_FILE, self.step)
        if self.step == 0:
            log(curve.add({"step": 0, "pairs": 0, "seconds": 0.0} | self.probe()))
        losses: list[float] = []
        hits: list[float] = []
        for batch in islice(self._batches(), self.step, min(until, schedule.num_steps)):
            began = time.monotonic()
            loss, share = self._train_step(batch)
            losses.append(loss)
            hits.append(share)
            self.step += 1
            self.seconds += time.monotonic() - began
            is_over = deadline is not None and time.time() >= deadline
            is_last = self.step == min(until, schedule.num_steps)
            if self.step % schedule.report_every == 0 or is_over or is_last:
                log(curve.add(self._line(losses, hits)))
                losses, hits = [], []
            if self.step % schedule.checkpoint_every == 0 or is_over:
                self.save()
            if is_over:
                return
        self.save()

    def _line(self, losses: list[float], hits: list[float]) -> dict[str, float]:
        schedule = self.recipe.schedule
        line: dict[str, float] = {
            "step": self.step,
            "pairs": self.step * schedule.batch_size,
            "seconds": round(self.seconds, 1),
            "loss": round(float(np.mean(losses)), 4),
            "hits": round(float(np.mean(hits)), 4),
        }
        is_probed = self.step % schedule.probe_every == 0 or self.step == schedule.num_steps
        return line | (self.probe() if is_probed else {})

    def _batches(self) -> Iterator[list[EncodedPair]]:
        sources = by_source(self._prepared.pairs)
        shares = source_shares(self._prepared, self.recipe)
        return drawn(sources, shares, self.recipe.schedule.batch_size, self.recipe.seed)

    def _train_step(self, batch: list[EncodedPair]) -> tuple[float, float]:
        schedule = self.recipe.schedule
        factor = rate_factor(schedule, self.step)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device != "cpu"):
            queries = self._embed([p.query for p in batch], schedule.query_tokens)
            passages = self._embed([p.passage for p in batch], schedule.passage_tokens)
        groups = torch.tensor([p.group for p in batch], device=self._device)
        queries, passages = queries.float(), passages.float()
        loss = contrastive_loss(queries, passages, groups, 1 / schedule.temperature)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.model.parameters(), schedule.clip)
        self._optimiser.step()
        return loss.item(), _share_first(queries.detach() @ passages.detach().T, groups)

    def _embed(self, texts: Sequence[IntArray], max_tokens: int) -> Tensor:
        return embed_all(self.model, texts, max_tokens, self.recipe.schedule.rows_per_pass)

    @torch.no_grad()
    def probe(self) -> dict[str, float]:
        """Mean reciprocal rank of the right passage for the held-out questions of each set."""
        self.model.eval()
        found = {probe.name: round(self._rank(probe), 4) for probe in self._prepared.probes}
        self.model.train()
        return found

    def _rank(self, probe: Probe) -> float:
        schedule = self.recipe.schedule
        queries = self._embed(probe.questions, schedule.query_tokens)
        scores = (queries @ self._embed(probe.passages, self.recipe.size.max_tokens).T).cpu()
        right = torch.from_numpy(probe.right).long()
        own = scores.gather(1, right[:, None])
        return float((1 / (scores >= own).sum(1)).mean())

    def save(self) -> None:
        """Write the checkpoint; whoever kills the process finds the old one or the new one."""
        tensors = {f"model.{n}": p.detach() for n, p in self.model.named_parameters()}
        for index, values in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{key}": value for key, value in values.items()}
        contiguous = {name: value.cpu().contiguous() for name, value in tensors.items()}
        facts = {"step": str(self.step), "seconds": repr(self.seconds), "recipe": self._recipe()}
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{CHECKPOINT_FILE}.tmp"
        save_file(contiguous, unfinished, metadata=facts)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(self.folder / CHECKPOINT_FILE)

    def _recipe(self) -> str:
        return repr(self.recipe)

    def resume(self) -> bool:
        """Load the checkpoint; False when there is none. ValueError when of another recipe."""
        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return False
        facts, tensors = read_checkpoint(path)
        if facts["recipe"] != self._recipe():
            raise ValueError(f"{path} is of {facts['recipe']}; expected {self._recipe()}")
        self._restore(tensors)
        self.step, self.seconds = int(facts["step"]), float(facts["seconds"])
        return True

    @torch.no_grad()
    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})


def _share_first(scores: Tensor, groups: Tensor) -> float:
    """Share of the queries whose passage, or one of its group, scores best in the batch."""
    return (groups[scores.argmax(1)] == groups).float().mean().item()


def read_checkpoint(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Facts and tensors of a checkpoint."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return file.metadata(), tensors


class Curve:
    """Appends lines of JSON to a file; lines behind ``step`` are cut off first."""

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


def read_curve(path: Path) -> list[dict[str, float]]:
    """The lines of a curve file, an unfinished last one left out; empty when there is none."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]
