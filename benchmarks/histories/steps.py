"""What may happen to a base, as values: a history is a list of steps, drawn from a seed.

A step chooses by numbers among what is there when it is done, and does nothing where there is
nothing; so any part of a history is a history.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a step does."""

    UPLOAD = "upload"
    SYNC = "sync"
    DELETE = "delete"
    RESTORE = "restore"
    REREAD = "reread"
    TAG = "tag"
    ABANDON = "abandon"
    WORK = "work"
    LOOK_BACK = "look back"
    PURGE = "purge"
    RESTART = "restart"
    LOSE_INDEX = "lose the index"
    REINDEX = "reindex"
    ERASE = "erase"
    TRANSFER = "export and import"
    BACKUP = "backup and restore"


WEIGHTS = {
    Kind.UPLOAD: 40,
    Kind.SYNC: 8,
    Kind.DELETE: 12,
    Kind.RESTORE: 12,
    Kind.REREAD: 5,
    Kind.TAG: 2,
    Kind.ABANDON: 3,
    Kind.WORK: 3,
    Kind.LOOK_BACK: 4,
    Kind.PURGE: 2,
    Kind.RESTART: 5,
    Kind.LOSE_INDEX: 3,
    Kind.REINDEX: 2,
    Kind.ERASE: 4,
    Kind.TRANSFER: 7,
    Kind.BACKUP: 3,
}


@dataclass(frozen=True)
class Step:
    """A step; `numbers` choose among what is there, `is_waiting`: its documents are read now."""

    kind: Kind
    numbers: tuple[int, int, int]
    is_waiting: bool = True

    def pick(self, items: Sequence[object], place: int = 0) -> int:
        """Return the place in a list that a number chooses."""
        return self.numbers[place] % len(items)


def draw(seed: str, num_steps: int) -> list[Step]:
    """Return a random history; it begins with an upload."""
    dice = random.Random(seed)
    kinds = [Kind.UPLOAD, *dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=num_steps - 1)]
    return [
        Step(
            kind,
            (dice.randrange(1000), dice.randrange(1000), dice.randrange(1000)),
            dice.random() < 0.85,
        )
        for kind in kinds
    ]
