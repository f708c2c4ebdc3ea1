"""The open indexes of this process: one LiveIndex per base, brought up to the database's head.

Knows when an index is followed, replaced and published; the database is the only truth and every
index is derived from it, so one that fails is closed and taken anew within the same question.
Knows nothing of questions and ranking. Thread-safe: one lock a base.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexSource
from retrievers.dense import FLAT_LIMIT, MERGED_AT_ONCE
from retrievers.failures import IndexFailed, index_failures
from retrievers.index import Answer
from retrievers.live import LiveIndex
from retrievers.opening import IndexOpener
from retrievers.snapshots import IndexCounts, SnapshotRejected
from retrievers.upkeep import IndexFiles

logger = logging.getLogger(__name__)

MAX_DELTA_REVISIONS = 200
"""Changes after which a new snapshot is always worth it."""

MAX_REPLAYED = 50
"""Changes that are replayed, some 10 ms each, where a snapshot has them: it opens in 0.4 s."""

STEP_REVISIONS = 10
"""Changes that are replayed while a question may wait."""

MIN_DELTA_REVISIONS = 8
MAX_DELTA_SHARE = 0.1
"""Share of a snapshot's revisions that may wait as changes, once there are a few."""


class IndexLibrary:
    """Implements `index.Indexes`: opens, follows, heals, publishes and closes."""

    def __init__(
        self,
        source: IndexSource,
        profile: EmbeddingProfile,
        index_root: Path,
        *,
        max_open: int = 32,
        flat_limit: int = FLAT_LIMIT,
        places: Sequence[Path] | None = None,
    ) -> None:
        self._source = source
        self._opener = IndexOpener(
            source, profile, index_root, flat_limit=flat_limit, places=places
        )
        self._files = IndexFiles(index_root, places)
        self._max_open = max_open
        self._shelf: OrderedDict[str, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, kb_id: str, question: Callable[[LiveIndex], Answer]) -> Answer | None:
        """Ask the base's index, up to the head as read now; None when nothing was ever committed.

        Other threads that ask the same base wait. The question is asked again when the index
        fails. Raises IndexFailed when even one made from the database does.
        """
        with self._slot(kb_id) as slot:
            if self._source.head(kb_id) == 0:
                slot.close()
                return None
            return self._healing(slot, kb_id, question)

    def counts(self, kb_id: str) -> IndexCounts:
        """Return what is searchable in a base. Raises IndexFailed."""
        return self.ask(kb_id, lambda index: index.counts) or IndexCounts(0, 0, 0)

    def outage(self) -> None:
        """There is none: what fails here is taken anew from the database."""

    def follow(self, kb_ids: Sequence[str] = ()) -> None:
        """Open the indexes of these bases, and bring every open one up to the head.

        For a thread of nobody's question: who asks meanwhile waits for one step at most.
        """
        for kb_id in kb_ids:
            self.ask(kb_id, lambda _: None)
        with self._lock:
            slots = list(self._shelf.items())
        for kb_id, slot in slots:
            self._bring(kb_id, slot)

    def refresh(self, kb_id: str) -> None:
        """Publish a snapshot when the changes since the last are worth it; else cheap.

        Raises StorageError when the disk refuses.
        """
        self._close_deleted()
        is_worth_it, rejected = self._assess(kb_id)
        if not is_worth_it:
            return
        with self._slot(kb_id) as slot:
            self._healing(slot, kb_id, lambda index: self._renew(slot, kb_id, index, rejected))

    def tend(self, kb_id: str) -> bool:
        """Do one merge that waits in the open index, and publish it; False when none waits.

        For a thread that nobody waits for: it may take minutes, in which the index goes on being
        asked and followed. Raises StorageError.
        """
        with self._slot(kb_id) as slot:
            index = slot.index
            merge = index.due() if index and not index.is_in_memory else None
        if index is None or merge is None:
            return False
        try:
            with index_failures("merge segments"):
                name = merge.run()
        except IndexFailed:
            if slot.index is not index:
                return False  # it was closed meanwhile, and its files with it
            raise
        with self._slot(kb_id) as slot:
            if slot.index is index and merge.index.adopt(merge, name):
                self._opener.publish(kb_id, index, ())
        return True

    def rebuild(self, kb_id: str) -> None:
        """Make the index from the database alone and publish it in place of every snapshot.

        Raises StorageError when the disk refuses; what others have open stays open.
        """
        with self._slot(kb_id) as slot:
            slot.close()
            if self._source.head(kb_id) > 0:
                index = slot.put(self._opener.rebuild(kb_id))
                index.merge_all()
                self._opener.publish(kb_id, index, self._opener.store(kb_id).candidates())

    def forget(self, kb_id: str) -> None:
        """Make the index anew, so that no segment holds anything of a deleted document."""
        self.rebuild(kb_id)

    def drop(self, kb_id: str) -> None:
        """Close the base's index and remove its files."""
        with self._slot(kb_id) as slot:
            slot.close()
        self._files.drop(kb_id)

    def close(self) -> None:
        """Close every open index; their private folders disappear."""
        with self._lock:
            slots = list(self._shelf.values())
            self._shelf.clear()
        for slot in slots:
            slot.retire()

    @contextmanager
    def _slot(self, kb_id: str) -> Iterator["_Slot"]:
        while True:
            slot = self._take(kb_id)
            with slot.lock:
                if not slot.is_retired:
                    yield slot
                    return

    def _take(self, kb_id: str) -> "_Slot":
        with self._lock:
            slot = self._shelf.setdefault(kb_id, _Slot())
            self._shelf.move_to_end(kb_id)
            num_surplus = max(len(self._shelf) - self._max_open, 0)
            surplus = [self._shelf.popitem(last=False)[1] for _ in range(num_surplus)]
        for old in surplus:
            old.retire()
        return slot

    def _healing(self, slot: "_Slot", kb_id: str, action: Callable[[LiveIndex], Answer]) -> Answer:
        """Do `action` with the base's index; one that fails is replaced, and the action done again.

        The replacement comes from a snapshot, and when that fails too from the database alone.
        """
        for take in (self._follow, self._reopen):
            try:
                return _attempt(take, slot, kb_id, action)
            except IndexFailed as error:
                logger.warning("the index of %s failed and is taken anew: %s", kb_id, error)
        return _attempt(self._remake, slot, kb_id, action)

    def _follow(self, slot: "_Slot", kb_id: str) -> LiveIndex:
        index, head = slot.index, self._source.head(kb_id)
        if index is None or index.seq > head or self._has_better(kb_id, index, head):
            return self._reopen(slot, kb_id)
        if index.seq < head:
            self._catch_up(slot, index, kb_id)
        return self._unskewed(slot, index, kb_id)

    def _reopen(self, slot: "_Slot", kb_id: str) -> LiveIndex:
        self._close_deleted()
        return self._unskewed(slot, slot.put(self._opener.open(kb_id)), kb_id)

    def _unskewed(self, slot: "_Slot", index: LiveIndex, kb_id: str) -> LiveIndex:
        """Return an index whose scores are those of what is there, where that costs little."""
        return slot.put(self._opener.rebuild(kb_id)) if index.is_skewed else index

    def _remake(self, slot: "_Slot", kb_id: str) -> LiveIndex:
        """Make the index from the database, and replace the snapshots that opened and failed."""
        index = slot.put(self._opener.rebuild(kb_id))
        self._opener.repair(kb_id, index, self._opener.store(kb_id).candidates())
        return index

    def _close_deleted(self) -> None:
        """Close the indexes of bases that another process deleted, those in use excepted."""
        with self._lock:
            slots = list(self._shelf.items())
        for kb_id, slot in slots:
            if slot.lock.acquire(blocking=False):
                try:
                    if slot.index and self._source.head(kb_id) == 0:
                        slot.close()
                finally:
                    slot.lock.release()

    def _bring(self, kb_id: str, slot: "_Slot") -> None:
        """Bring the open index of a base up to the head, step by step.

        Leaves to a question the index that it is using, and one that has to be opened anew but is
        not far behind.
        """
        index = slot.index
        if index is None or index.seq >= self._source.head(kb_id):
            return
        changes = self._source.changes(kb_id, index.seq)
        if len(changes) > MAX_REPLAYED and self._is_far_behind(kb_id, index):
            with self._slot(kb_id) as taken:
                self._healing(taken, kb_id, lambda _: None)
            return
        for first in range(0, len(changes), STEP_REVISIONS):
            if not slot.lock.acquire(blocking=False):
                return  # a question has it, and brings it up to the head itself
            try:
                step = changes[first : first + STEP_REVISIONS]
                if slot.index is not index or not index.seq < step[-1].seq:
                    return
                self._step(slot, index, step)
                if step[-1] is changes[-1]:
                    self._unskewed(slot, index, kb_id)
            finally:
                slot.lock.release()

    def _step(self, slot: "_Slot", index: LiveIndex, changes: Sequence[IndexChange]) -> None:
        try:
            with index_failures("follow the changes of an index"):
                self._opener.apply(index, changes, changes[-1].seq)
        except BaseException:
            slot.close()  # half a replay must never be searched
            raise

    def _has_better(self, kb_id: str, index: LiveIndex, head: int) -> bool:
        """True when another process has published since an index was opened that is worn.

        Or that is far behind, or holds what was deleted: a snapshot published since may be free of
        that.
        """
        is_worn = index.seq != head and index.is_worn
        # What it wrote itself no other process shares, and nobody merges it.
        if index.holds_deleted or is_worn or index.num_own > MERGED_AT_ONCE:
            return self._opener.store(kb_id).current_name() not in (None, index.snapshot)
        return head - index.seq > MAX_REPLAYED and self._is_far_behind(kb_id, index)

    def _is_far_behind(self, kb_id: str, index: LiveIndex) -> bool:
        """True when a published snapshot has so much more that opening it is less work."""
        store = self._opener.store(kb_id)
        name = store.current_name()
        if name in (None, index.snapshot):
            return False
        try:
            return store.describe(name).manifest.seq - index.seq > MAX_REPLAYED
        except SnapshotRejected:
            return False

    def _catch_up(self, slot: "_Slot", index: LiveIndex, kb_id: str) -> None:
        try:
            self._opener.replay(index, kb_id)
        except BaseException:
            slot.close()  # half a replay must never be searched
            raise

    def _renew(self, slot: "_Slot", kb_id: str, index: LiveIndex, rejected: Sequence[str]) -> None:
        if index.is_worn or index.is_in_memory or index.holds_deleted:
            index = slot.put(self._opener.rebuild(kb_id))
        self._opener.publish(kb_id, index, rejected)

    def _assess(self, kb_id: str) -> tuple[bool, list[str]]:
        """Tell whether publishing is worth it, and which snapshot must not be kept."""
        store = self._opener.store(kb_id)
        name = store.current_name()
        if name is None:
            return self._source.head(kb_id) > 0, []
        try:
            manifest = store.describe(name).manifest
        except SnapshotRejected:
            return self._source.head(kb_id) > 0, [name]
        # The head is read after the snapshot was found, or a younger one would look ahead of it.
        head = self._source.head(kb_id)
        if head == 0 or manifest.seq > head:
            return head > 0, [name]
        share = int(MAX_DELTA_SHARE * manifest.counts.num_revisions)
        threshold = min(MAX_DELTA_REVISIONS, max(MIN_DELTA_REVISIONS, share))
        return len(self._source.changes(kb_id, manifest.seq)) >= threshold, []


def _attempt(
    take: Callable[["_Slot", str], LiveIndex],
    slot: "_Slot",
    kb_id: str,
    action: Callable[[LiveIndex], Answer],
) -> Answer:
    """Do the action with the index taken; one that failed is closed."""
    try:
        with index_failures(f"use the index of {kb_id}"):
            return action(take(slot, kb_id))
    except IndexFailed:
        slot.close()
        raise


class _Slot:
    """One base's place on the shelf; `lock` guards the index in it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.index: LiveIndex | None = None
        self.is_retired = False

    def put(self, index: LiveIndex) -> LiveIndex:
        """Replace the index, closing the one before."""
        self.close()
        self.index = index
        return index

    def close(self) -> None:
        """Close the index, if one is open."""
        if self.index is not None:
            self.index.close()
            self.index = None

    def retire(self) -> None:
        """Close for good; whoever still waits for the lock takes a new slot."""
        with self.lock:
            self.is_retired = True
            self.close()
