"""Reads records written by hand with phrases for a sort of happening: those that fit, near others.

Whole files are held: other offices by other writers, to measure on. Knows words; knows no tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("written_records")
HELD = frozenset({"zh_visitors_and_animals", "en_visitors_and_animals"})


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record of an office (`domain`), with phrases."""

    domain: str
    text: str
    fits: tuple[str, ...]
    others: tuple[str, ...]


@cache
def records(*, held: bool) -> tuple[WrittenRecord, ...]:
    """The records that may be trained on, or those that may not."""
    files = (path for path in sorted(FOLDER.glob("*.jsonl")) if (path.stem in HELD) == held)
    return tuple(record for path in files for record in read_records(path))


def read_records(path: Path) -> Iterator[WrittenRecord]:
    """The records of a file: JSON lines of domain, text, fits and not."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield WrittenRecord(row["domain"], row["text"], tuple(row["fits"]), tuple(row["not"]))
