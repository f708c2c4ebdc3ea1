"""Measures an embedding model by itself: does a question find its passage in a held-out set?

Knows the three sets; the corpus of a set is every distinct context in it, the
questions are the answerable ones. Does not know how the model was made.

Run: ``python -m training.evaluate_embedding --model DIR --data DIR``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from kb_service.evaluation.ranking import Scores, expected_scores, score_single
from training.corpus import read_rows

COLUMNS = ("hit@1", "hit@5", "hit@10", "ndcg@10")
DEV_SETS = ("zh_cmrc2018_trial", "zh_drcd", "en_squad")
FloatArray = npt.NDArray[np.float32]


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

    def random_level(self) -> Scores:
        """What a random order reaches on average."""
        return expected_scores(1, len(self.passages))


def level_of(scores: FloatArray, right: Sequence[int]) -> Scores:
    """Mean level of a (questions, passages) score matrix; a tie counts against the right passage.

    Raises ValueError where a score is not finite: a NaN compares as if it ranked last.
    """
    if not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite, found {scores[~np.isfinite(scores)][0]}")
    positions = np.asarray(right)
    own = scores[np.arange(len(positions)), positions]
    ranks = (scores >= own[:, None]).sum(axis=1)  # 1 = first, because the passage ties itself
    levels = [score_single(int(rank)) for rank in ranks]
    return {key: fmean(level[key] for level in levels) for key in levels[0]}


def measure(folder: Path, data: Path) -> dict[str, dict[str, Scores]]:
    """For each dev set that is present, the level of the model and the random level."""
    from retrievers.embedding import load_embedder

    embedder = load_embedder(str(folder))
    report: dict[str, dict[str, Scores]] = {}
    for name in DEV_SETS:
        held_out = RetrievalSet.read(data, name)
        passages = _matrix(embedder.embed_passages(held_out.passages))
        questions = _matrix([embedder.embed_query(q) for q in held_out.questions])
        level = level_of(questions @ passages.T, held_out.right)
        report[name] = {"model": level, "random": held_out.random_level()}
    return report


def _matrix(vectors: Sequence[bytes]) -> FloatArray:
    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])


def table_of(report: dict[str, dict[str, Scores]]) -> str:
    """The report as a Markdown table, in percent."""
    lines = [f"| set | | {' | '.join(COLUMNS)} |", f"| --- | ---{' | ---' * len(COLUMNS)} |"]
    for name, levels in report.items():
        for who, level in levels.items():
            cells = " | ".join(f"{100 * level[key]:.1f}" for key in COLUMNS)
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
