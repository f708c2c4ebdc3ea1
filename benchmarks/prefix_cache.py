"""What the engine's cache and its chunked reading of prompts are worth, on random weights.

    python -m benchmarks.prefix_cache

First, the time to the first token of a long prompt that is new, that was read before, and that
goes on from one read before. Second, what a short request and a reply under way wait for while a
long prompt is read, in pieces of several sizes. Everything is interleaved, round by round. With
`--clock cpu --threads 1` the seconds are those this process computes, which other work on the
machine lengthens far less.
"""

import argparse
import json
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch

from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.scheduler import EngineLimits
from llm.kernels.quantized_linear import quantize_model
from llm.models.build import random_model
from llm.models.config import chatglm3_6b
from llm.models.model import ChatGLM

GREEDY = SamplingParams(temperature=0)
SHORT_TOKENS = 32
TURN_TOKENS = 64
WHOLE = 1_000_000  # a step with room for any prompt


CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Prompts:
    """Random prompts, no two of which begin alike."""

    def __init__(self, model: ChatGLM, seed: int) -> None:
        self._num_ids = model.config.vocab_size
        self._dice = random.Random(seed)

    def new(self, num_tokens: int) -> list[int]:
        """Ids without any meaning."""
        return [self._dice.randrange(self._num_ids) for _ in range(num_tokens)]


class Stopwatch:
    """Times the tokens of streams by one clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def token_s(self, stream: TokenStream) -> float:
        """Seconds until the stream's next token."""
        started = self._clock()
        next(stream)
        return self._clock() - started

    def only_token_s(self, stream: TokenStream) -> float:
        """Seconds until the stream's first token; the stream is then closed."""
        taken = self.token_s(stream)
        stream.close()
        return taken


def measure_cache(
    model: ChatGLM, watch: Stopwatch, num_tokens: int, num_rounds: int
) -> dict[str, object]:
    """First token of a prompt that is new, known, and known but for a further turn."""
    limits = EngineLimits(cache_tokens=4 * (num_tokens + TURN_TOKENS))
    engine, prompts = Engine(model, limits=limits), Prompts(model, seed=1)
    one = replace(GREEDY, max_tokens=1)
    watch.only_token_s(engine.generate(prompts.new(64), one))
    rounds = []
    for _ in range(num_rounds):
        prompt = prompts.new(num_tokens)
        turn = [*prompt, *prompts.new(TURN_TOKENS)]
        rounds.append(
            [watch.only_token_s(engine.generate(ids, one)) for ids in (prompt, prompt, turn)]
        )
    return {
        "prompt_tokens": num_tokens,
        "cold_s": _middle(cold for cold, _, _ in rounds),
        "warm_s": _middle(warm for _, warm, _ in rounds),
        f"{TURN_TOKENS}_tokens_more_s": _middle(more for _, _, more in rounds),
        "warm_speedup": _middle(cold / warm for cold, warm, _ in rounds),
        "warm_speedup_range": _range(cold / warm for cold, warm, _ in rounds),
        "more_speedup": _middle(cold / more for cold, _, more in rounds),
    }


def measure_waiting(
    model: ChatGLM, watch: Stopwatch, num_tokens: int, pieces: Sequence[int], num_rounds: int
) -> dict[str, object]:
    """A short request's first token and a reply's longest gap while a long prompt is read."""
    engines = {
        piece: Engine(model, limits=EngineLimits(cache_tokens=3 * num_tokens, step_tokens=piece))
        for piece in pieces
    }
    prompts = Prompts(model, seed=2)
    seen: dict[int, list[tuple[float, ...]]] = {piece: [] for piece in pieces}
    for _ in range(num_rounds):
        for piece, engine in engines.items():
            seen[piece].append(_one_visit(engine, watch, prompts, num_tokens))
    names = ("short_alone_s", "short_beside_s", "long_alone_s", "long_beside_s", "longest_gap_s")
    return {
        "whole" if piece == WHOLE else str(piece): dict(
            zip(names, map(_middle, zip(*seen[piece], strict=True)), strict=True)
        )
        for piece in pieces
    }


def _one_visit(
    engine: Engine, watch: Stopwatch, prompts: Prompts, num_tokens: int
) -> tuple[float, ...]:
    one = replace(GREEDY, max_tokens=1)
    short_alone = watch.only_token_s(engine.generate(prompts.new(SHORT_TOKENS), one))
    long_alone = watch.only_token_s(engine.generate(prompts.new(num_tokens), one))
    reply = engine.generate(prompts.new(SHORT_TOKENS), replace(GREEDY, max_tokens=num_tokens))
    next(reply)
    long_times: list[float] = []
    long = engine.generate(prompts.new(num_tokens), one)
    reader = threading.Thread(target=lambda: long_times.append(watch.only_token_s(long)))
    gaps: list[float] = []
    done = threading.Event()
    listener = threading.Thread(target=_listen, args=(reply, watch, gaps, done))
    reader.start()
    listener.start()
    time.sleep(min(0.1, long_alone / 10))  # the long prompt is being read by now
    short_beside = watch.only_token_s(engine.generate(prompts.new(SHORT_TOKENS), one))
    reader.join()
    done.set()
    listener.join()
    reply.close()
    return short_alone, short_beside, long_alone, long_times[0], max(gaps)


def _listen(reply: TokenStream, watch: Stopwatch, gaps: list[float], done: threading.Event) -> None:
    """Read on until the long prompt is read, and note how long each token took."""
    while not done.is_set():
        gaps.append(watch.token_s(reply))


def _middle(values: Iterable[float]) -> float:
    return round(statistics.median(values), 4)


def _range(values: Iterable[float]) -> list[float]:
    listed = sorted(values)
    return [round(listed[0], 1), round(listed[-1], 1)]


def main() -> None:
    """Print the figures of each part as JSON, with the machine's load before and after."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4, help="of the 28 of the 6B shape")
    parser.add_argument("--bits", type=int, default=16, choices=(4, 8, 16))
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--parts", nargs="+", default=["cache", "waiting"])
    parser.add_argument("--clock", default="wall", choices=CLOCKS)
    parser.add_argument("--pieces", type=int, nargs="*", default=[64, 256, WHOLE])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = replace(chatglm3_6b(), num_layers=options.layers)
    model = random_model(config, dtype=torch.bfloat16)
    if options.bits < 16:
        quantize_model(model, options.bits)
    watch = Stopwatch(CLOCKS[options.clock])
    size, rounds = options.tokens, options.rounds
    measures = {
        "cache": lambda: measure_cache(model, watch, size, rounds),
        "waiting": lambda: measure_waiting(model, watch, size, options.pieces, rounds),
    }
    for part in options.parts:
        figures = {"part": part, **vars(options), "load": [os.getloadavg()[0]]}
        figures |= measures[part]()
        figures["load"].append(os.getloadavg()[0])
        print(json.dumps(figures, indent=2), flush=True)


if __name__ == "__main__":
    main()
