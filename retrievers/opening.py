"""How an index comes into being: from a published snapshot and replay, else from the database.

Knows snapshots, the places to work in, and the order in which they are tried; every failure of
one leads to the next, and the last (the database, in memory) needs no disk. Knows nothing of who
shares an index: its caller locks.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexSource
from retrievers.failures import IndexFailed, index_failures
from retrievers.folders import ClaimedFolder
from retrievers.live import LiveIndex
from retrievers.places import WorkPlaces, default_places
from retrievers.snapshots import IndexSnapshot, SnapshotRejected, SnapshotStore
from retrievers.upkeep import IndexFiles

logger = logging.getLogger(__name__)

_Make = Callable[[ClaimedFolder | None], LiveIndex]
"""Makes an index that works in the folder, or in memory."""


class IndexOpener:
    """Opens, builds and publishes the index of a base. Every method raises StorageError."""

    def __init__(
        self,
        source: IndexSource,
        profile: EmbeddingProfile,
        index_root: Path,
        *,
        flat_limit: int,
        places: Sequence[Path] | None = None,
    ) -> None:
        """`places`: the folders that an index may work in, the preferred one first."""
        self._source = source
        self._profile = profile
        self._root = index_root
        self._flat_limit = flat_limit
        self._places = WorkPlaces(default_places(index_root) if places is None else places)

    def store(self, kb_id: str) -> SnapshotStore:
        """Return the snapshots of a base."""
        return SnapshotStore(self._root, kb_id, self._profile)

    def open(self, kb_id: str) -> LiveIndex:
        """Return the index of a base, up to the head as read now."""
        return self._placed(lambda folder: self._open_in(folder, kb_id))

    def rebuild(self, kb_id: str) -> LiveIndex:
        """Return the index of a base from the database alone."""
        return self._placed(lambda folder: self._build_in(folder, kb_id))

    def replay(self, index: LiveIndex, kb_id: str) -> None:
        """Bring an index up to the head. One that failed at it is half done: close it."""
        head = self._source.head(kb_id)
        self.apply(index, self._source.changes(kb_id, index.seq), head)

    def apply(self, index: LiveIndex, changes: Sequence[IndexChange], head: int) -> None:
        """Bring an index up to `head` by all changes till there; as `replay`."""
        index.replay(changes, lambda rev: self._source.revision_chunks(rev, self._profile), head)

    def publish(self, kb_id: str, index: LiveIndex, rejected: Sequence[str]) -> None:
        """Make the index a snapshot that other processes open; `rejected` ones go."""
        if index.is_in_memory:
            raise StorageError(
                f"the index of {kb_id} is in memory, as no folder allows to write it there",
                code="index_not_published",
            )
        index.snapshot = self.store(kb_id).publish(
            index.seq, index.counts, index.save, rejected, index.snapshot
        )
        logger.info("index generation %s published: %s", index.snapshot, index.counts)
        if self._source.head(kb_id) == 0:  # deleted meanwhile: its files went before these came
            IndexFiles(self._root).drop(kb_id)

    def repair(self, kb_id: str, index: LiveIndex, rejected: Sequence[str]) -> None:
        """Replace snapshots that cannot be used; a disk that refuses fails nobody's question."""
        if not rejected:
            return
        try:
            self.publish(kb_id, index, rejected)
        except StorageError as error:
            logger.warning("a rejected index generation could not be replaced: %s", error)

    def _placed(self, make: _Make) -> LiveIndex:
        for folder in self._places.folders():
            try:
                return _made_in(folder, make)
            except IndexFailed as error:
                logger.warning("no index in %s: %s", folder.path, error)
        return _made_in(None, make)

    def _open_in(self, folder: ClaimedFolder | None, kb_id: str) -> LiveIndex:
        if folder is None:
            return self._build_in(folder, kb_id)
        store = self.store(kb_id)
        rejected: list[str] = []
        # Listed anew each time: another process may replace what was listed before.
        while name := next((name for name in store.candidates() if name not in rejected), None):
            try:
                index = self._load(folder, store.verify(name))
            except SnapshotRejected as error:
                logger.warning("index generation %s of %s rejected: %s", name, kb_id, error)
                rejected.append(name)
                continue
            self.replay(index, kb_id)
            break
        else:
            index = self._build_in(folder, kb_id)
        self.repair(kb_id, index, rejected)
        return index

    def _load(self, folder: ClaimedFolder, snapshot: IndexSnapshot) -> LiveIndex:
        seq = snapshot.manifest.seq
        # The head is read after the snapshot was found, or a younger one would look ahead of it.
        if seq > (head := self._source.head(snapshot.manifest.kb_id)):
            raise SnapshotRejected(
                f"{snapshot.path.name} is ahead of the database, which is at change {head}"
            )
        index = LiveIndex.load(folder, snapshot.path, seq, self._flat_limit)
        index.snapshot = snapshot.path.name
        return index

    def _build_in(self, folder: ClaimedFolder | None, kb_id: str) -> LiveIndex:
        # The head is read first: what is committed while the chunks are read is replayed later,
        # and replaying what the chunks already contain changes nothing.
        head = self._source.head(kb_id)
        chunks = self._source.live_chunks(kb_id, self._profile)
        return LiveIndex.build(folder, self._profile.dimension, chunks, head, self._flat_limit)


def _made_in(folder: ClaimedFolder | None, make: _Make) -> LiveIndex:
    try:
        with index_failures("make an index"):
            return make(folder)
    except BaseException:
        if folder:
            folder.close()
        raise
