"""Which data the reader learns from: permitted texts and question rows, without held-out text.

Knows the files, their order and the leak check. Files with a non-commercial licence are not among
them. Does not know examples or tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.corpus import SOURCES, LeakFilter, Row, Source, held_out, read_rows

QUESTION_FILES = ("train/zh_cmrc2018", "train/zh_drcd", "train/en_squad")
TEXT_FILES = (
    "text/zh_wiki_passages",
    "text/zh_laws",
    "text/zh_cybersec_sft",
    "text/enzh_pydocs_parallel",
)
MIN_TEXT_CHARS = 40
SPELLED_AS_BLANK = "\u2581"
Titled = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Material:
    """Question rows and (title, text) pairs by file, and how many of each were dropped as leaks."""

    questions: dict[str, list[Row]]
    texts: dict[str, list[Titled]]
    num_leaked: int

    def contexts(self) -> list[Titled]:
        """Every distinct passage of the question rows with its title, in order."""
        rows = (row for rows in self.questions.values() for row in rows)
        return list(dict.fromkeys((row["title"].replace("_", " "), row["context"]) for row in rows))


def used_sources() -> tuple[Source, ...]:
    """The sources that the reader learns from, with licence and attribution."""
    used = {*QUESTION_FILES, *TEXT_FILES}
    return tuple(source for source in SOURCES if source.path in used)


def read_material(data: Path) -> Material:
    """Read all files that are there and drop what a held-out set shares.

    Raises:
        FileNotFoundError: none of the question files is there.
    """
    held = held_out(data)
    leaks = _Leaks(held)
    questions = {name: leaks.free_rows(_read(data, name)) for name in QUESTION_FILES}
    if not any(questions.values()):
        raise FileNotFoundError(f"{data} has none of {', '.join(QUESTION_FILES)} (.jsonl.gz)")
    readers: dict[str, Callable[[Row], Iterable[Titled]]] = {
        "text/zh_cybersec_sft": lambda row: [(row["instruction"], row["output"])],
        "text/enzh_pydocs_parallel": lambda row: [("", row["en"]), ("", row["zh"])],
    }
    texts = {}
    for name in TEXT_FILES:
        pairs = readers.get(name, _one_text)
        found = (pair for row in _read(data, name) for pair in pairs(row))
        texts[name] = leaks.free_texts(found)
    return Material(questions, texts, leaks.num_dropped)


def _one_text(row: Row) -> list[Titled]:
    return [(row["title"], row["text"])]


def _read(data: Path, name: str) -> list[Row]:
    path = data / f"{name}.jsonl.gz"
    return read_rows(path) if path.exists() else []


class _Leaks:
    """The held-out filter, and how much it dropped."""

    def __init__(self, held: LeakFilter) -> None:
        self._held = held
        self._passages: dict[str, bool] = {}
        self.num_dropped = 0

    def free_rows(self, rows: Iterable[Row]) -> list[Row]:
        kept = []
        for row in rows:
            if self._held.has_question(row["question"]) or self._leaks(row["context"]):
                self.num_dropped += 1
            else:
                kept.append(row)
        return kept

    def free_texts(self, pairs: Iterable[Titled]) -> list[Titled]:
        return list(self._free(pairs))

    def _free(self, pairs: Iterable[Titled]) -> Iterator[Titled]:
        for title, text in pairs:
            if len(text) < MIN_TEXT_CHARS:
                continue
            if self._leaks(text) or self._held.has_question(title):
                self.num_dropped += 1
            else:
                yield title, text.replace(SPELLED_AS_BLANK, " ")

    def _leaks(self, text: str) -> bool:
        if text not in self._passages:
            self._passages[text] = self._held.has_passage(text)
        return self._passages[text]
