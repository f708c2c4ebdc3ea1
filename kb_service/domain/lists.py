"""What is wanted of a list of documents: which ones, in which order. Values only."""

from dataclasses import dataclass
from enum import StrEnum

from kb_service.domain.documents import DocumentStatus


class DocumentOrder(StrEnum):
    """By what a list is sorted; a minus turns it round. Equal ones stand by name."""

    NAME = "name"
    NAME_DOWN = "-name"
    OLDEST = "updated_at"
    LATEST = "-updated_at"
    SMALLEST = "size_bytes"
    LARGEST = "-size_bytes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents of a base; None restricts nothing.

    `name`: only that one. `name_contains`: those with that in their name, in any case. `labels`:
    those that carry all of them, each by id or name. `folder`: those whose name begins with this
    path, at any depth.
    """

    name: str | None = None
    name_contains: str | None = None
    status: DocumentStatus | None = None
    tag: str | None = None
    labels: tuple[str, ...] = ()
    folder: str | None = None


EVERY = Wanted()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of documents; `path` from the base, `totals` by status of all that lie in it."""

    path: str
    totals: dict[str, int]
    has_folders: bool

    @property
    def name(self) -> str:
        """What it is called where it lies."""
        return self.path.rpartition("/")[2]

    @property
    def num_documents(self) -> int:
        """How many documents lie in it, at any depth."""
        return sum(self.totals.values())
