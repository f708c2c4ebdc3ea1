"""A history played: two processes over one data folder take turns at its steps.

Knows what should be there: which contents were sent in for which document, and what was deleted.
What must hold is `holding`'s.
"""

import hashlib
import io
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.histories import files, past
from benchmarks.histories.hand import Hand, Parsers, new_folder, settings_of
from benchmarks.histories.past import Record, Searchable
from benchmarks.histories.steps import Kind, Step
from kb_service.bootstrap import open_upkeep
from kb_service.domain.documents import Document
from kb_service.domain.names import OnConflict
from kb_service.domain.sync import SyncOrder
from kb_service.storage.history import History

CONFLICTS = (OnConflict.REVISE, OnConflict.REVISE, OnConflict.REVISE, OnConflict.KEEP)
ENCODINGS = ("", "gb18030", "big5", "cp1252")
SYNCED = ("a.txt", "d.md", "k.txt", "j.zip")
ALL = 10_000


class Broken(AssertionError):
    """Something does not hold."""


class Play:
    """A base, what should be in it, and what it answered after each step."""

    def __init__(self, place: Path, template: Path, parsers: Parsers) -> None:
        self.place, self.template, self.parsers = place, template, parsers
        self.folder = new_folder(place / "data-0", template)
        self.synced = place / "synced"
        self.synced.mkdir()
        self.bytes: dict[str, bytes] = {}
        self.marks: dict[str, frozenset[str]] = {}
        self.labels: dict[str, str] = {}
        self.readings: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.deleted: list[str] = []
        self.records: list[Record] = []
        self.purged_after = 0
        self._seen: dict[str, int] = {}
        self._num_places = 1
        self._turn = 0
        self.hands = self._open()
        self.kb_id = self.hand.services.bases.create("base 0").id

    @property
    def hand(self) -> Hand:
        """The process whose turn it is."""
        return self.hands[self._turn % 2]

    def do(self, number: int, step: Step) -> None:
        """Do a step, let the other process answer, and remember what it said."""
        self._turn = number
        _DO[step.kind](self, step)
        if step.is_waiting or step.kind is Kind.WORK:
            self.hand.work(self.kb_id)
        self.hand.rest()  # vectors that follow later would be found as of then, too
        self.look()
        self._turn += 1
        self.records.append(
            past.record(self.hand, self.kb_id, number, self.searchable(), self.name_of)
        )

    def documents(self) -> list[Document]:
        """Return the documents that are there."""
        return [state.document for state in self.hand.services.documents.every(self.kb_id)]

    def own(self) -> list[Document]:
        """Return those that came out of no other."""
        return [item for item in self.documents() if item.container is None]

    def name_of(self, document_id: str) -> str:
        """Return the label of a document."""
        return self.labels[document_id]

    def look(self) -> None:
        """Note documents that are new or gone, and what has been read."""
        here = self.documents()
        for item in here:
            if item.id not in self.labels:
                self.labels[item.id] = f"{item.name} #{len(self.labels)}"
            if item.revision and item.revision.id > self._seen.get(item.id, 0):
                self._seen[item.id] = item.revision.id
                known = self.readings[self.labels[item.id], item.revision.sha256]
                if not known or known[-1] != item.encoding:
                    known.append(item.encoding)
        ids = {item.id for item in here}
        for document_id in [key for key in self._seen if key not in ids]:
            del self._seen[document_id]
            self.deleted.append(document_id)

    def searchable(self) -> list[Searchable]:
        """Return what can be found now, in the order in which it came."""
        found = []
        for item in self.documents():
            if item.revision:
                label, sha256 = self.labels[item.id], item.revision.sha256
                known = self.readings[label, sha256]
                inside = item.container and self.labels[item.container.document_id]
                order = item.revision.id
                found.append(
                    Searchable(label, item.name, sha256, len(known), known[-1], inside, order)
                )
        return sorted(found, key=lambda one: one.order)

    def is_whole(self, then: Record) -> bool:
        """True when all that was there then is still there, and its contents still read so."""
        labels = {self.labels[item.id] for item in self.documents()}
        return all(
            one.label in labels and len(self.readings[one.label, one.sha256]) == one.reading
            for one in then.documents
        )

    def hold(self, place: int) -> None:
        """Ask the base as of a record, unless something of that is gone."""
        then = self.records[place]
        if not self.is_whole(then):
            return
        told = past.unlike(self.hand, self.kb_id, then, self.name_of)
        if told and not (place < self.purged_after and told.endswith("as_of_purged")):
            raise Broken(told)

    def close(self) -> None:
        """End both processes."""
        for hand in self.hands:
            hand.close()

    def move(self, folder: Path, kb: str) -> None:
        """Go on with a base of a folder, whose documents have the names of those of before."""
        labels = {item.name: self.labels[item.id] for item in self.documents()}
        self.close()
        if folder != self.folder:
            self.deleted = []
        self.folder, self.hands = folder, ()
        self.hands = self._open()
        self.kb_id = self.hand.services.bases.show(kb).id
        here = self.documents()
        self.labels |= {item.id: labels[item.name] for item in here}
        self._seen = {item.id: item.revision.id if item.revision else 0 for item in here}

    def another_place(self) -> Path:
        """Return a path at which nothing is."""
        self._num_places += 1
        return self.place / f"data-{self._num_places}"

    def note(self, kind: str, number: int) -> bytes:
        """Return a content, and remember it."""
        data = files.content(kind, number)
        sha256 = hashlib.sha256(data).hexdigest()
        self.bytes[sha256] = data
        self.marks[sha256] = files.marks_of(kind, number)
        return data

    def open_again(self) -> None:
        """Begin with two new processes."""
        self.hands = self._open()

    def _open(self) -> tuple[Hand, Hand]:
        return Hand(self.folder, self.parsers), Hand(self.folder, self.parsers)


def _upload(play: Play, step: Step) -> None:
    names = list(files.NAMES)
    name = names[step.pick(names)]
    data = play.note(files.NAMES[name], step.numbers[1] % (files.NUMBERS + 1))
    conflict = CONFLICTS[step.pick(CONFLICTS, 2)]
    accept = play.hand.services.uploads.accept
    item = accept(play.kb_id, name, io.BytesIO(data), on_conflict=conflict)
    if item.document is None and data:
        raise Broken(f"{name} is refused: {item.error}")


def _sync(play: Play, step: Step) -> None:
    name = SYNCED[step.pick(SYNCED)]
    path = play.synced / name
    if path.exists() and step.numbers[1] % 3 == 0 and len(list(play.synced.iterdir())) > 1:
        path.unlink()
    else:
        path.write_bytes(play.note(files.NAMES.get(name, "text"), step.numbers[2] % 4))
        os.utime(path, (step.numbers[2], step.numbers[2]))
    order = SyncOrder(play.kb_id, str(play.synced), prune=True)
    play.hand.services.intake.follow(order)


def _delete(play: Play, step: Step) -> None:
    if items := play.own():
        item = items[step.pick(items)]
        play.hand.services.documents.delete(play.kb_id, item.id)


def _restore(play: Play, step: Step) -> None:
    if items := [item for item in play.own() if len(item.versions) > 1] or play.own():
        item = items[step.pick(items)]
        version = item.versions[step.pick(item.versions, 1)]
        play.hand.services.uploads.restore(play.kb_id, item.id, version.sha256)


def _reread(play: Play, step: Step) -> None:
    if items := [item for item in play.own() if item.media_type == "text/plain"]:
        item, encoding = items[step.pick(items)], ENCODINGS[step.pick(ENCODINGS, 1)]
        play.hand.services.uploads.read_as(play.kb_id, item.id, encoding)


def _tag(play: Play, step: Step) -> None:
    if items := play.own():
        tags = [f"tag {number % 3}" for number in step.numbers]
        play.hand.services.documents.mark(play.kb_id, items[step.pick(items)].id, tags)


def _abandon(play: Play, _: Step) -> None:
    play.hand.abandon()


def _look_back(play: Play, step: Step) -> None:
    if play.records:
        play.hold(step.pick(play.records))


def _purge(play: Play, _: Step) -> None:
    history = History(play.hand.database)
    while history.purge(datetime.now(UTC), ALL):
        pass
    play.purged_after = len(play.records)


def _restart(play: Play, _: Step) -> None:
    play.move(play.folder, play.kb_id)


def _lose_index(play: Play, _: Step) -> None:
    play.close()
    shutil.rmtree(play.folder / "index", ignore_errors=True)
    play.open_again()


def _reindex(play: Play, _: Step) -> None:
    play.hand.services.reindexing.reindex(play.kb_id)


def _erase(play: Play, _: Step) -> None:
    play.hand.services.erasing.erase(play.kb_id)


def _transfer(play: Play, step: Step) -> None:
    place = play.another_place()
    archive = place.with_suffix(".kbz")
    with_talks = step.numbers[1] % 2 == 0
    services = play.hand.services
    services.transfer.export(play.kb_id, archive, with_talks=with_talks)
    old, name = play.kb_id, f"base {place.name}"
    if step.numbers[0] % 2:
        came = services.transfer.bring_back(archive, name)
        play.move(play.folder, came.kb_id)
        if step.numbers[2] % 2:
            play.hand.services.bases.delete(old)
        return
    other = Hand(new_folder(place, play.template), play.parsers)
    came = other.services.transfer.bring_back(archive, name)
    other.close()
    play.move(place, came.kb_id)


def _backup(play: Play, _: Step) -> None:
    place = play.another_place()
    copy = place.with_suffix(".backup")
    play.hand.services.upkeep.back_up(copy)
    with open_upkeep(settings_of(place)) as upkeep:
        upkeep.restore(copy)
    play.move(place, play.kb_id)


_DO: dict[Kind, Callable[[Play, Step], None]] = {
    Kind.UPLOAD: _upload,
    Kind.SYNC: _sync,
    Kind.DELETE: _delete,
    Kind.RESTORE: _restore,
    Kind.REREAD: _reread,
    Kind.TAG: _tag,
    Kind.ABANDON: _abandon,
    Kind.WORK: lambda play, step: None,
    Kind.LOOK_BACK: _look_back,
    Kind.PURGE: _purge,
    Kind.RESTART: _restart,
    Kind.LOSE_INDEX: _lose_index,
    Kind.REINDEX: _reindex,
    Kind.ERASE: _erase,
    Kind.TRANSFER: _transfer,
    Kind.BACKUP: _backup,
}
