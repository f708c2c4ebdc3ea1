"""A part of the training data left out, so that settings can be chosen on text a model never saw.

Knows how articles and files are divided. Knows nothing of models and retrieval.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from training.corpus import Row, read_rows, with_free_articles

HELD_PERCENT = {"zh_cmrc2018": 10, "zh_drcd": 20, "en_squad": 20, "en_covidqa": 30}
"""Share of each question set's articles that is left out; SQuAD has 28 articles."""

PARALLEL = "enzh_pydocs_parallel"
PARALLEL_PERCENT = 5


def held_fold(data: Path) -> dict[str, list[Row]]:
    """Rows that are left out, by file name: of question sets by article, of paragraphs by file.

    Raises FileNotFoundError where a file is missing.
    """
    held: dict[str, list[Row]] = {}
    for name, percent in HELD_PERCENT.items():
        rows = read_rows(data / "train" / f"{name}.jsonl.gz")
        rows = with_free_articles(rows) if name == "en_covidqa" else rows
        held[name] = held_rows(rows, "title", percent)
    rows = read_rows(data / "text" / f"{PARALLEL}.jsonl.gz")
    held[PARALLEL] = held_rows(rows, "file", PARALLEL_PERCENT)
    return held


def held_rows(rows: list[Row], group: str, percent: int) -> list[Row]:
    """Rows of about `percent` of the groups, those whose names have the smallest hash."""
    names = sorted({str(row[group]) for row in rows}, key=_hash)
    out = set(names[: round(len(names) * percent / 100)])
    return [row for row in rows if str(row[group]) in out]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
