"""A base built from scratch: each document sent in once, in the order in which they came."""

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.histories.hand import Hand, Parsers, new_folder
from kb_service.domain.errors import NotFound


@dataclass(frozen=True)
class Entry:
    """A document of a base: `contents` in their order, the last one the newest; `label`: whose.

    `members`: names of the files inside it that are there, by label.
    """

    label: str
    name: str
    contents: tuple[bytes, ...]
    tags: tuple[str, ...] = ()
    encoding: str = ""
    members: tuple[tuple[str, str], ...] = ()


class Scratch:
    """A base of its own in a folder of its own, which holds these documents and no others."""

    def __init__(
        self, folder: Path, template: Path, parsers: Parsers, entries: Sequence[Entry]
    ) -> None:
        self.hand = Hand(new_folder(folder, template), parsers)
        self.kb_id = self.hand.services.bases.create("scratch").id
        self._labels: dict[str, str] = {}
        for entry in entries:
            self._add(entry)

    def name_of(self, document_id: str) -> str:
        """Return the label of a document."""
        return self._labels[document_id]

    def close(self) -> None:
        """Release it; the folder stays."""
        self.hand.close()

    def _add(self, entry: Entry) -> None:
        services = self.hand.services
        for content in entry.contents:
            stream = io.BytesIO(content)
            item = services.uploads.accept(self.kb_id, entry.name, stream, tags=entry.tags)
            if item.document is None:
                raise RuntimeError(f"{entry.name} is refused: {item.error}")
            if entry.encoding:
                services.uploads.read_as(self.kb_id, item.document.id, entry.encoding)
            self.hand.work(self.kb_id)
            self.hand.rest()
        self._labels[item.document.id] = entry.label
        self._choose_members(entry)

    def _choose_members(self, entry: Entry) -> None:
        wanted = dict(entry.members)
        documents = self.hand.services.documents
        for state in tuple(documents.every(self.kb_id)):
            item = state.document
            if item.container is None or item.id in self._labels:
                continue
            if item.name in wanted:
                self._labels[item.id] = wanted[item.name]
            else:
                with suppress(NotFound):  # it went with the member that it came out of
                    documents.delete(self.kb_id, item.id)
