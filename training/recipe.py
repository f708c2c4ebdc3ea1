"""The mixture this repository trains its embedding model on.

Knows which file gives which kind of pair and how many. Does not know how a pair is learnt.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.corpus import SOURCES, LeakFilter, Row, held_out, read_rows, with_free_articles
from training.pairs import (
    Pair,
    inverse_cloze_pairs,
    passages_of,
    question_pairs,
    sample,
    title_pairs,
    translation_pairs,
    without_leaks,
)
from training.seeding import seeded

QUESTION_FILES = ("zh_cmrc2018", "zh_drcd", "zhHant_drcd", "en_squad", "en_covidqa")
MIN_PARALLEL_CHARS = 20


@dataclass(frozen=True, slots=True)
class Mixture:
    """Pairs that are safe to train on, and how many were dropped because they leak."""

    pairs: list[Pair]
    num_leaked: int

    @property
    def texts(self) -> list[str]:
        """Every distinct query and passage, in a fixed order."""
        return list(dict.fromkeys(text for p in self.pairs for text in (p.query, p.passage)))

    def counts(self) -> dict[str, int]:
        """Pairs of each source."""
        counts: dict[str, int] = {}
        for pair in self.pairs:
            counts[pair.source] = counts.get(pair.source, 0) + 1
        return counts


def _rows(data: Path, name: str) -> list[Row]:
    path = data / f"{name}.jsonl.gz"
    return read_rows(path) if path.exists() else []


def _question_pairs(data: Path, rng: random.Random) -> Iterator[Pair]:
    for name in QUESTION_FILES:
        rows = _rows(data, f"train/{name}")
        if name == "en_covidqa":
            rows = with_free_articles(rows)
        yield from question_pairs(rows, name, rng)
        contexts = list(dict.fromkeys(row["context"] for row in rows))
        max_chars = 900 if name.startswith("en") else 500
        yield from inverse_cloze_pairs(contexts, name, max_chars, 3, rng)


def _wiki_pairs(data: Path, rng: random.Random) -> Iterator[Pair]:
    rows = _rows(data, "text/zh_wiki_passages")
    yield from title_pairs(((row["title"], row["text"]) for row in rows), "zh_wiki")
    yield from inverse_cloze_pairs((row["text"] for row in rows), "zh_wiki", 250, 2, rng)


def _law_pairs(data: Path, rng: random.Random, limit: int) -> list[Pair]:
    rows = _rows(data, "text/zh_laws")
    cloze = inverse_cloze_pairs((row["text"] for row in rows), "zh_laws", 300, 1, rng)
    titles = title_pairs(((row["title"], row["text"][:600]) for row in rows), "zh_laws")
    return [*titles, *sample(list(cloze), limit, rng)]


def _security_pairs(data: Path, rng: random.Random, limit: int) -> list[Pair]:
    pairs: list[Pair] = []
    cloze: list[Pair] = []
    for row in _rows(data, "text/zh_cybersec_sft"):
        passages = [" ".join(part) for part in passages_of(row["output"], 400)]
        if not passages:
            continue
        for name, passage in (("first", passages[0]), ("any", rng.choice(passages))):
            source = f"zh_cybersec/{name}"
            pairs.append(Pair(source, row["instruction"], passage, row["instruction"]))
        cloze.extend(inverse_cloze_pairs([row["output"]], "zh_cybersec", 400, 1, rng))
    return [*pairs, *sample(cloze, limit, rng)]


def _python_pairs(data: Path, rng: random.Random) -> Iterator[Pair]:
    rows = _rows(data, "text/enzh_pydocs_parallel")
    yield from translation_pairs(rows, "pydocs", MIN_PARALLEL_CHARS)
    for language in ("en", "zh"):
        texts = (row[language] for row in rows)
        yield from inverse_cloze_pairs(texts, f"pydocs-{language}", 600, 1, rng)


def mixture(
    data: Path, seed: int, max_pairs_per_text: int = 20_000, also_held: LeakFilter | None = None
) -> Mixture:
    """All pairs of the recipe that can be made from the data folder.

    `also_held`: what to leave out beside the dev and demo sets.

    Files that are absent add nothing; a folder without a single usable file raises
    FileNotFoundError.
    """
    rng = seeded(seed)
    pairs = [
        *_question_pairs(data, rng),
        *_wiki_pairs(data, rng),
        *_law_pairs(data, rng, max_pairs_per_text),
        *_security_pairs(data, rng, max_pairs_per_text),
        *_python_pairs(data, rng),
    ]
    if not pairs:
        names = ", ".join(source.path for source in SOURCES)
        raise FileNotFoundError(f"no training data under {data}; expected one of: {names}")
    leaks = held_out(data) if also_held is None else held_out(data) | also_held
    kept, num_leaked = without_leaks(pairs, leaks)
    return Mixture(kept, num_leaked)
