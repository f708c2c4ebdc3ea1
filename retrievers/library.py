"""The open indexes of this process: one LiveIndex per base, brought up to the database's head.

Knows generations, replay, rebuild and publication; the database is the only truth and the indexes
are derived from it. Knows nothing of questions and ranking. Thread-safe: one lock a base.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import EmbeddingProfile, IndexSource
from retrievers.dense import FLAT_LIMIT
from retrievers.generations import Generation, GenerationRejected, GenerationStore
from retrievers.live import LiveIndex

logger = logging.getLogger(__name__)

MAX_DELTA_REVISIONS = 200
"""Changes after which a new generation is always worth it."""

MIN_DELTA_REVISIONS = 8
MAX_DELTA_SHARE = 0.1
"""Share of a generation's revisions that may wait as changes, once there are a few."""


class IndexLibrary:
    """Opens, follows, publishes and closes the indexes of many bases."""

    def __init__(
        self,
        source: IndexSource,
        profile: EmbeddingProfile,
        index_root: Path,
        *,
        max_open: int = 32,
        flat_limit: int = FLAT_LIMIT,
    ) -> None:
        self._source = source
        self._profile = profile
        self._root = index_root
        self._max_open = max_open
        self._flat_limit = flat_limit
        self._shelf: OrderedDict[str, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def current(self, kb_id: str) -> Iterator[LiveIndex | None]:
        """Hold the base's index, up to the head as read now; None when nothing was ever committed.

        Other threads that ask for the same base wait.
        """
        head = self._source.head(kb_id)
        with self._slot(kb_id) as slot:
            if head == 0:
                slot.close()
                yield None
            else:
                yield self._follow(slot, kb_id, head)

    def refresh(self, kb_id: str) -> None:
        """Publish a generation when the changes since the last are worth it; else cheap.

        Raises StorageError when the disk refuses.
        """
        head = self._source.head(kb_id)
        is_worth_it, rejected = self._assess(kb_id, head)
        if not is_worth_it:
            return
        with self._slot(kb_id) as slot:
            index = self._follow(slot, kb_id, head)
            if index.is_worn:
                index = slot.put(self._rebuild(kb_id))
            self._publish(self._store(kb_id), index, rejected)

    def drop(self, kb_id: str) -> None:
        """Close the base's index and remove its files."""
        with self._slot(kb_id) as slot:
            slot.close()
        self._store(kb_id).remove()

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

    def _store(self, kb_id: str) -> GenerationStore:
        return GenerationStore(self._root, kb_id, self._profile)

    def _follow(self, slot: "_Slot", kb_id: str, head: int) -> LiveIndex:
        index = slot.index
        if index is None or index.seq > head or self._has_better(kb_id, index, head):
            return slot.put(self._open(kb_id, head))
        if index.seq < head:
            self._catch_up(slot, index, kb_id, head)
        return index

    def _has_better(self, kb_id: str, index: LiveIndex, head: int) -> bool:
        """True when this index is worn and another process has published since it was opened."""
        if index.seq == head or not index.is_worn:
            return False
        return self._store(kb_id).current_name() not in (None, index.generation)

    def _catch_up(self, slot: "_Slot", index: LiveIndex, kb_id: str, head: int) -> None:
        try:
            self._replay(index, kb_id, head)
        except BaseException:
            slot.close()  # half a replay must never be searched
            raise

    def _replay(self, index: LiveIndex, kb_id: str, head: int) -> None:
        changes = self._source.changes(kb_id, index.seq)
        index.replay(changes, lambda rev: self._source.revision_chunks(rev, self._profile), head)

    def _open(self, kb_id: str, head: int) -> LiveIndex:
        store = self._store(kb_id)
        rejected: list[str] = []
        for name in store.candidates():
            try:
                index = self._load(store, store.verify(name), head)
            except (GenerationRejected, OSError) as error:
                logger.warning("index generation %s of %s rejected: %s", name, kb_id, error)
                rejected.append(name)
                continue
            self._replay_or_close(index, kb_id, head)
            break
        else:
            index = self._rebuild(kb_id)
        if rejected:
            self._repair(store, index, rejected)
        return index

    def _load(self, store: GenerationStore, generation: Generation, head: int) -> LiveIndex:
        seq = generation.manifest.seq
        if seq > head:
            raise GenerationRejected(
                f"{generation.path.name} is ahead of the database, which is at change {head}"
            )
        folder = store.working_folder()
        try:
            index = LiveIndex.load(folder, generation.path, seq, self._flat_limit)
        except BaseException:
            folder.close()
            raise
        index.generation = generation.path.name
        return index

    def _replay_or_close(self, index: LiveIndex, kb_id: str, head: int) -> None:
        try:
            self._replay(index, kb_id, head)
        except BaseException:
            index.close()
            raise

    def _rebuild(self, kb_id: str) -> LiveIndex:
        # The head is read first: what is committed while the chunks are read is replayed later,
        # and replaying what the chunks already contain changes nothing.
        head = self._source.head(kb_id)
        folder = self._store(kb_id).working_folder()
        try:
            chunks = self._source.live_chunks(kb_id, self._profile)
            return LiveIndex.build(folder, self._profile.dimension, chunks, head, self._flat_limit)
        except BaseException:
            folder.close()
            raise

    def _repair(self, store: GenerationStore, index: LiveIndex, rejected: list[str]) -> None:
        try:
            self._publish(store, index, rejected)
        except StorageError as error:
            logger.warning("a rejected index generation could not be replaced: %s", error)

    def _publish(self, store: GenerationStore, index: LiveIndex, rejected: list[str]) -> None:
        index.generation = store.publish(index.seq, index.counts, index.save, rejected)
        logger.info("index generation %s published: %s", index.generation, index.counts)

    def _assess(self, kb_id: str, head: int) -> tuple[bool, list[str]]:
        """Tell whether publishing is worth it, and which generation must not be kept."""
        store = self._store(kb_id)
        name = store.current_name()
        if head == 0 or name is None:
            return head > 0, []
        try:
            manifest = store.describe(name).manifest
        except GenerationRejected:
            return True, [name]
        if manifest.seq > head:
            return True, [name]
        share = int(MAX_DELTA_SHARE * manifest.counts.num_revisions)
        threshold = min(MAX_DELTA_REVISIONS, max(MIN_DELTA_REVISIONS, share))
        return len(self._source.changes(kb_id, manifest.seq)) >= threshold, []


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
