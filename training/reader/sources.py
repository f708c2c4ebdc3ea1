"""What the reader learns from: question sets, and the negatives that are made of them.

Every example is a function of seed and number, so that a run that was stopped goes on alike.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training.corpus import read_rows, with_free_articles
from training.reader.introducing import Maker, introducing
from training.reader.papers import tables
from training.reader.passages import Asked
from training.reader.recipe import Mix

SETS = {
    "chinese": ("zh_cmrc2018", "zh_drcd"),
    "traditional": ("zhHant_drcd",),
    "english": ("en_squad",),
    "science": ("en_covidqa",),
}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*")
_QUOTED = re.compile(r"[《“「]([^》”」]{2,20})[》”」]")


@dataclass(frozen=True, slots=True)
class Row:
    """A question of a set with its context. `answer`: offsets of the first answer, or None."""

    question: str
    title: str
    context: str
    answer: tuple[int, int] | None


def read_set(path: Path) -> list[Row]:
    """The rows of a question set whose answer stands in its context, and the unanswerable ones.

    Of COVID-QA only the articles that state a licence which allows commercial use.
    """
    rows = read_rows(path)
    if "covidqa" in path.name:
        rows = with_free_articles(rows)
    found = [_row(fields) for fields in rows]
    return [row for row in found if row is not None]


def _row(fields: dict[str, Any]) -> Row | None:
    title = str(fields["title"] or "").replace("_", " ")
    row = Row(fields["question"], title, fields["context"], None)
    if not fields.get("answerable", True):
        return row
    placed = [answer for answer in fields["answers"] if answer["start"] >= 0]
    if not placed:
        return None
    start = placed[0]["start"]
    return replace(row, answer=(start, start + len(placed[0]["text"])))


class QuestionSets:
    """The sets of a source, and the negatives that their rows give."""

    def __init__(self, rows: list[Row], mix: Mix) -> None:
        self._rows, self._mix = rows, mix
        self._of_title: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._of_title[row.title].append(row)
        self._named = [name for row in rows for name in _swappable(row.question)]

    def draw(self, rng: random.Random) -> Asked | None:
        """One question beside a passage; None when this draw gives nothing."""
        row, kind = rng.choice(self._rows), rng.random()
        if rng.random() < self._mix.otherwise:
            row = replace(row, question=said_otherwise(row.question, rng))
        title = row.title if rng.random() < self._mix.titled else ""
        if kind < self._mix.foreign:
            return self._foreign(row, title, rng)
        if kind < self._mix.foreign + self._mix.swapped:
            return self._swapped(row, title, rng)
        return Asked(row.question, title, row.context, row.answer)

    def _foreign(self, row: Row, title: str, rng: random.Random) -> Asked | None:
        near = self._of_title[row.title] if rng.random() < 0.5 else self._rows
        other = rng.choice(near)
        if other.context == row.context:
            return None
        if row.answer and row.context[slice(*row.answer)] in other.context:
            return None
        shown = title and (row.title if near is not self._rows else other.title)
        return Asked(row.question, shown, other.context, None)

    def _swapped(self, row: Row, title: str, rng: random.Random) -> Asked | None:
        parts = _swappable(row.question)
        if not row.answer or not parts:
            return None
        part = rng.choice(parts)
        put = _other_number(part, rng) if _NUMBER.fullmatch(part) else rng.choice(self._named)
        if _NUMBER.fullmatch(put) and not _NUMBER.fullmatch(part):
            return None
        if put in row.context or put in row.question:
            return None
        return Asked(row.question.replace(part, put), title, row.context, None)


def _swappable(question: str) -> list[str]:
    names = [match.group() for match in _NAME.finditer(question)]
    quoted = [match.group(1) for match in _QUOTED.finditer(question)]
    return [match.group() for match in _NUMBER.finditer(question)] + names + quoted


def _other_number(number: str, rng: random.Random) -> str:
    """Another number of as many digits."""
    if not number.isdigit():
        return "".join(str(rng.randint(1, 9)) if c.isdigit() else c for c in number)
    low = 10 ** (len(number) - 1)
    value = int(number) + rng.choice([-3, -2, -1, 1, 2, 3, 10])
    return str(min(max(value, low), low * 10 - 1))


def makers(data: Path, mix: Mix, reports: Maker, written: Maker) -> dict[str, Maker]:
    """The maker of examples of every source of the mix, by its name."""
    found: dict[str, Maker] = {"reports": reports, "written": written}
    for name, files in SETS.items():
        rows = [row for file in files for row in read_set(data / f"{file}.jsonl.gz")]
        found[name] = QuestionSets(rows, mix).draw
    return {name: introducing(make, mix.introduced) for name, make in found.items()}


def said_otherwise(question: str, rng: random.Random) -> str:
    """The same question as somebody says it in speech, in haste or politely."""
    language = "zh" if any(character > "\u3000" for character in question) else "en"
    words = tables(language)["otherwise"]
    fitting = [pair for pair in words["pairs"] if pair[0] in question]
    if fitting and rng.random() < 0.7:
        old, new = rng.choice(fitting)
        question = question.replace(old, new, 1)
    if rng.random() < 0.3:
        question = rng.choice(words["before"]) + question
    if rng.random() < 0.4:
        question = question.rstrip("?？") + rng.choice(words["behind"])
    if language == "en" and rng.random() < 0.4:
        question = rng.choice([question.lower(), question.upper(), question.lower()])
    return question
