"""The project's engine as a subject of cpu_kernels.py: one model, commands on stdin.

Each layer is built and quantised in turn, as a loader would, so the largest resident set is
honest. All layers have the same random values, in memory of their own: speed does not see it.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from llm.checkpoints.weight_loader import release_free_memory
from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.scheduler import EngineLimits
from llm.kernels.cpu.selection import kernel_name
from llm.kernels.quantized_linear import bits_of, quantize_linear
from llm.models import naive
from llm.models.build import empty_model
from llm.models.config import chatglm3_6b
from llm.models.model import ChatGLM

BITS = {"bf16": None, "int8": 8, "int4": 4}
MEMORY = ("VmHWM", "VmRSS")


def main() -> None:
    """Build the model, then serve commands from stdin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--type", choices=tuple(BITS), required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    subject = Subject(model_of(chosen.weights, BITS[chosen.type], chosen.layers))
    release_free_memory()
    say({"ready": kernel_name()})
    for line in sys.stdin:
        command = json.loads(line)
        say(getattr(subject, command.pop("do"))(**command))


def model_of(weights: Path, bits: int | None, num_layers: int) -> ChatGLM:
    """The ChatGLM3-6B shape, cut to num_layers, with bfloat16 where nothing is quantised."""
    model = empty_model(replace(chatglm3_6b(), num_layers=num_layers)).to(torch.bfloat16)
    for name, module in list(model.named_modules()):
        parent, _, attribute = name.rpartition(".")
        if isinstance(module, nn.Linear):
            weight = stored(weights, attribute)
            bias = stored(weights, "qkv_bias") if module.bias is not None else None
            setattr(model.get_submodule(parent), attribute, linear(name, weight, bias, bits))
        elif isinstance(module, nn.Embedding):
            module.weight = frozen(stored(weights, attribute))
        elif not list(module.children()):
            module.weight = frozen(torch.ones(module.weight.shape, dtype=torch.bfloat16))
    return model


def linear(
    name: str, weight: torch.Tensor, bias: torch.Tensor | None, bits: int | None
) -> nn.Module:
    """The module that a model quantised to `bits` has at `name`."""
    width = None if bits is None else bits_of(name, bits)
    if width is not None:
        return quantize_linear(weight, bias, width)
    module = nn.Linear(*reversed(weight.shape), bias=bias is not None, device="meta")
    module.weight = frozen(weight)
    if bias is not None:
        module.bias = frozen(bias)
    return module


def stored(weights: Path, name: str) -> torch.Tensor:
    """One array of the weights, as bfloat16."""
    array = np.load(weights / f"{name}.npy", mmap_mode="c")
    return torch.from_numpy(array).to(torch.bfloat16)


def frozen(values: torch.Tensor) -> nn.Parameter:
    """A parameter that is not trained."""
    return nn.Parameter(values, requires_grad=False)


class Subject:
    """One model behind one engine, without drafts and without a cache from turn to turn."""

    def __init__(self, model: ChatGLM) -> None:
        limits = EngineLimits(cache_tokens=2048, step_tokens=512, max_draft_tokens=0)
        self._engine = Engine(model, limits=limits)
        self._num_runs = 0

    def prefill(self, ids: list[int]) -> dict[str, float]:
        """Seconds from an empty cache to the first token behind ids."""
        start = clocks()
        next(self._stream(ids, 1))
        return since(start)

    def decode(self, ids: list[int], num_tokens: int) -> dict[str, float]:
        """Seconds for num_tokens greedy tokens behind the first one."""
        stream = self._stream(ids, num_tokens + 1)
        next(stream)
        start = clocks()
        count = sum(1 for _ in stream)
        if count != num_tokens:
            raise RuntimeError(f"{count} tokens came, {num_tokens} were asked for")
        return since(start)

    def scores(self, ids: list[int]) -> dict[str, list[float]]:
        """The scores behind the last of ids, to see that both engines hold the same weights."""
        with torch.inference_mode():
            (values,) = naive.logits(self._engine.model, [ids])
        return {"scores": [round(float(value), 4) for value in values[-1]]}

    def memory(self) -> dict[str, int]:
        """Resident bytes, as Linux counts them."""
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return {key: 1024 * int(line.split()[1]) for line in lines for key in MEMORY if key in line}

    def _stream(self, ids: list[int], num_tokens: int) -> TokenStream:
        self._num_runs += 1  # a tenant of its own finds nothing cached
        params = SamplingParams(temperature=0, max_tokens=num_tokens)
        return self._engine.generate(ids, params, tenant=str(self._num_runs))


def clocks() -> tuple[float, float]:
    """Wall clock, and processor time of all threads of this process."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> dict[str, float]:
    """Seconds on both clocks since `start`."""
    wall, cpu = clocks()
    return {"wall": wall - start[0], "cpu": cpu - start[1]}


def say(value: object) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
