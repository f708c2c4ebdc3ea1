"""A part of the training data left out, so that settings can be chosen on text a model never saw.

Knows how articles and files are divided and which rows repeat what is left out. Knows nothing of
models and retrieval.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from training.corpus import LeakFilter, Row, read_rows, with_free_articles

HELD_PERCENT = {"zh_cmrc2018": 10, "zh_drcd": 20, "en_squad": 20, "en_covidqa": 30}
"""Share of each question set's articles that is left out; SQuAD has 28 articles."""

TWIN = {"zh_drcd": "zhHant_drcd"}
"""The same rows, by id, in other characters, which a comparison of letters does not see."""

PARALLEL = "enzh_pydocs_parallel"
PARALLEL_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows that are left out, by file name, and the filter that keeps them out of training."""

    held: dict[str, list[Row]]
    leaks: LeakFilter


def held_fold(data: Path) -> Fold:
    """Divide the question sets by article and the parallel paragraphs by file.

    Raises FileNotFoundError where a file is missing.
    """
    held: dict[str, list[Row]] = {}
    texts: list[str] = []
    questions: list[str] = []
    for name, percent in HELD_PERCENT.items():
        rows = read_rows(data / "train" / f"{name}.jsonl.gz")
        rows = with_free_articles(rows) if name == "en_covidqa" else rows
        held[name] = held_rows(rows, "title", percent)
        for row in [*held[name], *_twins(data, name, held[name])]:
            texts.append(str(row["context"]))
            questions.append(str(row["question"]))
    rows = read_rows(data / "text" / f"{PARALLEL}.jsonl.gz")
    held[PARALLEL] = held_rows(rows, "file", PARALLEL_PERCENT)
    texts += [str(row[language]) for row in held[PARALLEL] for language in ("en", "zh")]
    return Fold(held, LeakFilter.of(dict.fromkeys(texts), questions))


def held_rows(rows: list[Row], group: str, percent: int) -> list[Row]:
    """Rows of about `percent` of the groups, those whose names have the smallest hash."""
    names = sorted({str(row[group]) for row in rows}, key=_hash)
    out = set(names[: round(len(names) * percent / 100)])
    return [row for row in rows if str(row[group]) in out]


def _twins(data: Path, name: str, rows: list[Row]) -> list[Row]:
    if name not in TWIN:
        return []
    ids = {row["id"] for row in rows}
    return [row for row in read_rows(data / "train" / f"{TWIN[name]}.jsonl.gz") if row["id"] in ids]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
