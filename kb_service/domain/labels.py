"""Labels: marks that a base gives its documents, and which of them a name means. Pure.

A tag is a free word that comes with a file; a label is one thing of the base, whatever it is
called.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kb_service.domain.errors import NotFound
from kb_service.domain.names import composed


class LabelColour(StrEnum):
    """What a label is drawn in; a page says the name beside it, so that none is told by this."""

    GREY = "grey"
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    VIOLET = "violet"
    PINK = "pink"


@dataclass(frozen=True, slots=True)
class LabelMark:
    """A label as a document carries it."""

    id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a base; `num_documents` carry it."""

    id: str
    kb_id: str
    name: str
    colour: LabelColour
    description: str
    num_documents: int
    created_at: datetime


class LabelMarks:
    """The labels of one base, found by id or by name in any case and Unicode form."""

    def __init__(self, kb_id: str, marks: Iterable[LabelMark]) -> None:
        self._kb_id = kb_id
        self._by_id: dict[str, LabelMark] = {}
        self._by_name: dict[str, LabelMark] = {}
        self._by_folded: dict[str, LabelMark] = {}
        for mark in marks:
            self.add(mark)

    def __iter__(self) -> Iterator[LabelMark]:
        """Yield each, in the order in which they came."""
        return iter(self._by_id.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_id)

    def add(self, mark: LabelMark) -> None:
        """Take one more in."""
        self._by_id[mark.id] = mark
        self._by_name.setdefault(composed(mark.name), mark)
        self._by_folded.setdefault(folded(mark.name), mark)

    def get(self, key: str) -> LabelMark | None:
        """Return the label with that id, or else that name, None where there is none."""
        return (
            self._by_id.get(key)
            or self._by_name.get(composed(key))
            or self._by_folded.get(folded(key))
        )

    def require(self, key: str) -> LabelMark:
        """Return what `get` returns. Raises NotFound (label_not_found)."""
        mark = self.get(key)
        if mark is None:
            raise NotFound(f"no label {key[:100]!r} in {self._kb_id}", code="label_not_found")
        return mark


def folded(name: str) -> str:
    """Return what two names have in common that are one."""
    return composed(name).casefold()
