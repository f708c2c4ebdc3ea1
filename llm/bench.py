"""Tokens per second of one model on this machine: reading a prompt, then writing.

Times are wall clock after one warm-up run; speed does not depend on the weights' values, so a
random model of the real shape is an honest subject. Knows no other engine to compare with.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm.decoding import SamplingParams

if TYPE_CHECKING:
    from llm.engine.engine import Engine
    from llm.models.model import ChatGLM

RANDOM_SHAPES = ("6b", "tiny")


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Medians over the runs."""

    num_parameters: int
    weight_bytes: int
    prompt_tokens: int
    new_tokens: int
    first_token_s: float
    prefill_tokens_per_s: float
    decode_tokens_per_s: float


def random_subject(shape: str, num_layers: int | None, device: str, dtype: str) -> ChatGLM:
    """A model of random weights; `num_layers` cuts the stack where memory is short.

    Raises:
        CheckpointError: an unknown device or dtype, or a number of layers below 1.
    """
    from llm.checkpoints.checkpoint import choose_device, choose_dtype
    from llm.models.build import random_model
    from llm.models.config import chatglm3_6b

    config = chatglm3_6b()
    if shape == "tiny":
        config = replace(
            config, num_layers=2, hidden_size=256, num_heads=4, head_dim=64, rope_dim=32,
            ffn_size=512, vocab_size=4096,
        )  # fmt: skip
    if num_layers is not None:
        config = replace(config, num_layers=num_layers)
    target = choose_device(device)
    return random_model(config, dtype=choose_dtype(dtype, config, target), device=target)


def measure(engine: Engine, prompt_tokens: int, new_tokens: int, num_runs: int = 3) -> BenchReport:
    """Time generation of exactly `new_tokens` after a prompt of `prompt_tokens` plain ids."""
    config = engine.model.config
    prompt = [3 + number % (engine.num_ids - 3) for number in range(prompt_tokens)]
    _timed_run(engine, prompt, min(2, new_tokens), run=-1)
    runs = sorted(_timed_run(engine, prompt, new_tokens, run) for run in range(num_runs))
    first_s = runs[len(runs) // 2][0]
    rest_s = sorted(run[1] for run in runs)[len(runs) // 2]
    model = engine.model
    return BenchReport(
        num_parameters=config.num_parameters,
        weight_bytes=sum(each.nbytes for each in (*model.parameters(), *model.buffers())),
        prompt_tokens=prompt_tokens,
        new_tokens=new_tokens,
        first_token_s=first_s,
        prefill_tokens_per_s=prompt_tokens / first_s,
        decode_tokens_per_s=(new_tokens - 1) / rest_s,
    )


def _timed_run(engine: Engine, prompt: list[int], new_tokens: int, run: int) -> tuple[float, float]:
    """Seconds to the first token, and from there to the last.

    Every run is a tenant of its own, so that none finds the prompt cached by the one before.

    Sampling reads the scores on the CPU, so every token is a synchronisation with a GPU.
    """
    params = SamplingParams(temperature=0, max_tokens=new_tokens)
    start = time.perf_counter()
    stream = engine.generate(prompt, params, tenant=str(run))
    next(stream)
    first = time.perf_counter()
    for _ in stream:
        pass
    return first - start, time.perf_counter() - first
