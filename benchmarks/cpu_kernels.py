"""Decode and prefill of the ChatGLM3-6B shape on this CPU, beside llama.cpp with the same weights.

Every subject is a process of its own that holds one model; they are asked in turn, round after
round, and ratios are taken within a round, because a shared machine changes its speed from minute
to minute. Without --llama-python only the project's own subjects run.

    python -m benchmarks.cpu_kernels --layers 7 --llama-python /path/to/venv/bin/python
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llm.models.config import ModelConfig, chatglm3_6b

ROOT = Path(__file__).resolve().parent.parent
OURS = ("bf16", "int8", "int4")
THEIRS = ("Q8_0", "Q4_0")
MIN_GROUPED = 8  # rounds
Row = dict[str, float]  # seconds of one round by subject


class Worker:
    """A subject's process: one JSON line for each command, one for each answer."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.ready: str = self._answer()["ready"]

    def ask(self, **command: object) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        if self._process.stdin is None:
            raise RuntimeError("the subject has no input")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"a subject ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process by closing its input."""
        self._process.communicate()


def main() -> None:
    """Measure what the command line names and print tables."""
    chosen = arguments()
    subjects = chosen.subjects or [*OURS, *(THEIRS if chosen.llama_python else ())]
    with ExitStack() as stack:
        for _ in range(chosen.busy):
            stack.enter_context(busy_core())
        folder = Path(chosen.weights or stack.enter_context(tempfile.TemporaryDirectory()))
        write_weights(folder)
        workers = {}
        for name in subjects:
            workers[name] = stack.enter_context(worker(name, folder, chosen))
            print(f"{name}: {workers[name].ready}", file=sys.stderr, flush=True)
        report(workers, chosen)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=7, help="of 28; all take 24 GB together")
    parser.add_argument("--subjects", nargs="*", choices=(*OURS, *THEIRS))
    parser.add_argument("--llama-python", help="a Python that has llama_cpp and gguf")
    parser.add_argument("--weights", help="keep the random weights in this folder")
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--busy", type=int, default=0, help="other programs that never rest")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall",
        help="cpu, with --threads 1, sees through other processes' load",
    )  # fmt: skip
    chosen = parser.parse_args()
    theirs = [name for name in chosen.subjects or () if name in THEIRS]
    if theirs and not chosen.llama_python:
        parser.error(f"{theirs[0]} needs --llama-python")
    return chosen


@contextmanager
def busy_core() -> Iterator[None]:
    """A program that computes all the time, as an ingest does."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


@contextmanager
def worker(name: str, weights: Path, chosen: argparse.Namespace) -> Iterator[Worker]:
    """The process of one subject."""
    ours = [sys.executable, "-m", "benchmarks.cpu_subject"]
    theirs = [chosen.llama_python, str(ROOT / "benchmarks" / "llama_subject.py")]
    command = [
        *(ours if name in OURS else theirs), "--weights", str(weights), "--type", name,
        "--layers", str(chosen.layers), "--threads", str(chosen.threads),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(chosen.threads)}
    if name in THEIRS:
        del environment["OMP_WAIT_POLICY"]  # llm/, imported above, has set it for our subjects
    process = Worker(command, environment)
    try:
        yield process
    finally:
        process.close()


def write_weights(folder: Path) -> None:
    """One layer, embedding and head of random float16 values, unless they are there."""
    config = chatglm3_6b()
    if (folder / "shape.json").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    for name, shape in shapes(config).items():
        values = torch.empty(shape).normal_(0, 0.02, generator=generator)
        np.save(folder / f"{name}.npy", values.half().numpy())
    (folder / "shape.json").write_text(json.dumps(asdict(config)), "utf-8")


def shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Rows and columns of each distinct weight, by its module's name."""
    width = config.hidden_size
    rows = (config.num_heads + 2 * config.num_kv_groups) * config.head_dim
    return {
        "embedding": (config.vocab_size, width),
        "qkv": (rows, width),
        "qkv_bias": (rows,),
        "out": (width, width),
        "gate_up": (2 * config.ffn_size, width),
        "down": (width, config.ffn_size),
        "head": (config.vocab_size, width),
    }


def report(workers: dict[str, Worker], chosen: argparse.Namespace) -> None:
    """Run all rounds and print what came out."""
    prompt = [3 + number * 37 % 60_000 for number in range(chosen.prompt_tokens)]
    prefills: list[Row] = []
    decodes: list[Row] = []
    bandwidths = []
    for number in range(chosen.rounds + 1):
        prefill = {
            name: w.ask(do="prefill", ids=prompt)[chosen.clock] for name, w in workers.items()
        }
        decode = {
            name: w.ask(do="decode", ids=prompt[:64], num_tokens=chosen.new_tokens)[chosen.clock]
            for name, w in workers.items()
        }
        bandwidth = read_bandwidth(chosen.threads)
        if number:  # the first one warms up
            prefills.append(prefill)
            decodes.append(decode)
            bandwidths.append(bandwidth)
    print(
        f"{chosen.layers} of 28 layers, {chosen.threads} threads, {chosen.clock} clock,"
        f" {chosen.rounds} rounds, {chosen.busy} other programs\n"
    )
    print_speed(f"prefill of {chosen.prompt_tokens} tokens", prefills, chosen.prompt_tokens)
    print_speed(f"decode of {chosen.new_tokens} tokens", decodes, chosen.new_tokens)
    print_bandwidth(decodes, bandwidths, chosen)
    print_by_bandwidth(decodes, bandwidths)
    print_memory(workers)
    print_agreement({name: w.ask(do="scores", ids=prompt[:64]) for name, w in workers.items()})


def print_speed(what: str, rows: list[Row], num_tokens: int) -> None:
    """Tokens per second, and ratios to llama.cpp within each round."""
    baselines = [name for name in THEIRS if name in rows[0]]
    print(f"| {what} | tokens/s | {' | '.join(f'x {name}' for name in baselines)} |")
    print("|" + "---|" * (2 + len(baselines)))
    for name in rows[0]:
        cells = [spread([num_tokens / row[name] for row in rows])]
        cells += [spread([row[base] / row[name] for row in rows]) for base in baselines]
        print(f"| {name} | {' | '.join(cells)} |")
    print()


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def print_bandwidth(
    decodes: list[Row], bandwidths: list[float], chosen: argparse.Namespace
) -> None:
    """What decoding reads per second, as a share of what a plain sum reads in the same round."""
    print(f"read bandwidth, torch sum of 1 GiB: {spread(bandwidths)} GB/s\n")
    for name in decodes[0]:
        num_bytes = bytes_per_token(name, chosen.layers) * chosen.new_tokens
        rates = [num_bytes / row[name] / 1e9 for row in decodes]
        shares = [rate / limit for rate, limit in zip(rates, bandwidths, strict=True)]
        print(f"- {name}: {spread(rates)} GB/s, share {spread(shares)}")
    print()


def print_by_bandwidth(decodes: list[Row], bandwidths: list[float]) -> None:
    """Ratios of decoding in four groups of rounds: a machine's memory is shared with others."""
    pairs = [(ours, base) for ours in OURS for base in THEIRS if {ours, base} <= set(decodes[0])]
    if not pairs or len(decodes) < MIN_GROUPED:
        return
    for rounds in quarters(bandwidths):
        low, high = bandwidths[rounds[0]], bandwidths[rounds[-1]]
        ratios = [
            f"{ours} {spread([decodes[n][base] / decodes[n][ours] for n in rounds])} x {base}"
            for ours, base in pairs
        ]
        print(f"- {len(rounds)} rounds of {low:.1f} to {high:.1f} GB/s: {', '.join(ratios)}")
    print()


def quarters(values: list[float]) -> list[list[int]]:
    """Where the values stand, from the least to the largest, in four groups of nearly one size."""
    order = sorted(range(len(values)), key=values.__getitem__)
    marks = [len(order) * part // 4 for part in range(5)]
    return [order[start:stop] for start, stop in pairwise(marks)]


def bytes_per_token(name: str, num_layers: int) -> float:
    """Weights that one decoded token reads."""
    layer_bytes = {"bf16": 2, "int8": 1, "int4": 4.25 / 8, "Q8_0": 8.5 / 8, "Q4_0": 4.5 / 8}[name]
    head_bytes = {"bf16": 2, "int8": 1, "int4": 1, "Q8_0": 8.5 / 8, "Q4_0": 8.5 / 8}[name]
    sizes = {key: int(np.prod(shape)) for key, shape in shapes(chatglm3_6b()).items()}
    layer = sum(sizes[key] for key in ("qkv", "out", "gate_up", "down"))
    return num_layers * layer * layer_bytes + sizes["head"] * head_bytes


def read_bandwidth(num_threads: int) -> float:
    """GB/s of the best of four sums over 1 GiB."""
    torch.set_num_threads(num_threads)
    values = torch.ones(2**28)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        values.sum()
        seconds.append(time.perf_counter() - start)
    return values.numel() * 4 / min(seconds) / 1e9


def print_memory(workers: dict[str, Worker]) -> None:
    """Resident sets after all runs, and the largest ones while loading."""
    for name, process in workers.items():
        memory = process.ask(do="memory")
        print(f"- {name}: {memory['VmRSS'] / 1e9:.2f} GB, at most {memory['VmHWM'] / 1e9:.2f} GB")
    print()


def print_agreement(answers: dict[str, dict[str, Any]]) -> None:
    """Cosine of every subject's scores with the first one's: the same model runs in all."""
    scores = {name: np.array(answer["scores"]) for name, answer in answers.items()}
    first = next(iter(scores))
    for name, values in scores.items():
        norms = np.linalg.norm(values) * np.linalg.norm(scores[first])
        print(f"- scores of {name} and {first}: cosine {values @ scores[first] / norms:.4f}")


if __name__ == "__main__":
    main()
