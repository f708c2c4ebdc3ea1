"""A snapshot costs what is new in it, and what is large is merged where nobody waits for it."""

from pathlib import Path

import pytest

from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers import dense, library
from retrievers.dense import DenseIndex, Merge
from retrievers.hybrid import HybridRetriever
from retrievers.snapshots import MANIFEST_FILE, SnapshotStore
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

WORDS = ("bad valve", "good pump", "old door", "leaking pipe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index" / KB


def put(source: MemorySource, num_documents: int) -> None:
    first = source.num_revisions
    for number in range(first, first + num_documents):
        source.put(f"doc_{number}", *(f"{words} number {number}" for words in WORDS))


def current(folder: Path) -> Path:
    name = SnapshotStore(folder.parent, KB, LetterEmbedder().profile).current_name()
    assert name is not None
    return folder / name


def num_written(folder: Path, before: set[int]) -> tuple[int, int]:
    """Return the bytes of the current snapshot in files of its own: of its words, and the rest.

    The manifest, which names every file, is not counted.
    """
    files = [path for path in current(folder).rglob("*") if path.is_file()]
    new = [path for path in files if path.stat().st_ino not in before]
    words = sum(path.stat().st_size for path in new if path.parent.name == "lexical")
    return words, sum(p.stat().st_size for p in new if p.name != MANIFEST_FILE) - words


def inodes(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in current(folder).rglob("*")}


def found(retriever: HybridRetriever) -> list[tuple[int, float]]:
    items = retriever.retrieve(Query(KB, parse_question("bad pump door"), 50)).items
    return [(item.chunk.id, round(item.score, 6)) for item in items]


def test_what_a_publication_writes_does_not_grow_with_the_base(
    source: MemorySource,
    open_retriever: OpenRetriever,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "MAX_DELTA_SHARE", 0.0)
    retriever = open_retriever()
    written: list[tuple[int, int]] = []
    for num_before in (100, 1400):
        put(source, num_before)
        retriever.refresh(KB)
        words = rest = 0
        for _ in range(8):
            before = inodes(folder)
            put(source, 10)
            retriever.refresh(KB)
            new = num_written(folder, before)
            words, rest = words + new[0], rest + new[1]
        written.append((words, rest))
    whole = sum(p.stat().st_size for p in (current(folder) / "lexical").iterdir())
    assert written[1][1] < 2 * written[0][1]  # of a base of eight times the size
    # The library merges all of up to ten thousand chunks at a time, here once in eight.
    assert written[1][0] < 2 * whole


def test_what_was_written_into_since_is_not_taken_over(
    source: MemorySource, open_retriever: OpenRetriever, folder: Path
) -> None:
    put(source, 20)
    retriever = open_retriever()
    retriever.refresh(KB)
    for path in current(folder).rglob("*.vectors"):
        with path.open("r+b") as file:
            file.write(b"\xff" * 8)
    put(source, 20)
    retriever.refresh(KB)
    store = SnapshotStore(folder.parent, KB, LetterEmbedder().profile)
    store.verify(store.current_name() or "")
    assert found(retriever) == found(open_retriever())


def test_a_large_merge_waits_for_its_thread_and_is_published_then(
    source: MemorySource,
    open_retriever: OpenRetriever,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dense, "MERGED_AT_ONCE", 0)
    ran: list[str] = []
    run = Merge.run

    def told(merge: Merge) -> str:
        ran.append(merge.kind)
        return run(merge)

    monkeypatch.setattr(Merge, "run", told)
    retriever = open_retriever(flat_limit=20)
    for _ in range(4):
        put(source, 10)
        retriever.refresh(KB)
    assert ran == []
    truth, before = found(retriever), current(folder)
    while retriever.tend(KB):
        pass
    assert "ivf" in ran
    assert current(folder) != before
    assert found(retriever) == found(open_retriever(flat_limit=20)) == truth


def test_what_changes_while_segments_are_merged_is_kept(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "MERGED_AT_ONCE", 0)
    retriever = open_retriever(flat_limit=20)
    for _ in range(4):
        put(source, 10)
        retriever.refresh(KB)
    run = Merge.run

    def changed_meanwhile(merge: Merge) -> str:
        name = run(merge)
        source.delete("doc_0")
        source.put("doc_1", "bad pump door")
        found(retriever)
        return name

    monkeypatch.setattr(Merge, "run", changed_meanwhile)
    assert retriever.tend(KB)
    assert {hit[0] for hit in found(retriever)} == {hit[0] for hit in found(open_retriever())}
    assert retriever.counts(KB) == open_retriever().counts(KB)


def test_a_merge_that_cannot_be_written_leaves_the_index_as_it_is(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "MERGED_AT_ONCE", 0)
    retriever = open_retriever(flat_limit=20)
    for _ in range(4):
        put(source, 10)
        retriever.refresh(KB)
    truth = found(retriever)

    def closed_meanwhile(_merge: Merge) -> str:
        retriever._indexes._shelf[KB].close()
        raise FileNotFoundError("the folder is gone")

    monkeypatch.setattr(Merge, "run", closed_meanwhile)
    assert not retriever.tend(KB)
    assert found(retriever) == truth


def test_an_index_with_much_of_its_own_opens_what_was_published(
    source: MemorySource, open_retriever: OpenRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "MERGED_AT_ONCE", 50)
    monkeypatch.setattr(dense, "SEAL_ROWS", 8)
    put(source, 3)
    server, worker = open_retriever(), open_retriever()
    found(server)
    for _ in range(4):
        put(source, 10)
        found(server)
    worker.refresh(KB)
    put(source, 1)
    index = server._indexes._shelf[KB].index
    assert index is not None
    assert index.num_own > 50
    assert found(server) == found(open_retriever())
    index = server._indexes._shelf[KB].index
    assert index is not None
    assert index.num_own <= 8


def test_segments_in_memory_need_no_folder() -> None:
    index = DenseIndex(2)
    index.add(range(9000), [bytes([0, 0, 128, 63, 0, 0, 0, 0])] * 9000)
    assert (index.num_chunks, index.num_own, index.due()) == (9000, 0, None)
    assert len(index.search(bytes([0, 0, 128, 63, 0, 0, 0, 0]), 5)) == 5
