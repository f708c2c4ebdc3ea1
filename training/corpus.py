"""Reads the training data and keeps everything out that a measurement will later be made on.

Knows the row formats, the licences and how a leak is recognised. Does not know
what a model is.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]

WINDOW_CHARS = 50
STRIDE_CHARS = 25
_NOT_WORD = re.compile(r"[\W_]+")
_LICENCE_LINE = re.compile(r"^License:\s*(\S+)", re.MULTILINE)
FREE_ARTICLE_LICENCES = frozenset({"cc-by", "cc0"})


@dataclass(frozen=True, slots=True)
class Source:
    """One data file, the licence it came under and the words its licence asks us to repeat."""

    path: str
    licence: str
    attribution: str


SOURCES = (
    Source(
        "train/zh_cmrc2018",
        "CC BY-SA 4.0",
        "CMRC 2018, (c) HFL, github.com/ymcui/cmrc2018; text: Chinese Wikipedia contributors",
    ),
    Source(
        "train/zh_drcd",
        "CC BY-SA 3.0",
        "DRCD, (c) Delta Research Center, github.com/DRCKnowledgeTeam/DRCD; "
        "text: Chinese Wikipedia contributors; changed: converted to simplified characters",
    ),
    Source(
        "train/zhHant_drcd",
        "CC BY-SA 3.0",
        "DRCD, (c) Delta Research Center, github.com/DRCKnowledgeTeam/DRCD; "
        "text: Chinese Wikipedia contributors",
    ),
    Source(
        "train/en_squad",
        "CC BY-SA 4.0",
        "SQuAD 1.1/2.0, (c) Stanford University, rajpurkar.github.io/SQuAD-explorer; "
        "text: English Wikipedia contributors; changed: answer offsets found again",
    ),
    Source(
        "train/en_covidqa",
        "Apache-2.0 (questions); CC BY (article text)",
        "COVID-QA, (c) deepset; only windows of articles whose text states cc-by or cc0",
    ),
    Source(
        "text/zh_wiki_passages",
        "CC BY-SA 3.0 / 4.0",
        "Chinese Wikipedia contributors, through CMRC 2018 and DRCD",
    ),
    Source(
        "text/zh_laws",
        "public domain (PRC Copyright Law, Art. 5)",
        "Laws and regulations of the PRC, collected by github.com/LawRefBook/Laws",
    ),
    Source(
        "text/enzh_pydocs_parallel",
        "PSF-2.0 (English), CC0 (Chinese)",
        "Python documentation, (c) Python Software Foundation; "
        "Chinese translation by the PSF translation team",
    ),
    Source(
        "text/zh_cybersec_sft",
        "CC BY 4.0",
        "cybersec-qa-dataset-zh, github.com/uninhibited-scholar/cybersec-qa-dataset-zh "
        "(model-written text)",
    ),
)


def read_rows(path: Path) -> list[Row]:
    """Rows of one gzipped JSON-lines file.

    Raises FileNotFoundError where the file is missing.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def letters_of(text: str) -> str:
    """The text as leak detection sees it: NFKC, lower case, letters and digits only."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", text).lower())


def _window_hashes(text: str, stride: int) -> Iterator[bytes]:
    letters = letters_of(text)
    for start in range(0, max(1, len(letters) - WINDOW_CHARS + 1), stride):
        window = letters[start : start + WINDOW_CHARS]
        yield hashlib.blake2b(window.encode(), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class LeakFilter:
    """Recognises text of the held-out sets.

    Every window of 50 letters of a held-out passage is kept; a training passage is looked at every
    25 letters, so a shared run of 74 letters or more is always found. Passages and questions
    shorter than a window are compared whole.
    """

    windows: frozenset[bytes]
    questions: frozenset[str]

    @classmethod
    def of(cls, passages: Iterable[str], questions: Iterable[str]) -> LeakFilter:
        windows = {window for passage in passages for window in _window_hashes(passage, 1)}
        return cls(frozenset(windows), frozenset(letters_of(question) for question in questions))

    def has_passage(self, text: str) -> bool:
        return any(window in self.windows for window in _window_hashes(text, STRIDE_CHARS))

    def has_question(self, text: str) -> bool:
        return letters_of(text) in self.questions


def held_out(data: Path) -> LeakFilter:
    """The filter over everything under ``dev/`` and ``demo/`` of the data folder."""
    passages: set[str] = set()
    questions: set[str] = set()
    for path in sorted([*data.glob("dev/*.jsonl.gz"), *data.glob("demo/*.jsonl.gz")]):
        for row in read_rows(path):
            passages.update(str(row[key]) for key in ("context", "text") if row.get(key))
            passages.update(ref["text"] for ref in row.get("refs", ()) if ref.get("text"))
            if row.get("question"):
                questions.add(str(row["question"]))
    return LeakFilter.of(passages, questions)


def free_article_titles(data: Path) -> list[str]:
    """Titles of the COVID-QA articles that are used, for the notice that credits them."""
    path = data / "train" / "en_covidqa.jsonl.gz"
    rows = read_rows(path) if path.exists() else []
    return sorted({str(row["title"]) for row in with_free_articles(rows)})


def with_free_articles(rows: list[Row]) -> list[Row]:
    """Rows of the articles that state a licence which allows commercial use.

    COVID-QA cuts long articles into windows and only some carry the licence line, so one window
    with a free licence speaks for its article; an article that never states one is left out.
    """
    licences: dict[str, set[str]] = {}
    for row in rows:
        found = _LICENCE_LINE.findall(row["context"])
        licences.setdefault(row["title"], set()).update(name.lower() for name in found)
    free = {title for title, names in licences.items() if names and names <= FREE_ARTICLE_LICENCES}
    return [row for row in rows if row["title"] in free]
