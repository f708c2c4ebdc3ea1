"""Which chunks a revision has and which document it is of: in memory whole, on the disk in parts.

A part is written once, with what came since the last one; parts of about one size become one, so
that a snapshot costs what is new in it. Knows no words and no vectors.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrievers.vector_segment import Taken

OWNERS_FILE = "owners.json"
PARTS = "revisions-*.json"
_PART = "revisions-{}.json"


@dataclass(slots=True)
class _Part:
    name: str
    revisions: set[int] = field(default_factory=set)


class Owners:
    """The revisions of an index."""

    def __init__(self) -> None:
        self._chunks_of: dict[int, Sequence[int]] = {}
        self._document_of: dict[int, str] = {}
        self._revisions_of: dict[str, set[int]] = {}
        self._parts: list[_Part] = []
        self._new: set[int] = set()

    def __len__(self) -> int:
        return len(self._chunks_of)

    def add(self, revision_id: int, document_id: str, chunk_ids: Iterable[int]) -> None:
        """Note a revision that is new."""
        self._note(revision_id, document_id, _compact(list(chunk_ids)))
        self._new.add(revision_id)

    def remove(self, revision_id: int) -> Sequence[int]:
        """Forget a revision; return the chunks that it had, none when it is unknown."""
        document_id = self._document_of.pop(revision_id, "")
        self._revisions_of.get(document_id, set()).discard(revision_id)
        self._new.discard(revision_id)
        return self._chunks_of.pop(revision_id, ())

    def chunks_of(self, revision_id: int) -> Sequence[int] | None:
        """Return the chunks of a revision, in order; None when it is unknown."""
        return self._chunks_of.get(revision_id)

    def document_of(self, revision_id: int) -> str | None:
        """Return the document of a revision, None when it is unknown."""
        return self._document_of.get(revision_id)

    def chunks_in(self, documents: Collection[str]) -> list[int]:
        """Return the chunks of the documents."""
        return [
            chunk_id
            for document_id in documents
            for revision_id in self._revisions_of.get(document_id, ())
            for chunk_id in self._chunks_of[revision_id]
        ]

    def save(self, folder: Path, is_taken: Taken) -> None:
        """Write into an empty folder; `is_taken` as with `VectorSegment.write`. Raises OSError."""
        if self._new:
            self._parts.append(_Part(secrets.token_hex(8), self._new))
            self._new = set()
        while len(self._parts) > 1 and 2 * self._live(-1) >= self._live(-2):
            last, before = self._parts.pop(), self._parts.pop()
            self._parts.append(_Part(secrets.token_hex(8), last.revisions | before.revisions))
        gone = []
        for part in self._parts:
            path = folder / _PART.format(part.name)
            if not is_taken(path):
                part.revisions &= self._chunks_of.keys()
                path.write_text(json.dumps(dict(self._told(part.revisions))), encoding="utf-8")
            gone += sorted(part.revisions - self._chunks_of.keys())
        listed = {"parts": [part.name for part in self._parts], "gone": gone}
        (folder / OWNERS_FILE).write_text(json.dumps(listed), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Owners":
        """Read what `save` wrote. Raises OSError, ValueError, KeyError."""
        loaded = cls()
        listed = json.loads((folder / OWNERS_FILE).read_bytes())
        gone = set(listed["gone"])
        for name in listed["parts"]:
            told = json.loads((folder / _PART.format(name)).read_bytes())
            loaded._parts.append(_Part(name, {int(revision) for revision in told}))
            for revision, (document_id, chunk_ids) in told.items():
                if int(revision) not in gone:
                    loaded._note(int(revision), document_id, _chunks(chunk_ids))
        return loaded

    def _note(self, revision_id: int, document_id: str, chunk_ids: Sequence[int]) -> None:
        self._chunks_of[revision_id] = chunk_ids
        self._document_of[revision_id] = document_id
        self._revisions_of.setdefault(document_id, set()).add(revision_id)

    def _live(self, position: int) -> int:
        return len(self._parts[position].revisions)

    def _told(self, revisions: Iterable[int]) -> Iterator[tuple[int, tuple[str, object]]]:
        for revision in sorted(revisions):
            chunks = self._chunks_of[revision]
            told = (
                {"from": chunks.start, "to": chunks.stop} if isinstance(chunks, range) else chunks
            )
            yield revision, (self._document_of[revision], told)


def documents_listed(folder: Path) -> frozenset[str]:
    """Return the documents that the parts in a folder name, also those that are gone by now.

    Raises OSError, ValueError.
    """
    parts = (json.loads(path.read_bytes()) for path in folder.glob(PARTS))
    return frozenset(document_id for part in parts for document_id, _ in part.values())


def _compact(chunk_ids: Sequence[int]) -> Sequence[int]:
    """Return ids that follow one another as a range: a tenth of the memory."""
    span = range(chunk_ids[0], chunk_ids[-1] + 1) if chunk_ids else range(0)
    return span if list(span) == list(chunk_ids) else tuple(chunk_ids)


def _chunks(told: object) -> Sequence[int]:
    if isinstance(told, dict):
        return range(told["from"], told["to"])
    if isinstance(told, list):
        return tuple(told)
    raise ValueError("chunks are told as a range or a list")
