"""How much to trust the rules' words over the reader's: the bonus, chosen on training questions.

Knows how a bonus is judged: span F1 on quotations of a question's own context. Never sees a dev
set. The model has seen these questions, so its own words look a little better here than they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.wording import substring_f1
from kb_service.generation.pocket import best_words, candidates, is_readable, is_sure
from kb_service.generation.pocket_model import PocketReader, Reading
from kb_service.generation.reading import Quotation, read
from training.corpus import Row
from training.reader.evidence import rarities
from training.reader.sources import QUESTION_FILES, read_material
from training.seeding import seeded

BONUSES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 99.0)
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A quotation with the readings of its candidates and the gold answers."""

    question: str
    quotation: Quotation
    readings: Sequence[Reading]
    golds: tuple[str, ...]

    def f1(self, bonus: float) -> float:
        """Span F1 of the words that win with this bonus."""
        text, words = self.quotation.text, self.quotation.words
        return substring_f1(best_words(text, words, self.readings, bonus), self.golds)


def judged(row: Row, idf: dict[str, float], reader: PocketReader) -> Judged | None:
    """What the extractive reader quotes of the row's own context; None when it is not read."""
    text = row["context"]
    passage = Passage(1, 1, "d", 1, "0" * 64, row["title"], TextSpan(0, len(text)), text, 1.0)
    quotations = read(row["question"], [passage], idf)
    if not quotations or not is_readable(quotations[0]):
        return None
    quotation = quotations[0]
    spans = candidates(row["question"], quotation)
    readings = reader.score(row["question"], [quotation.text], 1, spans)
    golds = tuple(answer["text"] for answer in row["answers"])
    return Judged(row["question"], quotation, readings, golds)


def calibrate(model: Path, data: Path, per_file: int, log: Log) -> None:
    """Print the mean F1 of each bonus, for questions whose answers have a form and for the rest."""
    reader = PocketReader.load(model)
    material = read_material(data)
    idf = rarities(text for _, text in material.contexts())
    for name in QUESTION_FILES:
        rows = [row for row in material.questions[name] if row["answerable"]]
        chosen = seeded(3).sample(rows, min(per_file, len(rows)))
        found = [each for row in chosen if (each := judged(row, idf, reader))]
        for sure in (True, False):
            group = [each for each in found if is_sure(each.question) == sure]
            shares = [sum(each.f1(bonus) for each in group) for bonus in BONUSES]
            line = "  ".join(
                f"{bonus:g}: {100 * share / max(1, len(group)):.1f}"
                for bonus, share in zip(BONUSES, shares, strict=True)
            )
            kind = "with a form" if sure else "open"
            log(f"{name}, {kind}, {len(group)} questions: {line}")
