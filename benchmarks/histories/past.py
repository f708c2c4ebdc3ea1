"""What a base answered after each step, and whether it says so when it is asked as of then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.histories import views
from benchmarks.histories.files import questions
from benchmarks.histories.hand import Hand
from kb_service.domain.errors import InvalidRequest


@dataclass(frozen=True)
class Searchable:
    """A document that was searchable, and which content; `reading`: how often that was read anew
    as another text. `order`: of its coming."""

    label: str
    name: str
    sha256: str
    reading: int
    encoding: str
    container: str | None
    order: int


@dataclass(frozen=True)
class Record:
    """What was answered after a step, at a time: then `change` was the last one of the base."""

    step: int
    change: int
    at: datetime
    documents: tuple[Searchable, ...]
    found: views.View
    said: views.View


def record(
    hand: Hand, kb_id: str, step: int, documents: Sequence[Searchable], name_of: views.NameOf
) -> Record:
    """Ask, and remember what was answered."""
    asked = questions()
    return Record(
        step,
        hand.services.bases.show(kb_id).change,
        datetime.now(UTC),
        tuple(documents),
        views.found(hand, kb_id, name_of),
        views.said(hand, kb_id, name_of, asked=[asked[step % len(asked)]]),
    )


def unlike(hand: Hand, kb_id: str, then: Record, name_of: views.NameOf) -> str | None:
    """Return in what a base asked as of a record says something else than it did; None: nothing."""
    try:
        found = views.found(hand, kb_id, name_of, then.change)
        said = views.said(hand, kb_id, name_of, then.change, then.said)
        at_time = views.found(hand, kb_id, name_of, then.at.isoformat(), num_searches=1)
    except InvalidRequest as error:
        return f"as of {then.change}: {error.code}"
    told = views.difference(then.found, found, "found")
    for question, answer in views.of_one(then.said).items():
        told = told or views.difference(answer, said[question], f"said to {question!r}")
    for words, items in at_time.items():
        told = told or views.difference(then.found[words], items, "found by time")
    return told and f"as of {then.change} (after step {then.step}): {told}"
