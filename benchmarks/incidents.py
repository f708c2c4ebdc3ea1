"""How surely documents on one incident are linked, on made-up clusters of notices and records.

    python -m benchmarks.incidents [--clusters 200] [--seed 2026]

Each incident has a notice, mostly a follow-up that names the notice, and mostly a record of another
desk with a number of its own. Beside it stand others of the same day and kind elsewhere, and of the
same place and kind hours later.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations

from benchmarks.made_up_base import Base, made_up_base
from kb_service.storage.facts.store import Facts

KINDS = ("fire", "leak", "collision", "theft", "outage")
STREETS = ("Mill Lane", "Harbour Street", "Elm Court", "Quarry Road", "Station Square")
_FIRST = datetime.fromisoformat("2023-01-01T00:00")


def documents(draw: random.Random, number: int) -> Iterator[tuple[int, str]]:
    """Yield texts with the incident that each tells of."""
    for cluster in range(number):
        moment = _FIRST + timedelta(minutes=draw.randrange(365 * 24 * 60))
        kind, place = draw.choice(KINDS), f"{draw.choice(STREETS)} {cluster + 1}"
        yield 4 * cluster, _notice(4 * cluster, moment, kind, place)
        if draw.random() < 0.8:
            yield (
                4 * cluster,
                (
                    f"Notice U-{4 * cluster}-2 (Follow-up)\n\nFollow-up to N-{4 * cluster}-1. "
                    f"On {moment:%d %B %Y} the {kind} was examined."
                ),
            )
        if draw.random() < 0.8:
            seen = moment + timedelta(minutes=draw.randint(-20, 20))
            yield 4 * cluster, _record(4 * cluster, seen, kind, f"{place}, Westford")
        if draw.random() < 0.4:
            elsewhere = f"{draw.choice(STREETS)} {cluster + number + 1}"
            yield 4 * cluster + 1, _record(4 * cluster + 1, moment, kind, elsewhere)
        if draw.random() < 0.4:
            later = moment + timedelta(hours=draw.randint(3, 9))
            yield 4 * cluster + 2, _record(4 * cluster + 2, later, kind, place)


def _notice(number: int, moment: datetime, kind: str, place: str) -> str:
    return (
        f"Notice N-{number}-1 (Initial)\n\nOn {moment:%d %B %Y} at {moment:%H:%M} a {kind} "
        f"occurred at {place}. The call was received at once."
    )


def _record(number: int, moment: datetime, kind: str, place: str) -> str:
    return (
        f"Case number: C-{number}-9\nOccurred: {moment:%Y-%m-%d %H:%M}\n"
        f"Location: {place}\nType: {kind}\n"
    )


def linked(base: Base, texts: list[str]) -> list[int | None]:
    """Return the incident that each text is taken to tell of, once all are searchable."""
    ids = [base.add(f"{number}.txt", text) for number, text in enumerate(texts)]
    facts, cursor = Facts(base.database), None
    told: dict[str, int | None] = {}
    while True:
        page = facts.listed(base.kb_id, limit=1000, cursor=cursor)
        told |= {item.document_id: item.incident for item in page.items}
        cursor = page.next_cursor
        if cursor is None:
            return [told.get(document_id) for document_id in ids]


def main() -> int:
    """Print precision, recall and F1 over pairs of documents. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    made = list(documents(draw, options.clusters))
    draw.shuffle(made)
    with made_up_base() as base:
        found = linked(base, [text for _, text in made])
    pairs = list(combinations(zip((of for of, _ in made), found, strict=True), 2))
    true = sum(a[0] == b[0] for a, b in pairs)
    told = sum(a[1] is not None and a[1] == b[1] for a, b in pairs)
    right = sum(a[0] == b[0] and a[1] is not None and a[1] == b[1] for a, b in pairs)
    sys.stdout.write(
        f"{len(made)} documents, {true} true pairs: precision {right / max(told, 1):.3f}, "
        f"recall {right / max(true, 1):.3f}, F1 {2 * right / max(true + told, 1):.3f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
