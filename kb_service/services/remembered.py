"""What syncs remember of files, by place and name: what was refused, and what was seen.

Files of its own in the data folder. It is a memory of work done, not of documents: losing it means
that each refusal is a failure once more, and that files of other machines are fetched once more.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from kb_service.domain.errors import StorageError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a content was refused. `rules`: what was in force; under others it is tried again."""

    sha256: str
    rules: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SeenFile:
    """The content that a file had when it bore this stamp."""

    stamp: str
    sha256: str


Row = TypeVar("Row", Refusal, SeenFile)


class Remembered(Generic[Row]):
    """Rows of one kind, a file for each base. One writer at a time: whoever holds the sync."""

    def __init__(self, folder: Path, kind: type[Row]) -> None:
        self._folder = folder
        self._kind: type[Row] = kind

    def of(self, kb_id: str, origin: str) -> dict[str, Row]:
        """Return what is remembered of a place, by name."""
        rows = self._read(kb_id).get(origin, {})
        return {name: self._kind(**row) for name, row in rows.items()}

    def keep(self, kb_id: str, origin: str, rows: Mapping[str, Row]) -> None:
        """Replace what is remembered of a place. Raises StorageError."""
        values = {name: asdict(row) for name, row in rows.items()}
        held = self._read(kb_id)
        if held.get(origin, {}) == values:
            return
        path = self._path(kb_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_text(json.dumps(held | {origin: values}), encoding="utf-8")
            new.replace(path)
        except OSError as error:
            raise StorageError.from_os_error("note what a sync saw", error) from error

    def forget_all_but(self, kb_ids: Collection[str]) -> None:
        """Remove the files of bases that are gone."""
        for path in self._folder.glob("*.json"):
            if path.stem not in kb_ids:
                with suppress(OSError):  # a later sync tries again
                    path.unlink()

    def _read(self, kb_id: str) -> dict[str, dict[str, dict[str, str]]]:
        try:
            held = json.loads(self._path(kb_id).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or cut short: only a memory
            return {}
        return held if isinstance(held, dict) else {}

    def _path(self, kb_id: str) -> Path:
        return self._folder / f"{kb_id}.json"
