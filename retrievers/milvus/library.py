"""The bases in Milvus, brought up to the database's head; while they are away, words answer here.

Implements `retrievers.index.Indexes` with a library of segments that stands by. Knows when a base
is followed, made anew and answered from the one that stands by. The database is the only truth:
what Milvus missed while it was away is replayed from there. Thread-safe.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from kb_service.domain.errors import KbError, StorageError
from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexSource
from retrievers.failures import IndexFailed, index_failures
from retrievers.index import Answer, Index, Indexes
from retrievers.library import MAX_REPLAYED, STEP_REVISIONS
from retrievers.milvus.connection import MilvusConnection
from retrievers.milvus.generation import Generation, State
from retrievers.milvus.index import MilvusIndex
from retrievers.snapshots import IndexCounts
from retrievers.turns import Check, Turns, waiting

logger = logging.getLogger(__name__)

RETRY_S = 5.0
"""After a failure Milvus is left alone for so long; then one caller tries again."""

PATIENCE_S = 10.0
"""A question leaves it to others to try again, unless nobody did for so much longer."""

LOOK_EVERY_S = 10.0
"""So long a sign of life counts."""

TURN_WAIT_S = 1.0
"""A question waits so long for another process that is bringing the base up to the head."""

REBUILD_WAIT_S = 600.0


class NotCurrent(IndexFailed):
    """The base is far behind, or another process is bringing it up to the head."""


class Away(IndexFailed):
    """Milvus gives no sign of life."""


class MilvusLibrary:
    """Implements `index.Indexes` over Milvus. `standby`: finds by words while that is away."""

    def __init__(
        self,
        source: IndexSource,
        profile: EmbeddingProfile,
        connection: MilvusConnection,
        turns: Turns,
        standby: Indexes,
    ) -> None:
        self._source = source
        self._profile = profile
        self._connection = connection
        self._turns = turns
        self._standby = standby
        self._lock = threading.Lock()
        self._open: dict[str, Generation] = {}
        self._behind: set[str] = set()
        self._cut_off: dict[str, tuple[State, float]] = {}
        self._failure: IndexFailed | None = None
        self._look_at_s = 0.0

    def ask(self, kb_id: str, question: Callable[[Index], Answer]) -> Answer | None:
        """Ask the base in Milvus, up to the head; by words alone here while that cannot be.

        Raises StorageError.
        """
        if self._source.head(kb_id) == 0:
            self._forget(kb_id)
            return None
        if self._may_try(PATIENCE_S):
            try:
                return self._asked(kb_id, question)
            except NotCurrent:
                self._behind.add(kb_id)
            except Away as error:
                self._fail(error)
            except IndexFailed as error:
                self._failed(kb_id, error)
        return self._standby.ask(kb_id, question)

    def counts(self, kb_id: str) -> IndexCounts:
        """Count what Milvus holds of a base, once that is up to the head. Raises StorageError."""
        if self._source.head(kb_id) == 0:
            return IndexCounts(0, 0, 0)
        self._bring(kb_id, REBUILD_WAIT_S)
        generation = self._open[kb_id]
        generation.read_again()
        return generation.counts()

    def outage(self) -> KbError | None:
        """Return why words answer alone, None when Milvus answers; asks it now and then."""
        with self._lock:
            is_due = time.monotonic() >= self._look_at_s
            if is_due:
                self._look_at_s = time.monotonic() + RETRY_S
        if is_due:
            self._look()
        if self._failure is not None:
            return StorageError(
                f"Milvus is away, and words alone are searched: {self._failure.message}",
                code="index_unavailable",
            )
        if self._behind:
            return StorageError(
                f"{len(self._behind)} bases are not yet whole in Milvus, and are searched by words "
                "alone",
                code="index_behind",
            )
        return None

    def follow(self, kb_ids: Sequence[str] = ()) -> None:
        """Bring these bases, and those that were asked for, up to the head.

        Raises StorageError, of one base after the others were brought.
        """
        self._standby.follow()
        with self._lock:
            known = dict.fromkeys((*kb_ids, *self._open, *self._behind))
        if not self._may_try():
            return
        failed: StorageError | None = None
        for kb_id in known:
            if self._failure is not None:
                break  # away since: each of the others would wait for it
            try:
                self._brought(kb_id)
            except StorageError as error:
                if error.is_outage:
                    raise
                failed = error
        if failed is not None:
            raise failed

    def refresh(self, kb_id: str) -> None:
        """Bring a base up to the head, in Milvus and in what stands by. Raises StorageError.

        While Milvus is away nothing is lost: what is committed comes with the next that is.
        """
        self._standby.refresh(kb_id)
        if self._may_try():
            self._brought(kb_id)

    def tend(self, kb_id: str) -> bool:
        """Do a part of what waits in what stands by; Milvus looks after itself."""
        return self._standby.tend(kb_id)

    def rebuild(self, kb_id: str) -> None:
        """Make a base anew from the database, here and in Milvus. Raises StorageError."""
        self._standby.rebuild(kb_id)
        with waiting(self._turns, kb_id, REBUILD_WAIT_S) as check:
            connection = self._writing(kb_id, check)
            if self._source.head(kb_id) > 0:
                self._build(kb_id, connection)

    def forget(self, kb_id: str) -> None:
        """Make anew what stands by; Milvus has removed the rows, and compacts its files itself."""
        self._standby.forget(kb_id)

    def drop(self, kb_id: str) -> None:
        """Remove a deleted base; what Milvus keeps while it is away, a later sweep removes."""
        self._standby.drop(kb_id)
        self._forget(kb_id)
        if not self._may_try():
            return
        try:
            remove(self._connection, kb_id)
        except IndexFailed as error:
            if not self._is_alive():
                self._fail(error)
            else:
                logger.warning("%s is left to a later sweep: %s", kb_id, error)

    def close(self) -> None:
        """Release what is open."""
        self._standby.close()
        self._connection.close()

    def _asked(self, kb_id: str, question: Callable[[Index], Answer]) -> Answer:
        try:
            return self._answered(kb_id, question)
        except NotCurrent:
            raise
        except IndexFailed as error:
            # Another process may have made it anew meanwhile.
            logger.warning("the index of %s failed and is looked for again: %s", kb_id, error)
            self._forget(kb_id)
            if not self._is_alive():
                raise Away(error.message) from error
        return self._answered(kb_id, question)

    def _answered(self, kb_id: str, question: Callable[[Index], Answer]) -> Answer:
        with index_failures(f"use the index of {kb_id}"):
            return question(self._index(kb_id))

    def _index(self, kb_id: str) -> Index:
        """Return the base up to the head, by a few changes at most. Raises NotCurrent."""
        if not self._is_current(kb_id):
            generation = self._found(kb_id)
            if not self._is_current(kb_id):
                after = generation.state.seq if generation else 0
                if len(self._source.changes(kb_id, after)) > MAX_REPLAYED:
                    raise NotCurrent(f"{kb_id} is far behind")
                self._bring(kb_id, TURN_WAIT_S)
        self._behind.discard(kb_id)
        return MilvusIndex(self._connection, self._open[kb_id])

    def _found(self, kb_id: str, connection: MilvusConnection | None = None) -> Generation | None:
        """Return the base as Milvus has it now, None when it has none."""
        found = Generation.find(connection or self._connection, kb_id, self._profile)
        if found is not None:
            self._open[kb_id] = found
        return found

    def _brought(self, kb_id: str) -> None:
        """Bring a base up to the head unless another process is at it."""
        try:
            self._bring(kb_id, 0.0)
            self._behind.discard(kb_id)
        except NotCurrent:
            pass  # whoever has the turn brings it
        except IndexFailed as error:
            self._failed(kb_id, error)

    def _bring(self, kb_id: str, wait_s: float) -> None:
        """Bring a base up to the head, a step a turn. Raises NotCurrent where others have it."""
        while not self._is_current(kb_id):
            with waiting(self._turns, kb_id, wait_s) as check:
                self._step(kb_id, self._writing(kb_id, check))

    def _writing(self, kb_id: str, check: Check | None) -> MilvusConnection:
        """Return the connection for a turn: each write is asked for first whether it lasts.

        Raises NotCurrent where others have it.
        """
        if check is None:
            raise NotCurrent(f"another process is writing the index of {kb_id}")
        lasts = check

        def still() -> None:
            try:
                lasts()
            except StorageError as error:
                raise NotCurrent(f"the turn of {kb_id} was lost: {error.message}") from error

        return self._connection.writing_while(still)

    def _is_current(self, kb_id: str) -> bool:
        generation, head = self._open.get(kb_id), self._source.head(kb_id)
        if head == 0:
            return True
        return (
            generation is not None and generation.state.is_settled and generation.state.seq == head
        )

    def _step(self, kb_id: str, connection: MilvusConnection) -> None:
        """Bring a base some changes on, or make it; the turn is ours."""
        found = self._found(kb_id, connection)
        if found is not None and self._turns.may_be_lost:
            self._let_arrive(kb_id, found.state)
        # The head is read after the state, or a younger one would look ahead of it.
        head = self._source.head(kb_id)
        if found is None or found.state.seq > head:
            self._build(kb_id, connection)
        elif not self._is_current(kb_id):
            changes = self._source.changes(kb_id, found.state.seq)
            step = changes[:STEP_REVISIONS]
            self._replay(found, step, step[-1].seq if len(step) < len(changes) else head)

    def _let_arrive(self, kb_id: str, state: State) -> None:
        """Leave alone what was cut off as long as a last write of it may be on its way.

        Raises NotCurrent within the longest time of one request.
        """
        if state.is_settled:
            self._cut_off.pop(kb_id, None)
            return
        now = time.monotonic()
        known, since = self._cut_off.get(kb_id, (None, now))
        if known != state:
            since = now
        self._cut_off[kb_id] = state, since
        if now - since < self._connection.timeout_s:
            raise NotCurrent(f"the last write of another process into {kb_id} may be on its way")

    def _replay(self, generation: Generation, changes: Sequence[IndexChange], head: int) -> None:
        generation.replay(
            changes, lambda rev: self._source.revision_chunks(rev, self._profile), head
        )

    def _build(self, kb_id: str, connection: MilvusConnection) -> None:
        # The head is read first: what is committed while the chunks are read is replayed later.
        head = self._source.head(kb_id)
        num_expected = self._standby.counts(kb_id).num_chunks
        chunks = self._source.live_chunks(kb_id, self._profile)
        self._open[kb_id] = Generation.build(
            connection, kb_id, self._profile, chunks, head, num_expected
        )

    def _forget(self, kb_id: str) -> None:
        self._open.pop(kb_id, None)
        self._behind.discard(kb_id)

    def _may_try(self, patience_s: float = 0.0) -> bool:
        """True while Milvus answers, and for one caller now and then while it does not."""
        with self._lock:
            if self._failure is None:
                return True
            if time.monotonic() < self._look_at_s + patience_s:
                return False
            self._look_at_s = time.monotonic() + RETRY_S
        return self._look()

    def _is_alive(self) -> bool:
        try:
            self._connection.version()
        except IndexFailed:
            return False
        return True

    def _look(self) -> bool:
        """Ask Milvus for a sign of life, and remember what came of it."""
        try:
            self._connection.version()
        except IndexFailed as error:
            self._fail(error)
            return False
        with self._lock:
            if self._failure is not None:
                logger.warning("Milvus at %s answers again", self._connection.url)
            self._failure = None
            self._look_at_s = time.monotonic() + LOOK_EVERY_S
        return True

    def _failed(self, kb_id: str, error: IndexFailed) -> None:
        """Leave Milvus alone where it is away; else the fault is of one base, the others go on."""
        if not self._is_alive():
            self._fail(error)
            return
        logger.warning("words answer alone for %s: %s", kb_id, error)
        self._open.pop(kb_id, None)
        self._behind.add(kb_id)

    def _fail(self, error: IndexFailed) -> None:
        logger.warning("words answer alone: %s", error)
        with self._lock:
            self._failure = error
            self._look_at_s = time.monotonic() + RETRY_S
            self._open.clear()
        self._connection.close()


def remove(connection: MilvusConnection, kb_id: str) -> None:
    """Remove every collection of a base. Raises IndexFailed."""
    for number in connection.generations().get(kb_id, {}):
        connection.drop(connection.names(kb_id, number))
