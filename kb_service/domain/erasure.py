"""The proof of a deletion: hashes of what went, and where it was looked for. Values only."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What went with a document: no words of it, so that keeping this keeps nothing.

    `files`: SHA-256 of the bytes of each version. `texts`: of each text that had a vector.
    `num_rows`: rows that went, by table.
    """

    document_id: str
    kb_id: str
    deleted_at: datetime
    files: tuple[str, ...]
    texts: tuple[str, ...]
    revision_ids: tuple[int, ...]
    num_rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was looked at: how many things in it, and which of them still hold something.

    `shared`: what stays because other documents have the same content.
    """

    name: str
    num_looked: int
    found: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whether anything of a deleted document is left. `receipt`: None of one still there."""

    document_id: str
    receipt: Receipt | None
    places: tuple[Place, ...]

    @property
    def is_complete(self) -> bool:
        """True when nothing was found anywhere."""
        return not any(place.found for place in self.places)
