"""Minutes of mixed traffic on one engine: no wrong token, every page back, memory flat.

    python -m benchmarks.soak --minutes 30
    python -m benchmarks.soak --minutes 30 --cache-tokens 512 --page-tokens 2

Readers of every manner share an engine with a tiny model: patient, slow, leaving by closing,
dropping, cancelling or being closed by others, with bad prompts, with one that gives NaN, with a
constraint that raises; and now and then a step fails. Every token is compared with the naive path.
In a small cache the youngest are put back and computed again all the time.
"""

import argparse
import json
import logging
import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from benchmarks.memory_watch import MemoryWatch
from llm.constraints import Restriction
from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.sampling import new_generator, sample
from llm.engine.scheduler import EngineLimits
from llm.errors import EngineBusy, GenerationFailed, NonFiniteLogits, PromptError
from llm.models import naive
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import AnyStep, ChatGLM

VOCAB_SIZE = 96
STOP_ID = 2
NAN_ID = 4  # its embedding is not a number
MAX_CONTEXT = 512
MANNERS = {
    "read": 44,
    "read slowly": 10,
    "close": 12,
    "drop": 10,
    "cancel": 10,
    "closed elsewhere": 6,
    "bad prompt": 4,
    "raising constraint": 4,
}
PATIENT = ("read", "read slowly")
STEP_FAILURE_RATE = 0.002
LIMITS = EngineLimits(
    cache_tokens=3072, page_tokens=16, step_tokens=64, max_running=12, max_waiting=4
)


@dataclass(frozen=True)
class Request:
    """A prompt, how to choose, and what the naive path says to it."""

    prompt: tuple[int, ...]
    params: SamplingParams
    output: tuple[int, ...]
    ends_in_nan: bool


class Durations:
    """How often each duration was seen, in steps of five per cent; bounded in size."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[round(math.log(max(seconds, 1e-6), 1.05))] += 1

    @property
    def quantiles_ms(self) -> dict[str, float]:
        """Median and upper end, in milliseconds."""
        steps = sorted(self._counts.elements())
        places = {"median": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {
            name: round(1000 * 1.05 ** steps[min(int(share * len(steps)), len(steps) - 1)], 1)
            for name, share in places.items()
            if steps
        }


@dataclass
class Tally:
    """What all readers saw, under one lock."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    first_token: Durations = field(default_factory=Durations)
    token_gap: Durations = field(default_factory=Durations)
    lock: threading.Lock = field(default_factory=threading.Lock)


class FlakyModel(ChatGLM):
    """A model whose steps fail now and then."""

    dice = random.Random(0)

    def through(self, ids: Tensor, step: AnyStep) -> Tensor:
        """Run the step, or raise for no reason."""
        throw = self.dice.random()
        if throw < STEP_FAILURE_RATE / 2:
            raise MemoryError("injected: cannot allocate memory")
        if throw < STEP_FAILURE_RATE:
            raise RuntimeError("injected")
        return super().through(ids, step)


class RaisingConstraint:
    """Allows everything three times, then raises."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """What may follow."""
        if len(generated) == 3:
            raise KeyError("injected")
        return None


def new_models() -> tuple[ChatGLM, ChatGLM]:
    """The same weights twice: a sound model for reference and a flaky one to serve.

    In float64 and eight times as loud as usual, so that rounding never chooses a token.
    """
    config = ModelConfig(
        num_layers=2,
        hidden_size=32,
        num_heads=4,
        num_kv_groups=2,
        head_dim=8,
        ffn_size=48,
        vocab_size=VOCAB_SIZE,
        max_context=MAX_CONTEXT,
        norm_eps=1e-5,
        rope_dim=4,
    )
    sound = random_model(config, seed=3, dtype=torch.float64)
    for parameter in sound.parameters():
        if parameter.dim() == 2:
            parameter.mul_(8)
    sound.embedding.weight[NAN_ID] = torch.nan
    flaky = FlakyModel(config).requires_grad_(requires_grad=False)
    flaky.load_state_dict(sound.state_dict(), assign=True)
    return sound, flaky.eval()


def answered(model: ChatGLM, prompt: Sequence[int], params: SamplingParams) -> Request:
    """The request with its reference: every token computed from nothing."""
    ids, generator = list(prompt), new_generator(params.seed)
    ends_in_nan = False
    for _ in range(params.max_tokens):
        scores = naive.logits(model, [ids])[0][-1].float()
        try:
            ids.append(sample(scores, params, ids, generator).id)
        except NonFiniteLogits:
            ends_in_nan = True
            break
        if ids[-1] == STOP_ID:
            break
    return Request(tuple(prompt), params, tuple(ids[len(prompt) :]), ends_in_nan)


class Writer:
    """Makes up requests: shared beginnings, repetitions, further turns, NaN; long and short."""

    def __init__(self, model: ChatGLM, seed: int) -> None:
        self._model = model
        self._dice = random.Random(seed)
        self._documents = [self._ids(length) for length in (20, 48, 100, 330)]

    def write(self) -> Request:
        """A new first turn."""
        dice = self._dice
        document = dice.choices(self._documents, (4, 4, 3, 1))[0]
        start = dice.randrange(len(document) - 12)
        tail = dice.choice(
            (
                self._ids(dice.randint(1, 20)),
                document[start : start + 12],
                [dice.randint(5, 95)] * 8,
            )
        )
        prompt = [*document[: dice.choice((len(document), len(document) // 2))], *tail]
        if dice.random() < 0.02:
            prompt[dice.randrange(len(prompt))] = NAN_ID
        return answered(self._model, prompt, self._params())

    def go_on(self, first: Request) -> Request:
        """A next turn: what was said, the answer, and more."""
        prompt = [*first.prompt, *first.output, *self._ids(self._dice.randint(1, 12))]
        return answered(self._model, prompt, self._params())

    def _ids(self, length: int) -> list[int]:
        return [self._dice.randrange(5, VOCAB_SIZE) for _ in range(length)]

    def _params(self) -> SamplingParams:
        dice = self._dice
        max_tokens = dice.choices((1, dice.randint(2, 16), dice.randint(16, 60)), (1, 4, 3))[0]
        if dice.random() < 0.6:
            return SamplingParams(temperature=0, max_tokens=max_tokens)
        return SamplingParams(
            temperature=dice.uniform(0.5, 1.5),
            top_p=dice.uniform(0.7, 1),
            repetition_penalty=dice.choice((1.0, 1.2)),
            max_tokens=max_tokens,
            seed=dice.randrange(2**32),
            top_logprobs=dice.choice((None, 2)),
        )


class Reader(threading.Thread):
    """One client that visits the engine until the time is over."""

    def __init__(
        self,
        engine: Engine,
        requests: Sequence[Request],
        writer: Writer,
        tally: Tally,
        until: float,
    ) -> None:
        super().__init__(daemon=True)
        self._engine = engine
        self._requests = requests
        self._writer = writer
        self._tally = tally
        self._until = until
        self._dice = random.Random(repr(self.name))

    def run(self) -> None:
        """Visit after visit; whatever is raised unexpectedly counts as a wrong answer."""
        while time.monotonic() < self._until:
            manner = self._dice.choices(list(MANNERS), list(MANNERS.values()))[0]
            try:
                ended = self._visit(manner)
            except Exception as error:
                logging.exception("a reader met an error of the wrong kind")
                ended = "wrong error"
                self._report(f"{manner}: {error!r}")
            with self._tally.lock:
                self._tally.counts[manner] += 1
                self._tally.counts[f"→ {ended}"] += 1
            time.sleep(self._dice.expovariate(30))

    def _visit(self, manner: str) -> str:
        if manner == "bad prompt":
            return self._ask_badly()
        fresh = self._dice.random() < 0.02
        request = self._writer.write() if fresh else self._dice.choice(self._requests)
        got: list[int] = []
        leaves_after = self._dice.randint(0, len(request.output))
        rule = RaisingConstraint() if manner == "raising constraint" else None
        try:
            stream = self._engine.generate(
                request.prompt,
                request.params,
                {STOP_ID},
                lambda: manner == "cancel" and len(got) >= leaves_after,
                tenant=self._dice.choice(("red", "green")),
                constraint=rule,
            )
        except EngineBusy:
            return "busy"
        if manner == "closed elsewhere":
            threading.Timer(self._dice.random() / 20, stream.close).start()
        ended = self._read(stream, manner, leaves_after, got)
        self._compare(request, manner, ended, got)
        if manner == "close":
            stream.close()
        return ended

    def _ask_badly(self) -> str:
        prompt = self._dice.choice(([], [VOCAB_SIZE], [-1], [5] * MAX_CONTEXT))
        try:
            self._engine.generate(prompt, SamplingParams())
        except PromptError:
            return "refused"
        raise AssertionError(f"a prompt of {len(prompt)} tokens was accepted")

    def _read(self, stream: TokenStream, manner: str, leaves_after: int, got: list[int]) -> str:
        """Read as the manner says; how it ended."""
        leaves = manner in ("close", "drop")
        last = time.monotonic()
        while not leaves or len(got) < leaves_after:
            try:
                token = next(stream, None)
            except GenerationFailed as error:
                if isinstance(error, NonFiniteLogits):
                    return "NaN"
                return "injected failure" if "injected" in str(error) else f"failed: {error}"
            if token is None:
                return "end"
            now = time.monotonic()
            with self._tally.lock:
                (self._tally.token_gap if got else self._tally.first_token).add(now - last)
            got.append(token.id)
            if manner == "read slowly" and self._dice.random() < 0.2:
                time.sleep(self._dice.random() / 10)
            last = time.monotonic()
        return "left"

    def _compare(self, request: Request, manner: str, ended: str, got: Sequence[int]) -> None:
        whole = manner in PATIENT and ended in ("end", "NaN")
        expected = request.output if whole else request.output[: len(got)]
        fair = ended != "NaN" or request.ends_in_nan
        known = ended in ("end", "left", "NaN", "injected failure")
        if list(expected) != list(got) or not fair or not known:
            self._report(f"{manner}, {ended}: {request} got {got}")
        with self._tally.lock:
            self._tally.counts["tokens compared"] += len(got)
            self._tally.counts["whole outputs compared"] += whole

    def _report(self, text: str) -> None:
        with self._tally.lock:
            self._tally.wrong.append(text)


def soak(
    minutes: float, num_readers: int, num_requests: int, limits: EngineLimits = LIMITS
) -> dict[str, object]:
    """Run the traffic and return its figures; `is_clean` is the verdict."""
    sound, flaky = new_models()
    writer = Writer(sound, seed=1)
    requests = [writer.write() for _ in range(num_requests // 2)]
    turns = (each for each in requests[:] if not each.ends_in_nan)
    requests += [writer.go_on(first) for first in turns if len(first.prompt) < MAX_CONTEXT - 160]
    engine = Engine(flaky, limits=limits)
    num_pages, tally = engine.num_free_pages, Tally()
    started = time.monotonic()
    until = started + 60 * minutes
    readers = [
        Reader(engine, requests, Writer(sound, 100 + number), tally, until)
        for number in range(num_readers)
    ]
    for reader in readers:
        reader.start()
    memory = MemoryWatch()
    memory.watch(until)
    for reader in readers:
        reader.join(timeout=60)
    num_stuck = sum(reader.is_alive() for reader in readers)
    return {
        "minutes": round((time.monotonic() - started) / 60, 2),
        "readers": num_readers,
        "distinct_requests": len(requests),
        "counts": dict(sorted(tally.counts.items())),
        "first_token_ms": tally.first_token.quantiles_ms,
        "token_gap_ms": tally.token_gap.quantiles_ms,
        **memory.figures(),
        "preemptions": engine.num_preemptions,
        "pages_missing": num_pages - engine.num_free_pages,
        "stuck_readers": num_stuck,
        "wrong": tally.wrong[:5],
        "num_wrong": len(tally.wrong),
        "is_clean": not tally.wrong and not num_stuck and engine.num_free_pages == num_pages,
    }


def main() -> None:
    """Print the figures as JSON; exit 1 on a wrong token, a lost page or a stuck reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--readers", type=int, default=24)
    parser.add_argument("--requests", type=int, default=1000, help="distinct ones")
    parser.add_argument("--cache-tokens", type=int, default=LIMITS.cache_tokens)
    parser.add_argument("--page-tokens", type=int, default=LIMITS.page_tokens)
    options = parser.parse_args()
    if options.cache_tokens < MAX_CONTEXT:
        parser.error(f"--cache-tokens is {options.cache_tokens}; accepted: {MAX_CONTEXT} or more")
    logging.getLogger("llm").setLevel(logging.CRITICAL)  # the injected failures are expected
    torch.set_num_threads(1)
    limits = replace(LIMITS, cache_tokens=options.cache_tokens, page_tokens=options.page_tokens)
    result = soak(options.minutes, options.readers, options.requests, limits)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(0 if result["is_clean"] else 1)


if __name__ == "__main__":
    main()
