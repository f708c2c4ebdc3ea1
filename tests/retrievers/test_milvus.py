"""Milvus alone: killed at any write, a server killed and started again under questions."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.absent import NO_VECTORS
from retrievers.failures import IndexFailed
from retrievers.hybrid import HybridRetriever
from retrievers.library import MAX_REPLAYED, IndexLibrary
from retrievers.snapshots import IndexCounts
from retrievers.terms import question_weights
from retrievers.turns import Check, FileTurns, waiting
from retrievers.upkeep import IndexFiles
from tests.conftest import ROOT
from tests.retrievers.engines import NO_MILVUS, Engine, Server
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

if TYPE_CHECKING:
    from retrievers.milvus.library import MilvusLibrary

pytest.importorskip("pymilvus", reason=NO_MILVUS)
pytest.importorskip("milvus_lite", reason=NO_MILVUS)


class KilledAt(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def engine(source: MemorySource, tmp_path: Path, milvus_url: str) -> Iterator[Engine]:
    made = Engine("milvus", source, tmp_path, milvus_url)
    yield made
    made.close()


def everything(engine: Engine) -> tuple[object, ...]:
    """What a question learns, with every count of the words in it."""
    weights = question_weights(parse_question("valve pump 泄漏 leaked again"))
    vector = LetterEmbedder().embed_query("bad cabbage")
    return (
        engine.ask(lambda index: index.search_lexical(weights, 50)),
        engine.ask(lambda index: index.search_dense(vector, 50)),
        engine.ask(lambda index: index.idf(weights)),
        engine.opened[-1].counts(KB),
    )


@contextmanager
def killed_at(num_writes: int) -> Iterator[None]:
    """Let the process end before its write of that number."""
    from retrievers.milvus.connection import MilvusConnection

    left = [num_writes]

    def dying(write: Callable[..., None]) -> Callable[..., None]:
        def count(*arguments: object) -> None:
            if left[0] == 0:
                raise KilledAt
            left[0] -= 1
            write(*arguments)

        return count

    with pytest.MonkeyPatch.context() as patch:
        for name in ("upsert", "delete", "create", "drop"):
            patch.setattr(MilvusConnection, name, dying(getattr(MilvusConnection, name)))
        yield


def change(source: MemorySource) -> None:
    source.put("a", "the valve leaked again", "and the pump")
    source.delete("b")
    source.embed("late")
    source.put("d", "bad cabbage 泄漏")


@pytest.mark.parametrize("first", [False, True], ids=["a change", "the first build"])
def test_a_process_killed_at_any_write_leaves_what_the_next_one_mends(
    engine: Engine, source: MemorySource, tmp_path: Path, milvus_url: str, first: bool
) -> None:
    num_writes = 0
    while True:
        source.live.clear()
        source.log.clear()
        engine.prefix = f"k{first:d}{num_writes}"
        source.put("a", "the valve leaked")
        source.put("b", "a pump 泄漏", "and a valve")
        source.put("late", "bad cabbage", embed=False)
        if not first:
            engine.open().refresh(KB)
        change(source)
        with killed_at(num_writes):
            try:
                engine.open()
                engine.opened[-1].refresh(KB)
                is_killed = engine.opened[-1].outage() is not None
            except KilledAt:
                is_killed = True
        if not is_killed:
            break
        engine.open()
        mended = everything(engine)
        engine.opened[-1].rebuild(KB)
        assert mended == everything(engine), num_writes
        num_writes += 1
    assert num_writes >= (4 if first else 9)


def test_a_deletion_that_was_not_finished_is_never_counted(
    engine: Engine, source: MemorySource
) -> None:
    source.put("a", "the valve leaked")
    source.put("b", "a pump failed")
    engine.open().refresh(KB)
    source.delete("b")
    with killed_at(4), suppress(KilledAt):
        engine.open().refresh(KB)
    assert engine.open().counts(KB) == IndexCounts(1, 1, 1)


def test_a_base_far_behind_answers_by_words_until_somebody_brings_it(
    engine: Engine, source: MemorySource
) -> None:
    for number in range(MAX_REPLAYED + 2):
        source.put(f"doc_{number}", f"bad valve number {number}")
    indexes = engine.open()
    weights = question_weights(parse_question("valve"))
    found = indexes.ask(KB, lambda index: index.search_lexical(weights, 99))
    assert found is not None and len(found) == MAX_REPLAYED + 2
    behind = indexes.outage()
    assert behind is not None and behind.code == "index_behind"
    indexes.follow()
    assert indexes.outage() is None
    again = indexes.ask(KB, lambda index: (index.search_lexical(weights, 99), index.counts))
    assert again is not None and [hit[0] for hit in again[0]] == [hit[0] for hit in found]
    assert again[1].num_vectors == MAX_REPLAYED + 2


def test_counts_that_are_not_those_of_the_rows_are_told(
    engine: Engine, source: MemorySource
) -> None:
    source.put("a", "the valve leaked", "and more")
    library = engine.open()
    library.refresh(KB)
    [(generation, _)] = milvus(library)._connection.generations()[KB].items()
    names = milvus(library)._connection.names(KB, generation)
    milvus(library)._connection.delete(names.chunks, "chunk_id", [1])
    with pytest.raises(IndexFailed, match="holds 1 chunks, its counts of terms are those of 2"):
        library.counts(KB)
    library.rebuild(KB)
    assert library.counts(KB) == IndexCounts(2, 2, 1)


def test_another_embedding_model_gets_an_index_of_its_own(
    engine: Engine, source: MemorySource
) -> None:
    source.put("a", "bad cabbage")
    engine.open().refresh(KB)
    engine.profile = LetterEmbedder("e" * 64).profile
    engine.open()
    assert len(everything(engine)[1]["en"]) == 1  # type: ignore[index]
    assert len(milvus(engine.opened[-1])._connection.generations()[KB]) == 1


def test_collections_belong_to_bases(engine: Engine, source: MemorySource, tmp_path: Path) -> None:
    from retrievers.milvus.files import MilvusFiles

    source.put("a", "the valve leaked")
    connection = milvus(engine.open())._connection
    engine.opened[-1].refresh(KB)
    files = MilvusFiles(IndexFiles(tmp_path / "index"), lambda: connection)
    assert files.orphans(lambda: [KB]) == []

    def held(name: str) -> list[str]:
        return [place for place in files.traces(KB, [name])[1] if "Milvus" in place]

    assert held("a") == [f"collection {connection.names(KB, 1).chunks} in Milvus"]
    assert held("b") == []
    assert files.sweep(lambda: [KB]) == 0
    assert files.orphans(list) == [KB]
    files.sweep(list)
    assert connection.generations() == {}


def test_what_stands_by_forgets_and_milvus_is_not_made_anew(
    engine: Engine, source: MemorySource, tmp_path: Path
) -> None:
    source.put("a", "the valve leaked")
    source.put("b", "a pump failed")
    library = milvus(engine.open())
    library.refresh(KB)
    files = IndexFiles(tmp_path / "index")
    source.delete("b")
    library.refresh(KB)
    library.forget(KB)
    assert files.traces(KB, ["b"])[1] == []
    assert list(library._connection.generations()[KB]) == [1]
    library.rebuild(KB)
    assert list(library._connection.generations()[KB]) == [2]
    assert library.counts(KB) == IndexCounts(1, 1, 1)


def test_no_word_of_anybody_reaches_an_expression(engine: Engine, source: MemorySource) -> None:
    source.put("a", "the valve leaked")
    weights = question_weights(parse_question("valve"))
    for name in ('a"] or chunk_id > 0 or document_id in ["', "a b", "", "ä", "a\n"):
        with pytest.raises(InvalidRequest, match="is not an id"):
            engine.ask(lambda index, name=name: index.search_lexical(weights, 5, {name}))  # type: ignore[misc]


def test_one_holder_a_turn(tmp_path: Path) -> None:
    turns = FileTurns(tmp_path)
    with turns.take("a") as first, turns.take("a") as second, turns.take("b") as other:
        assert (first is None, second is None, other is None) == (False, True, False)
        with waiting(turns, "a", 0.1) as late:
            assert late is None
    with turns.take("a") as again:
        assert again is not None


class Losing:
    """Turns that end after so many writes of their holder."""

    may_be_lost = True

    def __init__(self, num_writes: int) -> None:
        self.left = num_writes

    @contextmanager
    def take(self, _kb_id: str) -> Iterator[Check]:
        yield self._check

    def _check(self) -> None:
        if self.left == 0:
            raise StorageError("the connection is gone", code="storage_unavailable")
        self.left -= 1


def test_a_holder_writes_nothing_after_its_turn_was_lost(
    engine: Engine, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put("a", "the valve leaked")
    source.put("b", "a pump failed")
    engine.open().refresh(KB)
    change(source)
    engine.turns = turns = Losing(2)
    late = milvus(engine.open())
    sent = []
    client = late._connection._connected()
    for name in ("upsert", "delete"):
        write = getattr(client, name)
        monkeypatch.setattr(
            client, name, lambda *a, write=write, **kw: (sent.append(1), write(*a, **kw))[1]
        )
    late.refresh(KB)
    assert (len(sent), turns.left) == (2, 0)
    engine.turns = None
    engine.open().refresh(KB)
    assert engine.opened[-1].counts(KB) == IndexCounts(3, 3, 2)


def test_what_was_cut_off_is_left_alone_while_a_last_write_may_be_on_its_way(
    engine: Engine, source: MemorySource
) -> None:
    source.put("a", "the valve leaked")
    engine.open().refresh(KB)
    source.put("b", "a pump failed")
    with killed_at(2), suppress(KilledAt):
        engine.open().refresh(KB)
    engine.turns = Losing(-1)
    indexes = milvus(engine.open())
    indexes.refresh(KB)
    assert not indexes._is_current(KB)
    state, since = indexes._cut_off[KB]
    indexes._cut_off[KB] = state, since - engine.timeout_s
    indexes.refresh(KB)
    assert indexes._is_current(KB)
    assert indexes.counts(KB) == IndexCounts(2, 2, 2)


def test_no_file_of_somebody_sets_our_environment(tmp_path: Path) -> None:
    """The client reads a `.env` of the working folder when it is imported."""
    (tmp_path / ".env").write_text("KB_DATA_DIR=/elsewhere\nPROBE=1\n")
    program = (
        "import os; from retrievers.milvus.connection import MilvusConnection as C;"
        "C('http://127.0.0.1:1', '', 'kb', 1.0);"
        "print([name for name in ('KB_DATA_DIR', 'PROBE') if name in os.environ])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def milvus(indexes: object) -> "MilvusLibrary":
    from retrievers.milvus.library import MilvusLibrary

    assert isinstance(indexes, MilvusLibrary)
    return indexes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    made.start()
    yield made
    made.kill()


@contextmanager
def asked_all_along(ask: Callable[[], set[str]], source: MemorySource) -> Iterator[list[object]]:
    """Ask from three threads meanwhile; yields what failed, or lacked what was there throughout."""
    failed: list[object] = []
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            before = set(source.live)
            try:
                answered = ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                failed.append(error)
            else:
                failed.extend((before & set(source.live)) - answered)
            time.sleep(0.05)

    askers = [threading.Thread(target=go_on) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        yield failed
    finally:
        is_over.set()
        for asker in askers:
            asker.join()


def test_a_server_killed_and_started_again_under_questions_loses_nothing(
    source: MemorySource, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrievers.milvus import library as module
    from retrievers.milvus.connection import MilvusConnection

    monkeypatch.setattr(module, "RETRY_S", 0.2)
    for number in range(5):
        source.put(f"doc_{number}", f"bad valve number {number}")
    standby = IndexLibrary(source, NO_VECTORS, tmp_path / "index")
    indexes = module.MilvusLibrary(
        source,
        LetterEmbedder().profile,
        MilvusConnection(server.url, "", "kb", 5.0),
        FileTurns(tmp_path / "turns"),
        standby,
    )
    retriever = HybridRetriever(source, LetterEmbedder(), tmp_path / "index", indexes=indexes)
    retriever.follow([KB])

    def found() -> tuple[set[str], set[str]]:
        result = retriever.retrieve(Query(KB, parse_question("bad valve"), 50))
        legs = {leg for item in result.items for leg in item.ranks}
        return {item.chunk.document_id for item in result.items}, legs

    assert found() == (set(source.live), {"lexical", "dense"})
    with asked_all_along(lambda: found()[0], source) as failed:
        server.kill()
        source.put("while_away", "bad valve that came while it was away")
        source.delete("doc_0")
        retriever.refresh(KB)
        assert found() == (set(source.live), {"lexical"})
        outage = retriever.outage()
        assert outage is not None and outage.code == "index_unavailable"
        with pytest.raises(StorageError, match="Milvus at"):
            retriever.counts(KB)
        server.start()
        until = time.monotonic() + 60
        while retriever.outage() is not None and time.monotonic() < until:
            time.sleep(0.2)
            retriever.follow()
        assert retriever.outage() is None
        assert found() == (set(source.live), {"lexical", "dense"})
        assert retriever.counts(KB) == IndexCounts(5, 5, 5)
    retriever.close()
    assert failed == []
