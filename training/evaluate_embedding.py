"""Measures an embedding model by itself: does a question find its passage in a held-out set?

Knows the metrics and the three sets; the corpus of a set is every distinct context in it, the
questions are the answerable ones. Does not know how the model was made.

Run: ``python -m training.evaluate_embedding --model DIR --data DIR``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.corpus import read_rows

DEV_SETS = ("zh_cmrc2018_trial", "zh_drcd", "en_squad")
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Level:
    """Shares of questions between 0 and 1; nDCG with the one right passage as the only gain."""

    hit_1: float
    hit_5: float
    hit_10: float
    ndcg_10: float


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Distinct passages, questions and the index of the right passage of each question."""

    name: str
    passages: list[str]
    questions: list[str]
    right: list[int]

    @classmethod
    def read(cls, data: Path, name: str) -> RetrievalSet:
        """Raises FileNotFoundError where the set is missing."""
        rows = read_rows(data / "dev" / f"{name}.jsonl.gz")
        passages = list(dict.fromkeys(row["context"] for row in rows))
        index = {passage: i for i, passage in enumerate(passages)}
        asked = [row for row in rows if row["answerable"]]
        return cls(
            name,
            passages,
            [row["question"] for row in asked],
            [index[row["context"]] for row in asked],
        )

    def random_level(self) -> Level:
        """What a random order reaches on average."""
        count = len(self.passages)
        gains = [1 / np.log2(rank + 1) for rank in range(1, min(10, count) + 1)]
        hit_1, hit_5, hit_10 = (min(k, count) / count for k in (1, 5, 10))
        return Level(hit_1, hit_5, hit_10, float(sum(gains)) / count)


def level_of(scores: FloatArray, right: Sequence[int]) -> Level:
    """Level of a (questions, passages) score matrix; a tie counts against the right passage.

    Raises ValueError where a score is not finite: a NaN compares as if it ranked last.
    """
    if not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite, found {scores[~np.isfinite(scores)][0]}")
    positions = np.asarray(right)
    own = scores[np.arange(len(positions)), positions]
    ranks = (scores >= own[:, None]).sum(axis=1)  # 1 = first, because the passage ties itself
    gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0.0)
    hit_1, hit_5, hit_10 = (float((ranks <= k).mean()) for k in (1, 5, 10))
    return Level(hit_1, hit_5, hit_10, float(gains.mean()))


def measure(folder: Path, data: Path) -> dict[str, dict[str, dict[str, float]]]:
    """For each dev set that is present, the level of the model and the random level."""
    from retrievers.embedding import load_embedder

    embedder = load_embedder(str(folder))
    report: dict[str, dict[str, dict[str, float]]] = {}
    for name in DEV_SETS:
        held_out = RetrievalSet.read(data, name)
        passages = _matrix(embedder.embed_passages(held_out.passages))
        questions = _matrix([embedder.embed_query(q) for q in held_out.questions])
        level = level_of(questions @ passages.T, held_out.right)
        report[name] = {"model": asdict(level), "random": asdict(held_out.random_level())}
    return report


def _matrix(vectors: Sequence[bytes]) -> FloatArray:
    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])


def table_of(report: dict[str, dict[str, dict[str, float]]]) -> str:
    """The report as a Markdown table, in percent."""
    lines = [
        "| set | | hit@1 | hit@5 | hit@10 | nDCG@10 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, levels in report.items():
        for who, level in levels.items():
            cells = " | ".join(f"{100 * value:.1f}" for value in level.values())
            lines.append(f"| {name} | {who} | {cells} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure an embedding model on the dev sets.")
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/*.jsonl.gz")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    options = parser.parse_args(arguments)
    report = measure(options.model, options.data)
    print(json.dumps(report, indent=2) if options.json else table_of(report))


if __name__ == "__main__":
    main()
