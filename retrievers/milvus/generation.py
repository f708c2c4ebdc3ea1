"""One generation of a base in Milvus: its chunks, how many of them hold each term, and its state.

Knows the order in which a change is written, so that a process that is killed at any moment leaves
what the next one can undo or finish: first what is about to be done, then the counts of terms (each
keeps the one before), then new chunks, then the new state, and at last the removal of old chunks,
which nobody is shown meanwhile. Knows nothing of questions. One process at a time may write: the
caller holds the turn.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexedChunk
from retrievers.dense import FLAT_LIMIT
from retrievers.failures import IndexFailed
from retrievers.milvus.connection import (
    IDS_AT_ONCE,
    KINDS,
    ROWS_AT_ONCE,
    MilvusConnection,
    Names,
    Row,
    in_batches,
    numbered,
)
from retrievers.milvus.rows import (
    BODY,
    NO_LANGUAGE,
    STATE,
    TERM_COLUMNS,
    TITLE,
    Words,
    chunk_columns,
    counted,
    has_vector,
    row_of,
    term_row,
)
from retrievers.snapshots import IndexCounts, engine_versions

FORMAT_VERSION = 1
"""Raise it when rows, or the terms that passages are indexed under, change."""

_PRESENT = ("chunk_id", "revision_id", "language", "body_length", "title_length", "terms")

Fetch = Callable[[int], Iterable[IndexedChunk]]
"""Returns the live chunks of a revision."""


@dataclass(frozen=True, slots=True)
class State:
    """What a generation claims about itself. `seq`: the last change it contains.

    `num_terms`: of all bodies and of all titles. `batch`: the number of the last change of counts,
    which the chunks that came with it bear too; `is_open` while it is under way. `going`: revisions
    whose chunks are still to be removed.
    """

    kb_id: str
    made_for: str
    seq: int
    num_chunks: int = 0
    num_revisions: int = 0
    num_terms: tuple[int, int] = (0, 0)
    batch: int = 0
    is_open: bool = False
    going: tuple[int, ...] = ()

    @property
    def is_settled(self) -> bool:
        """True when nothing of a change is left to be undone or finished."""
        return not (self.is_open or self.going)

    @property
    def averages(self) -> tuple[float, float]:
        """The average number of terms of a body and of a title, above 0."""
        body, title = (max(num, 1) / max(self.num_chunks, 1) for num in self.num_terms)
        return body, title


class Generation:
    """A generation that is complete. `state` is as this object last read or wrote it."""

    def __init__(
        self, connection: MilvusConnection, names: Names, state: State, dimension: int
    ) -> None:
        self.names = names
        self.state = state
        self._connection = connection
        self._dimension = dimension

    @classmethod
    def find(
        cls, connection: MilvusConnection, kb_id: str, profile: EmbeddingProfile
    ) -> "Generation | None":
        """Return the newest complete generation of a base that was made for the profile."""
        found = connection.generations().get(kb_id, {})
        whole = (number for number, kinds in found.items() if kinds == frozenset(KINDS))
        for number in sorted(whole, reverse=True):
            names = connection.names(kb_id, number)
            state = _read_state(connection, names)
            if state and (state.kb_id, state.made_for) == (kb_id, _made_for(profile)):
                return cls(connection, names, state, profile.dimension)
        return None

    @classmethod
    def build(
        cls,
        connection: MilvusConnection,
        kb_id: str,
        profile: EmbeddingProfile,
        chunks: Iterable[IndexedChunk],
        seq: int,
        num_expected: int,
    ) -> "Generation":
        """Make a new generation of every chunk, and remove the others once it is complete.

        `num_expected`: chunks there will be, about; of many the vectors are not all compared.
        """
        numbers = connection.generations().get(kb_id, {})
        names = connection.names(kb_id, max(numbers, default=0) + 1)
        columns = chunk_columns(profile.dimension, is_exact=num_expected <= FLAT_LIMIT)
        connection.create(names.terms, TERM_COLUMNS)
        connection.create(names.chunks, columns)
        made = cls(connection, names, State(kb_id, _made_for(profile), seq), profile.dimension)
        made._fill(chunks)
        for number in numbers:
            connection.drop(connection.names(kb_id, number))
        return made

    def read_again(self) -> None:
        """Learn what other processes wrote. Raises IndexFailed when it is gone."""
        state = _read_state(self._connection, self.names)
        if state is None:
            raise IndexFailed(f"{self.names.terms} has lost its state")
        self.state = state

    def settle(self) -> None:
        """Undo a change that another process began and did not end, and finish removals."""
        if self.state.is_open:
            self._connection.delete(self.names.chunks, "batch", [self.state.batch])
            self._undo_counts(self.state.batch)
        self._finish(self.state)

    def replay(self, changes: Sequence[IndexChange], fetch: Fetch, head: int) -> None:
        """Apply committed changes in order; as `LiveIndex.replay`."""
        self.settle()
        is_added = {change.revision_id: change.is_added for change in changes}
        live = {rev: list(fetch(rev)) for rev, flag in is_added.items() if flag}
        present = _by_revision(self._present(is_added))
        known = {rev for rev, chunks in live.items() if _is_same(chunks, present.get(rev, ()))}
        self._remove(present.keys() - known, present)
        self._add([chunk for rev in live.keys() - known for chunk in live[rev]])
        lacking = {row["chunk_id"] for rev in known for row in present.get(rev, ()) if _lacks(row)}
        embedded = [
            c for rev in known for c in live[rev] if c.chunk_id in lacking and has_vector(c)
        ]
        self._put(((chunk, Words.of_chunk(chunk)) for chunk in embedded), batch=0)
        self._finish(replace(self.state, seq=max([head, *(change.seq for change in changes)])))

    def counts(self) -> IndexCounts:
        """Count what is there, row by row. Raises IndexFailed where the state says otherwise."""
        num_chunks = self._connection.count(self.names.chunks)
        if num_chunks != self.state.num_chunks:
            raise IndexFailed(
                f"{self.names.chunks} holds {num_chunks} chunks, its counts of terms are those of "
                f"{self.state.num_chunks}: `kb reindex` makes it anew"
            )
        without = self._connection.count(self.names.chunks, f'language == "{NO_LANGUAGE}"')
        return IndexCounts(num_chunks, num_chunks - without, self.state.num_revisions)

    def num_holding(self, numbers: Iterable[int]) -> dict[int, int]:
        """Return in how many chunks each term stands."""
        found = self._term_rows(numbers, ("number", "holding"))
        return {int(row["number"]): int(row["holding"]) for row in found}

    def _fill(self, chunks: Iterable[IndexedChunk]) -> None:
        holding: Counter[int] = Counter()
        revisions: set[int] = set()
        state = self.state
        for group in in_batches(chunks, ROWS_AT_ONCE):
            rows = [(chunk, Words.of_chunk(chunk)) for chunk in group]
            words = [words for _, words in rows]
            self._put(rows, batch=0)
            holding += counted(words)
            fresh = {chunk.revision_id for chunk in group} - revisions
            revisions |= fresh
            state = _changed(state, 1, words, fresh)
        rows_of_terms = (term_row(number, num, 0, 0) for number, num in holding.items())
        self._connection.upsert(self.names.terms, rows_of_terms)
        self._write_state(state)

    def _add(self, chunks: Sequence[IndexedChunk]) -> None:
        if not chunks:
            return
        rows = [(chunk, Words.of_chunk(chunk)) for chunk in chunks]
        words = [words for _, words in rows]
        self._begin()
        self._change_counts(counted(words), Counter())
        self._put(rows, self.state.batch)
        self._finish(_changed(self.state, 1, words, {chunk.revision_id for chunk in chunks}))

    def _remove(self, revisions: Collection[int], present: Mapping[int, Sequence[Row]]) -> None:
        words = [Words.of_row(row) for revision in revisions for row in present[revision]]
        if not words:
            return
        self._begin()
        self._change_counts(Counter(), counted(words))
        changed = _changed(self.state, -1, words, revisions)
        self._finish(replace(changed, going=tuple(sorted(revisions))))

    def _begin(self) -> None:
        self._write_state(replace(self.state, batch=self.state.batch + 1, is_open=True))

    def _put(self, chunks: Iterable[tuple[IndexedChunk, Words]], batch: int) -> None:
        rows = (row_of(chunk, words, self._dimension, batch) for chunk, words in chunks)
        self._connection.upsert(self.names.chunks, rows)

    def _present(self, revisions: Collection[int]) -> list[Row]:
        if not revisions:
            return []
        condition = numbered("revision_id", revisions)
        return self._connection.rows(self.names.chunks, condition, _PRESENT)

    def _change_counts(self, added: Counter[int], removed: Counter[int]) -> None:
        changed = sorted(added.keys() | removed.keys())
        for numbers in in_batches(changed, IDS_AT_ONCE):
            before = self.num_holding(numbers)
            rows = (
                term_row(
                    number,
                    before.get(number, 0) + added[number] - removed[number],
                    before.get(number, 0),
                    self.state.batch,
                )
                for number in numbers
            )
            self._connection.upsert(self.names.terms, rows)

    def _undo_counts(self, batch: int) -> None:
        condition = f"batch == {batch} and number != {STATE}"
        found = self._connection.rows(self.names.terms, condition, ("number", "before"))
        rows = (term_row(int(row["number"]), int(row["before"]), 0, 0) for row in found)
        self._connection.upsert(self.names.terms, rows)

    def _finish(self, state: State) -> None:
        """Make a state the one in force, then remove what it no longer has."""
        state = replace(state, is_open=False)
        if state != self.state:
            self._write_state(state)
        if state.going:
            self._connection.delete(self.names.chunks, "revision_id", state.going)
            self._write_state(replace(state, going=()))

    def _write_state(self, state: State) -> None:
        told = json.dumps(asdict(state) | {"format": FORMAT_VERSION})
        self._connection.upsert(self.names.terms, [term_row(STATE, 0, 0, 0, told)])
        self.state = state

    def _term_rows(self, numbers: Iterable[int], fields: Sequence[str]) -> list[Row]:
        return [
            row
            for batch in in_batches(numbers, IDS_AT_ONCE)
            for row in self._connection.rows(self.names.terms, numbered("number", batch), fields)
        ]


def _made_for(profile: EmbeddingProfile) -> str:
    """Name what rows depend on beside their chunks: the vectors, and how terms are folded."""
    return f"{profile.fingerprint} {profile.dimension} {engine_versions()['opencc']}"


def _read_state(connection: MilvusConnection, names: Names) -> State | None:
    """Return the state of a generation, None for one that is not complete or of another format."""
    found = connection.rows(names.terms, numbered("number", [STATE]), ("state",))
    told = json.loads(found[0]["state"]) if found else {}
    if told.pop("format", None) != FORMAT_VERSION:
        return None
    for name in ("num_terms", "going"):
        told[name] = tuple(told[name])
    return State(**told)


def _changed(state: State, sign: int, words: Sequence[Words], revisions: Collection[int]) -> State:
    """Return a state with these chunks more, or (sign -1) fewer."""
    body, title = state.num_terms
    body += sign * sum(one.lengths[BODY] for one in words)
    title += sign * sum(one.lengths[TITLE] for one in words)
    return replace(
        state,
        num_chunks=state.num_chunks + sign * len(words),
        num_revisions=state.num_revisions + sign * len(revisions),
        num_terms=(body, title),
    )


def _by_revision(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(int(row["revision_id"]), []).append(row)
    return found


def _is_same(chunks: Sequence[IndexedChunk], rows: Sequence[Row]) -> bool:
    return {chunk.chunk_id for chunk in chunks} == {row["chunk_id"] for row in rows}


def _lacks(row: Row) -> bool:
    """True when a row has no vector."""
    return bool(row["language"] == NO_LANGUAGE)
