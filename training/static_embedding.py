"""Trains the static embedding model that this repository ships, from data to model folder.

Knows the order of the steps: pairs, pieces, table, folder, measurement. What each step means is in
its own module.

Run: ``python -m training.static_embedding --data DIR --out models/static-zh-en``.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.contrastive import (
    EncodedPair,
    FloatArray,
    IntArray,
    TrainingSettings,
    train_table,
)
from training.corpus import LeakFilter, free_article_titles
from training.fold import held_fold
from training.model_folder import Card, write_model, write_papers
from training.pairs import Pair
from training.recipe import Mixture, mixture
from training.seeding import seeded
from training.vocabulary import build_tokenizer, choose_pieces, shared_components

ENCODE_BATCH = 20_000
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result beside the data."""

    num_pieces: int = 18_500
    vocabulary_chars_per_source: int = 600_000
    counted_pairs_per_source: int = 3_000
    training: TrainingSettings = field(default_factory=TrainingSettings)


def vocabulary_texts(pairs: Sequence[Pair], chars_per_source: int, seed: int) -> list[str]:
    """Texts to count pieces in: about as many characters of every source."""
    order = list(pairs)
    seeded(seed).shuffle(order)
    used: Counter[str] = Counter()
    texts: list[str] = []
    for pair in order:
        if used[pair.source] < chars_per_source:
            texts += [pair.query, pair.passage]
            used[pair.source] += len(pair.query) + len(pair.passage)
    return texts


def encode_pairs(
    pairs: Sequence[Pair], tokenizer: Tokenizer, near: Mapping[Pair, Sequence[str]] | None = None
) -> list[EncodedPair]:
    """Pairs as piece ids; pairs with an empty side are left out. `near`: groups like a query."""
    texts = list(dict.fromkeys(text for p in pairs for text in (p.query, p.passage)))
    ids: dict[str, IntArray] = {}
    for start in range(0, len(texts), ENCODE_BATCH):
        batch = texts[start : start + ENCODE_BATCH]
        encodings = tokenizer.encode_batch(batch, add_special_tokens=False)
        ids.update(zip(batch, (np.array(e.ids, dtype=np.int32) for e in encodings), strict=True))
    sources: dict[str, int] = {}
    groups: dict[str, int] = {}
    for pair in pairs:
        sources.setdefault(pair.source, len(sources))
        groups.setdefault(pair.group, len(groups))
    encoded = [
        EncodedPair(
            ids[pair.query],
            ids[pair.passage],
            sources[pair.source],
            groups[pair.group],
            tuple(groups[group] for group in (near or {}).get(pair, ())),
        )
        for pair in pairs
    ]
    return [pair for pair in encoded if len(pair.query) and len(pair.passage)]


def piece_counts(
    pairs: Sequence[EncodedPair], num_pieces: int, pairs_per_source: int, seed: int
) -> IntArray:
    """(V,) counts of pieces in passages, every source with the same number of pairs, at least 1."""
    rng = seeded(seed)
    by_source: dict[int, list[EncodedPair]] = {}
    for pair in pairs:
        by_source.setdefault(pair.source, []).append(pair)
    counts = np.zeros(num_pieces, dtype=np.int64)
    for members in by_source.values():
        for pair in rng.sample(members, min(pairs_per_source, len(members))):
            counts += np.bincount(pair.passage, minlength=num_pieces)
    return np.maximum(counts, 1).astype(np.int32)


def train(mixed: Mixture, recipe: Recipe, log: Log) -> tuple[FloatArray, Tokenizer]:
    """Choose the pieces and learn their vectors: the (V, D) table and its tokenizer."""
    seed = recipe.training.seed
    texts = vocabulary_texts(mixed.pairs, recipe.vocabulary_chars_per_source, seed)
    tokenizer = build_tokenizer(choose_pieces(texts, recipe.num_pieces))
    num_pieces = tokenizer.get_vocab_size()
    log(f"{num_pieces} pieces from {len(texts)} texts")
    pairs = encode_pairs(mixed.pairs, tokenizer)
    counts = piece_counts(pairs, num_pieces, recipe.counted_pairs_per_source, seed)
    names = sorted(vocabulary := tokenizer.get_vocab(), key=vocabulary.__getitem__)
    _, components = shared_components(names)
    log(f"{len(pairs)} pairs encoded")
    table = train_table(
        pairs,
        components,
        counts,
        recipe.training,
        lambda step, loss, _: log(f"step {step} loss {loss:.3f}"),
    )
    return table, tokenizer


def _pairs_table(mixed: Mixture) -> str:
    rows = "\n".join(f"| {source} | {count} |" for source, count in mixed.counts().items())
    total = f"{len(mixed.pairs)} pairs; {mixed.num_leaked} more were dropped as leaks."
    return f"| source | pairs |\n| --- | --- |\n{rows}\n\n{total}"


def run(
    data: Path, out: Path, recipe: Recipe, log: Log, also_held: LeakFilter | None = None
) -> None:
    """Train, write the folder and, where the dev sets are present, measure it for its card.

    `also_held`: what to leave out beside the dev and demo sets.
    """
    from training.evaluate_embedding import DEV_SETS, measure, table_of

    started = time.monotonic()
    mixed = mixture(data, recipe.training.seed, also_held=also_held)
    log(f"{len(mixed.pairs)} pairs, {mixed.num_leaked} dropped as leaks")
    table, tokenizer = train(mixed, recipe, log)
    settings = recipe.training
    facts = (
        f"{table.shape[0]} pieces, {table.shape[1]} dimensions, float32",
        f"seed {settings.seed}, {settings.num_steps} steps of {settings.batch_size} pairs",
        f"temperature {settings.temperature}, learning rate {settings.learning_rate}",
        f"{round(time.monotonic() - started)} s on {settings.num_threads} threads, data to table",
    )
    command = f"python -m training.static_embedding --data DIR --out models/{out.name}"
    articles = tuple(free_article_titles(data))
    card = Card(out.name, command, facts, _pairs_table(mixed), "Not measured.", articles)
    write_model(out, table, tokenizer, card)
    if all((data / "dev" / f"{name}.jsonl.gz").exists() for name in DEV_SETS):
        results = table_of(measure(out, data))
        write_papers(out, replace(card, results=results))
        log(results)


def main(arguments: Sequence[str] | None = None) -> None:
    defaults = TrainingSettings()
    parser = argparse.ArgumentParser(description="Train the static zh-en embedding model.")
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and text/")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--steps", type=int, default=defaults.num_steps)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--threads", type=int, default=defaults.num_threads)
    parser.add_argument(
        "--without-fold", action="store_true", help="leave the fold out that settings are chosen on"
    )
    options = parser.parse_args(arguments)
    also_held = held_fold(options.data).leaks if options.without_fold else None
    settings = TrainingSettings(
        num_steps=options.steps, seed=options.seed, num_threads=options.threads
    )
    recipe = Recipe(training=settings)
    run(options.data, options.out, recipe, lambda line: print(line, flush=True), also_held)


if __name__ == "__main__":
    main()
