"""Records written by hand with phrases that fit them and phrases that do not, and batches of them.

Whole files are held: other offices by other writers, on which the judge is measured and calibrated.
Knows words; knows no tokens.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kb_service.language.text import is_chinese
from training.phrases.recipe import Recipe

FOLDER = Path(__file__).with_name("written_records")
HELD = frozenset({"zh_visitors_and_animals", "en_visitors_and_animals"})

WRAPS = {
    True: ("{}的", "{}这类", "{}的事", "{}事件", "关于{}的", "出{}的", "发生{}的", "{}情况"),
    False: (
        "{} cases",
        "cases of {}",
        "any {}",
        "incidents with {}",
        "the {} ones",
        "{} of any kind",
    ),
}
"""What questions put around a phrase, in Chinese or not."""


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record of an office (`domain`), with phrases."""

    domain: str
    text: str
    fits: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A record beside phrases: whether each fits (0 or 1), and what each weighs."""

    text: str
    phrases: tuple[str, ...]
    fits: tuple[float, ...]
    weights: tuple[float, ...]


@cache
def records(*, held: bool) -> tuple[WrittenRecord, ...]:
    """The records that are trained on, or those that are not."""
    files = (path for path in sorted(FOLDER.glob("*.jsonl")) if (path.stem in HELD) == held)
    return tuple(record for path in files for record in read_records(path))


def read_records(path: Path) -> Iterator[WrittenRecord]:
    """The records of a file: JSON lines of domain, text, fits and not."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield WrittenRecord(row["domain"], row["text"], tuple(row["fits"]), tuple(row["not"]))


class Batches:
    """The records of every step: each once an epoch, in an order by seed."""

    def __init__(self, of: Sequence[WrittenRecord], recipe: Recipe) -> None:
        self._of, self._recipe = of, recipe
        self._domains: dict[str, list[WrittenRecord]] = {}
        for record in of:
            self._domains.setdefault(record.domain, []).append(record)

    def of_step(self, step: int) -> list[Judged]:
        """The records of a step, with their phrases."""
        size = self._recipe.schedule.batch_size
        a_epoch = max(1, len(self._of) // size)
        epoch, place = divmod(step, a_epoch)
        rng = random.Random(f"{self._recipe.seed}-{epoch}")  # noqa: S311 - no secret
        order = rng.sample(range(len(self._of)), len(self._of))
        drawn = random.Random(f"{self._recipe.seed}-{step}-phrases")  # noqa: S311 - no secret
        return [self._judged(self._of[n], drawn) for n in order[place * size : (place + 1) * size]]

    def _judged(self, record: WrittenRecord, rng: random.Random) -> Judged:
        mix = self._recipe.mix
        own = {*record.fits, *record.others}
        foreign = dict.fromkeys(self._foreign(record, rng) for _ in range(mix.num_foreign))
        strange = [phrase for phrase in foreign if phrase not in own]
        told = [(phrase, 1.0, 1.0) for phrase in record.fits]
        told += [(phrase, 0.0, 1.0) for phrase in record.others]
        told += [(phrase, 0.0, mix.foreign_weight) for phrase in strange]
        phrases, fits, weights = zip(*told, strict=True)
        said = tuple(wrapped(one, rng) if rng.random() < mix.wrapped else one for one in phrases)
        return Judged(record.text, said, fits, weights)

    def _foreign(self, record: WrittenRecord, rng: random.Random) -> str:
        near = self._domains[record.domain]
        other = rng.choice(near if rng.random() < self._recipe.mix.same_domain else self._of)
        return rng.choice((*other.fits, *other.others))


def wrapped(phrase: str, rng: random.Random) -> str:
    """A phrase in words that questions put around such."""
    return rng.choice(WRAPS[is_chinese(phrase)]).format(phrase)
