"""What earlier syncs refused, by folder and name: told again, but no failure until it changes.

A file of its own in the data folder. It is a memory of messages, not of documents: losing it means
that each refusal is a failure once more.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from kb_service.domain.errors import StorageError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a content was refused. `rules`: what was in force; under others it is tried again."""

    sha256: str
    rules: str
    code: str
    message: str


class RefusedFiles:
    """The refusals of every base, one file each. One writer at a time: whoever holds the sync."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, kb_id: str, origin: str) -> dict[str, Refusal]:
        """Return what was refused of a folder, by name."""
        rows = self._read(kb_id).get(origin, {})
        return {name: Refusal(**row) for name, row in rows.items()}

    def keep(self, kb_id: str, origin: str, refusals: Mapping[str, Refusal]) -> None:
        """Replace what was refused of a folder. Raises StorageError."""
        rows = {name: asdict(refusal) for name, refusal in refusals.items()}
        held = self._read(kb_id)
        if held.get(origin, {}) == rows:
            return
        path = self._path(kb_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_text(json.dumps(held | {origin: rows}), encoding="utf-8")
            new.replace(path)
        except OSError as error:
            raise StorageError.from_os_error("note what a sync refused", error) from error

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
