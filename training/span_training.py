"""Trains the weights of the reader's span model; the same data and seed give the same file.

    python -m training.span_training --data DIR [--limit N] [--out FILE]

A log-linear model over all spans of a sentence (softmax), fitted with AdaGrad (Duchi et al. 2011)
to the expected F1: the loss of a question is -log of the sum over spans of p(span) * F1(span)^2.
Knows optimisation only; sentences come from span_examples, features from the reader.

L tokens of a sentence, M longest span, K features of one kind (see _Item).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb_service.generation.span_features import MAX_LENGTHS, may_begin, may_end, span_names
from kb_service.generation.span_model import CHECKSUM, WEIGHTS
from training.span_examples import SETS, SpanExample, examples_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

SEED = 11
NUM_EPOCHS = 8
MIN_COUNT = 5
"""A feature that fewer questions have is left out."""
RATE = 0.25
SHRINKAGE = 0.002
"""L1 penalty per update: what does not help goes to zero."""
SHARPNESS = 2.0
"""Power of the F1 in the loss: above 1, exact answers count for more than halves."""
MIN_WEIGHT = 0.15
"""Smaller weights are not written."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One question in numbers. `first` and `last`: feature ids and the token of each, (2, K);
    `spans`: ids and the span of each, (2, K), spans numbered as in `begin` and `end`;
    `gain`: F1 to the power of SHARPNESS, one per span."""

    num_tokens: int
    first: Ints
    last: Ints
    spans: Ints
    begin: Ints
    end: Ints
    gain: Floats


def main() -> None:
    """Read the data, train, write the weights and their checksum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="questions per set; all without it")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    weights: dict[str, float] = {}
    for language in ("zh", "en"):
        names = [name for name in SETS if name.split("/")[1].startswith(language)]
        examples = [
            e for name in names for e in examples_of(options.data, name, options.limit, SEED)
        ]
        print(f"{language}: {len(examples)} examples", flush=True)
        weights |= train(examples, SEED)
    write_weights(weights, options.out)
    print(f"{len(weights)} weights, {options.out.stat().st_size} bytes: {options.out}")


def train(examples: Sequence[SpanExample], seed: int) -> dict[str, float]:
    """Return the weights by feature name."""
    ids = number_features(examples)
    items = [item for example in examples if (item := _item(example, ids)).gain.any()]
    print(f"{len(items)} questions, {len(ids)} features", flush=True)
    weights, squares = np.zeros(len(ids)), np.full(len(ids), 1e-2)
    dice, began = random.Random(seed), time.perf_counter()  # noqa: S311  no secret
    for epoch in range(1, NUM_EPOCHS + 1):
        dice.shuffle(items)
        losses = [_update(item, weights, squares) for item in items]
        took = time.perf_counter() - began
        print(f"epoch {epoch}: loss {np.mean(losses):.3f}, {took:.0f} s", flush=True)
    return {name: float(weights[n]) for name, n in ids.items()}


def number_features(examples: Iterable[SpanExample]) -> dict[str, int]:
    """Return an id for each feature of a first or last word that enough questions have."""
    counts: Counter[str] = Counter()
    for example in examples:
        lists = (*example.features.first, *example.features.last)
        counts.update({name for names in lists for name in names})
    kept = sorted(name for name, count in counts.items() if count >= MIN_COUNT)
    return {name: number for number, name in enumerate(kept)}


def write_weights(weights: dict[str, float], path: Path) -> None:
    """Write weights, grouped by what stands before "=", and the checksum of the file beside it."""
    groups: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name, weight in sorted(weights.items()):
        if abs(weight) >= MIN_WEIGHT:
            group, _, value = name.partition("=")
            groups[group][value] = round(weight, 2)
    content = json.dumps(groups, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    checksum = path.with_suffix(CHECKSUM.name.removeprefix(WEIGHTS.stem))
    checksum.write_text(f"{digest}  {path.name}\n", encoding="ascii")


def _spans(example: SpanExample) -> list[tuple[int, int]]:
    tokens, longest = example.features.tokens, MAX_LENGTHS[example.asked.language]
    begins = [n for n, token in enumerate(tokens) if may_begin(token)]
    ends = {n for n, token in enumerate(tokens) if may_end(token)}
    return [
        (first, last)
        for first in begins
        for last in range(first, min(len(tokens), first + longest))
        if last in ends and not all(example.features.marks[first : last + 1])
    ]


def _item(example: SpanExample, ids: dict[str, int]) -> _Item:
    """Return a question in numbers; features of whole spans are few and all get an id."""
    features, spans = example.features, _spans(example)
    named = [span_names(example.asked, features, first, last) for first, last in spans]
    for name in (name for names in named for name in names):
        ids.setdefault(name, len(ids))
    return _Item(
        len(features.tokens),
        _ids(features.first, ids),
        _ids(features.last, ids),
        _ids(named, ids),
        np.array([first for first, _ in spans], dtype=np.int32),
        np.array([last for _, last in spans], dtype=np.int32),
        _gains(example, spans),
    )


def _ids(lists: Iterable[list[str]], ids: dict[str, int]) -> Ints:
    found = [(ids[name], n) for n, names in enumerate(lists) for name in names if name in ids]
    return np.array(found, dtype=np.int32).reshape(-1, 2).T


def _gains(example: SpanExample, spans: Sequence[tuple[int, int]]) -> Floats:
    """F1 of each span over tokens, punctuation left out as in the measure, best of the answers."""
    until = [0, *accumulate(1 - mark for mark in example.features.marks)]

    def size(first: int, last: int) -> int:
        return max(0, until[last + 1] - until[first]) if first <= last else 0

    def f1(span: tuple[int, int], answer: tuple[int, int]) -> float:
        shared = size(max(span[0], answer[0]), min(span[1], answer[1]))
        return 2 * shared / (size(*span) + size(*answer)) if shared else 0.0

    best = [max(f1(span, answer) for answer in example.answers) for span in spans]
    return np.array(best) ** SHARPNESS


def _update(item: _Item, weights: Floats, squares: Floats) -> float:
    """Make one AdaGrad step in place; return the loss before it."""
    num_spans = len(item.gain)
    first = np.bincount(item.first[1], weights[item.first[0]], item.num_tokens)
    last = np.bincount(item.last[1], weights[item.last[0]], item.num_tokens)
    whole = np.bincount(item.spans[1], weights[item.spans[0]], num_spans)
    scores = first[item.begin] + last[item.end] + whole
    p = np.exp(scores - scores.max())
    p /= p.sum()
    expected = float(p @ item.gain) + 1e-12
    ascent = p * (item.gain / expected - 1)
    by_first = np.bincount(item.begin, ascent, item.num_tokens)
    by_last = np.bincount(item.end, ascent, item.num_tokens)
    touched = np.concatenate((item.first[0], item.last[0], item.spans[0]))
    steps = (by_first[item.first[1]], by_last[item.last[1]], ascent[item.spans[1]])
    used, place = np.unique(touched, return_inverse=True)
    gradient = np.bincount(place, np.concatenate(steps))
    squares[used] += gradient * gradient
    rate = RATE / np.sqrt(squares[used])
    moved = weights[used] + rate * gradient
    weights[used] = np.sign(moved) * np.maximum(0.0, np.abs(moved) - rate * SHRINKAGE)
    return -float(np.log(expected))


if __name__ == "__main__":
    main()
