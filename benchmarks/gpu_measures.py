"""The measurements of benchmarks.gpu, each a function from the subject to numbers.

Times are wall clock around work whose result has been read on the CPU. Ratios are of runs that
took turns, and medians.
"""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

import torch
from torch import nn

from benchmarks.gpu_reference import Reference
from llm.constraints import Restriction
from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.scheduler import EngineLimits
from llm.kernels.paged_attention import relative_error
from llm.kernels.quantized_linear import quantize_model
from llm.models import naive
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM

Numbers = dict[str, Any]
ROUNDS = 3


@dataclass
class Subject:
    """One model shape on one device, and the sizes of the measurements."""

    config: ModelConfig
    device: torch.device
    small: bool
    references: Sequence[dict[str, Any]] = ()
    limits: Numbers = field(default_factory=dict)

    @cached_property
    def model(self) -> ChatGLM:
        return random_model(self.config, dtype=torch.bfloat16, device=self.device)

    def fresh(self, model: ChatGLM | None = None, **limits: int) -> Engine:
        """An engine without drafts unless asked for."""
        given = {"cache_tokens": 160 * 1024, "step_tokens": 4096, "max_draft_tokens": 0, **limits}
        if self.small:
            given["cache_tokens"] = 8192
        return Engine(model or self.model, limits=EngineLimits(**given))

    def size(self, full: int, small: int) -> int:
        return small if self.small else full

    def prompt(self, num_tokens: int, seed: int) -> list[int]:
        """Random ids."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(3, self.config.vocab_size, (num_tokens,), generator=generator).tolist()

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


class Forced:
    """The constraint that leaves one id at every place."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids

    def restriction(self, generated: Sequence[int]) -> Restriction:
        """The next id of the reference."""
        return Restriction(self._ids[len(generated) : len(generated) + 1])


def machine(subject: Subject) -> Numbers:
    """What a large copy and a large product reach here; later measurements are shares of it."""
    source = torch.randint(0, 255, (subject.size(2**32, 2**24),), dtype=torch.uint8)
    source = source.to(subject.device)
    target = torch.empty_like(source)
    copy_s = _median_s(subject, lambda: target.copy_(source))
    size = subject.size(8192, 256)
    left, right = (
        torch.randn(size, size, device=subject.device, dtype=torch.bfloat16) for _ in range(2)
    )
    product_s = _median_s(subject, lambda: left @ right)
    subject.limits["bytes_per_s"] = 2 * source.numel() / copy_s
    subject.limits["flop_per_s"] = 2 * size**3 / product_s
    name = "cpu" if subject.device.type == "cpu" else torch.cuda.get_device_name(subject.device)
    return {"name": name, **subject.limits}


def decode_alone(subject: Subject) -> Numbers:
    """One sequence in bfloat16, against the copy bandwidth and transformers without compiling."""
    contexts = (subject.size(128, 8), subject.size(1024, 16))
    return {f"context {num}": _decode_behind(subject, num) for num in contexts}


def _decode_behind(subject: Subject, context: int) -> Numbers:
    num_tokens, ids = subject.size(128, 6), subject.prompt(context, seed=2)
    engine, reference = subject.fresh(), Reference(subject.model)
    ours, eager = _in_turns(
        lambda: _decode_s(engine, ids, num_tokens),
        lambda: reference.decode_s(ids, num_tokens, None),
    )
    read = _bytes_read(subject.model) + context * _kv_bytes(subject.config)
    return {
        "tokens_per_s": num_tokens / ours,
        "share_of_copy_bandwidth": read * num_tokens / ours / subject.limits["bytes_per_s"],
        "transformers_eager_tokens_per_s": num_tokens / eager,
        "ratio_to_eager": eager / ours,
    }


def decode_against_static_cache(subject: Subject) -> Numbers:
    """The same against transformers' static cache, which it compiles (in the first call)."""
    num_tokens, ids = subject.size(128, 6), subject.prompt(subject.size(128, 8), seed=2)
    engine, reference = subject.fresh(), Reference(subject.model)
    ours, static = _in_turns(
        lambda: _decode_s(engine, ids, num_tokens),
        lambda: reference.decode_s(ids, num_tokens, "static"),
    )
    return {
        "tokens_per_s": num_tokens / ours,
        "transformers_static_tokens_per_s": num_tokens / static,
        "ratio_to_static": static / ours,
    }


def batch(subject: Subject) -> Numbers:
    """Many prompts at once, reading and writing, against transformers' continuous batching."""
    num_rows, num_tokens = subject.size(64, 3), subject.size(128, 4)
    prompts = [subject.prompt(subject.size(512, 8), seed=row) for row in range(num_rows)]
    engine = subject.fresh(max_running=num_rows)
    params = SamplingParams(temperature=0, max_tokens=num_tokens)
    found: Numbers = {}
    for run in range(2):  # the first records the shapes
        start = time.perf_counter()
        streams = [engine.generate(ids, params, tenant=str(run)) for ids in prompts]
        for stream in streams:
            next(stream)
        written = time.perf_counter()
        count = sum(len(step) for step in zip(*streams, strict=True))
        end = time.perf_counter()
        found["tokens_per_s"] = num_rows * num_tokens / (end - start)
        found["decode_tokens_per_s"] = count / (end - written)
    alone_s = _decode_s(subject.fresh(), prompts[0], num_tokens)
    found["decode_ratio_to_one"] = found["decode_tokens_per_s"] * alone_s / num_tokens
    theirs = Reference(subject.model).batch_tokens_per_s(prompts, num_tokens)
    found["transformers_tokens_per_s"] = theirs
    found["ratio"] = found["tokens_per_s"] / theirs
    return found


def prefill(subject: Subject) -> Numbers:
    """Reading one long prompt, as a share of the product's rate; then the first token warm."""
    ids = subject.prompt(subject.size(4096, 64), seed=5)
    engine = subject.fresh()
    cold, warm = [], []
    for run in range(ROUNDS + 1):
        cold.append(_first_token_s(engine, ids, str(run)))
        warm.append(_first_token_s(engine, ids, str(run)))
    cold_s, warm_s = median(cold[1:]), median(warm[1:])
    rate = _prefill_flop(subject.model, len(ids)) / cold_s
    return {
        "tokens": len(ids),
        "cold_first_token_s": cold_s,
        "warm_first_token_s": warm_s,
        "cold_over_warm": cold_s / warm_s,
        "tokens_per_s": len(ids) / cold_s,
        "share_of_matmul": rate / subject.limits["flop_per_s"],
    }


def prompt_lookup(subject: Subject) -> Numbers:
    """Seconds with drafts off over seconds with drafts on, for answers forced id by id."""
    references = subject.references
    if not references:
        evidence = subject.prompt(subject.size(200, 20), seed=8)
        prompt = subject.prompt(subject.size(900, 10), seed=9) + evidence
        kinds = {"made up, a copy": evidence, "made up, no copy": evidence[::-1]}
        references = [{"kind": k, "prompt": prompt, "answer": a} for k, a in kinds.items()]
    engines = [subject.fresh(max_draft_tokens=drafts) for drafts in (0, 8)]
    for engine in engines:
        _say_s(engine, references[0])
    found: Numbers = {}
    for kind in dict.fromkeys(each["kind"] for each in references):
        same = [each for each in references if each["kind"] == kind]
        rows = [[_say_s(engine, each) for engine in engines] for each in same]
        off, on = (sum(row[side] for row in rows) for side in (0, 1))
        worst = min(row[0] / row[1] for row in rows)
        found[kind] = {"answers": len(rows), "ratio": off / on, "worst": worst}
    return found


def quantized(subject: Subject) -> Numbers:
    """Int8 and int4 weights against bfloat16, alone; each model takes the place of the last."""
    num_tokens, ids = subject.size(128, 6), subject.prompt(subject.size(128, 8), seed=2)
    plain = num_tokens / _decode_s(subject.fresh(), ids, num_tokens)
    found: Numbers = {"bfloat16_tokens_per_s": plain}
    (expected,) = naive.logits(subject.model, [ids])
    del subject.model
    for bits in (8, 4):
        gc.collect()
        model = random_model(subject.config, dtype=torch.bfloat16, device=subject.device)
        quantize_model(model, bits)
        engine = subject.fresh(model)
        (scores,) = naive.logits(model, [ids])
        rate = num_tokens / _decode_s(engine, ids, num_tokens)
        found[f"int{bits}"] = {
            "tokens_per_s": rate,
            "ratio": rate / plain,
            "relative_error_of_scores": relative_error(scores, expected),
        }
        del model, engine
    return found


MEASURES: dict[str, Callable[[Subject], Numbers]] = {
    "machine": machine,
    "decode_alone": decode_alone,
    "prefill": prefill,
    "prompt_lookup": prompt_lookup,
    "batch": batch,
    "decode_against_static_cache": decode_against_static_cache,
    "quantized": quantized,  # last: it gives up the model
}


def _decode_s(engine: Engine, ids: Sequence[int], num_tokens: int) -> float:
    """Seconds for `num_tokens` behind the first, the best of two after one that records."""
    params = SamplingParams(temperature=0, max_tokens=num_tokens + 1)
    times = []
    for _ in range(3):
        stream = engine.generate(ids, params)
        next(stream)
        start = time.perf_counter()
        count = sum(1 for _ in stream)
        times.append(time.perf_counter() - start)
        if count != num_tokens:
            raise RuntimeError(f"{count} tokens came, {num_tokens} were asked for")
    return min(times[1:])


def _first_token_s(engine: Engine, ids: Sequence[int], tenant: str) -> float:
    start = time.perf_counter()
    stream = engine.generate(ids, SamplingParams(temperature=0, max_tokens=1), tenant=tenant)
    next(stream)
    return time.perf_counter() - start


def _say_s(engine: Engine, reference: dict[str, Any]) -> float:
    """Seconds from the first to the last id of a forced answer."""
    answer = reference["answer"]
    params = SamplingParams(temperature=0, max_tokens=len(answer))
    stream = engine.generate(reference["prompt"], params, constraint=Forced(answer))
    said = [next(stream).id]
    start = time.perf_counter()
    said += [token.id for token in stream]
    elapsed_s = time.perf_counter() - start
    if said != answer:
        raise RuntimeError(f"said {said[:20]}…; expected {answer[:20]}…")
    return elapsed_s


def _in_turns(*runs: Callable[[], float]) -> list[float]:
    """The median of each, after one round that warms up."""
    rounds = [[run() for run in runs] for _ in range(ROUNDS + 1)]
    return [median(times) for times in zip(*rounds[1:], strict=True)]


def _median_s(subject: Subject, work: Callable[[], object]) -> float:
    times = []
    for _ in range(8):
        subject.wait()
        start = time.perf_counter()
        work()
        subject.wait()
        times.append(time.perf_counter() - start)
    return median(times[2:])


def _linears(model: ChatGLM) -> Iterable[nn.Linear]:
    return (module for module in model.modules() if isinstance(module, nn.Linear))


def _bytes_read(model: ChatGLM) -> int:
    """Of all weights that one decoded token needs."""
    return sum(
        part.numel() * part.itemsize for each in _linears(model) for part in each.parameters()
    )


def _kv_bytes(config: ModelConfig) -> int:
    return 2 * config.num_layers * config.num_kv_groups * config.head_dim * 2


def _prefill_flop(model: ChatGLM, num_tokens: int) -> float:
    """Products with weights (the head's for one token), and attention below the diagonal."""
    config = model.config
    linear = sum(each.weight.numel() for each in _linears(model) if each is not model.head)
    mixed = 2 * config.num_layers * num_tokens**2 * config.num_heads * config.head_dim
    return 2 * linear * num_tokens + 2 * model.head.weight.numel() + mixed
