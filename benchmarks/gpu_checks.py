"""What must hold on a GPU before its speed means anything: the fast path says what the plain says.

Greedy ids are compared in float32, where rounding does not turn near equals around; half
precision is compared by the error of its scores.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from benchmarks.gpu_measures import Subject
from benchmarks.gpu_reference import Reference
from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.scheduler import EngineLimits
from llm.kernels.paged_attention import TOLERANCE, relative_error
from llm.models import naive
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM

# Random layers say so little that the next id would hang on the last one alone.
LOUDER = 5.0
GREEDY = SamplingParams(temperature=0, max_tokens=24)


def failures(subject: Subject) -> list[str]:
    """The checks that do not hold, in words."""
    checks: Sequence[Callable[[Subject], str | None]] = (
        _scores_equal_transformers,
        _scores_of_the_real_shape_equal_transformers,
        _ids_equal_the_plain_pass,
    )
    return [failure for check in checks if (failure := check(subject))]


def _scores_equal_transformers(subject: Subject) -> str | None:
    model = random_model(_narrow(subject), device=subject.device)
    return _compare(subject, model, 1e-4, "narrow, float32")


def _scores_of_the_real_shape_equal_transformers(subject: Subject) -> str | None:
    return _compare(subject, subject.model, TOLERANCE[torch.bfloat16], "real shape, bfloat16")


def _compare(subject: Subject, model: ChatGLM, tolerance: float, what: str) -> str | None:
    ids = subject.prompt(48, seed=1)
    ids = [token_id % model.config.vocab_size for token_id in ids]
    (ours,) = naive.logits(model, [ids])
    error = relative_error(ours, Reference(model).logits(ids))
    return None if error <= tolerance else f"logits ({what}) are off by {error:.2g}"


def _ids_equal_the_plain_pass(subject: Subject) -> str | None:
    """Alone, in a batch and with drafts: every id as the whole forward pass chooses it."""
    model = random_model(_narrow(subject), device=subject.device)
    for weight in model.layers.parameters():
        if weight.dim() == 2:
            weight.mul_(LOUDER)
    prompts = [subject.prompt(length, seed=length) for length in (1, 9, 17, 40)]
    prompts = [[each % model.config.vocab_size for each in ids] * 2 for ids in prompts]
    expected = [naive.greedy(model, ids, GREEDY.max_tokens) for ids in prompts]
    for drafts in (0, 8):
        engine = Engine(model, limits=EngineLimits(cache_tokens=4096, max_draft_tokens=drafts))
        # Twice: the first step of a shape is computed by the plain pass beside it.
        for run in range(2):
            alone = [
                [token.id for token in engine.generate(ids, GREEDY, tenant=f"{run}")]
                for ids in prompts
            ]
            streams = [engine.generate(ids, GREEDY, tenant=f"{run} all") for ids in prompts]
            steps = list(zip(*streams, strict=True))
            together = [[step[row].id for step in steps] for row in range(len(prompts))]
            if alone != expected or together != expected:
                return f"greedy ids differ from the plain pass, run {run} with {drafts} drafts"
    return None


def _narrow(subject: Subject) -> ModelConfig:
    return replace(
        subject.config, hidden_size=128, num_heads=8, head_dim=16, rope_dim=8, ffn_size=256,
        vocab_size=1024, max_context=512,
    )  # fmt: skip
