"""Snapshots on disk: publication, damage, other profiles, crashes, several publishers."""

import hashlib
import json
import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest, StorageError
from kb_service.domain.ports import EmbeddingProfile
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.folders import ClaimedFolder
from retrievers.hybrid import HybridRetriever
from retrievers.live import LiveIndex
from retrievers.snapshots import (
    CURRENT_FILE,
    MANIFEST_FILE,
    IndexCounts,
    SnapshotRejected,
    SnapshotStore,
    engine_versions,
)
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, LETTERS, MemorySource

PROFILE = EmbeddingProfile("letters", len(LETTERS), "f" * 64)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the test base's snapshots."""
    return tmp_path / "index" / KB


@pytest.fixture
def published(source: MemorySource, open_retriever: OpenRetriever, folder: Path) -> Path:
    """Two snapshots of a base of twenty documents, and one change after them."""
    retriever = open_retriever()
    for number in range(20):
        source.put(f"doc_{number}", f"valve number {number} leaked", title=f"Report {number}")
        if number == 9:
            retriever.refresh(KB)
    retriever.refresh(KB)
    source.put("late", "a late valve")
    retriever.close()
    return folder


def ranking(retriever: HybridRetriever) -> list[tuple[int, float]]:
    """Return what a question finds, with scores."""
    items = retriever.retrieve(Query(KB, parse_question("valve number 7 of Report 3"), 50)).items
    return [(item.chunk.id, item.score) for item in items]


def snapshots(folder: Path) -> list[str]:
    """Return the snapshots there are, oldest first."""
    return sorted((path.name for path in folder.glob("gen-*")), key=lambda n: int(n.split("-")[1]))


def test_a_snapshot_is_published_once_it_is_worth_it(
    source: MemorySource, open_retriever: OpenRetriever, folder: Path
) -> None:
    retriever = open_retriever()
    retriever.refresh(KB)
    assert not folder.exists()
    source.put("a", "valve")
    retriever.refresh(KB)
    first = snapshots(folder)
    assert len(first) == 1
    source.put("b", "pump")
    retriever.refresh(KB)
    assert snapshots(folder) == first
    for number in range(8):
        source.put(f"doc_{number}", "more")
    retriever.refresh(KB)
    assert len(snapshots(folder)) == 2


def test_only_the_current_and_the_previous_snapshot_are_kept(
    source: MemorySource, open_retriever: OpenRetriever, folder: Path
) -> None:
    retriever = open_retriever()
    for round_ in range(4):
        for number in range(10):
            source.put(f"doc_{number}", f"round {round_}")
        (folder / "build-0123456789abcdef").mkdir(parents=True)
        retriever.refresh(KB)
    assert sorted(path.name for path in folder.iterdir()) == [
        CURRENT_FILE,
        *sorted(snapshots(folder)),
    ]
    assert len(snapshots(folder)) == 2


def test_an_opened_snapshot_with_replay_equals_a_rebuild(
    published: Path, open_retriever: OpenRetriever
) -> None:
    replayed = ranking(open_retriever())
    for name in snapshots(published):
        (published / name).rename(published / f"away-{name}")
    assert ranking(open_retriever()) == replayed


@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_damage_to_any_file_falls_back_and_is_repaired(
    published: Path, open_retriever: OpenRetriever, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    truth = ranking(open_retriever())
    store = SnapshotStore(published.parent, KB, PROFILE)
    current = store.current_name()
    assert current is not None
    for number in range(len([p for p in (published / current).rglob("*") if p.is_file()])):
        name = store.current_name()
        assert name is not None
        files = sorted(path for path in (published / name).rglob("*") if path.is_file())
        _damage(files[number % len(files)], damage)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert ranking(open_retriever()) == truth
        assert f"index generation {name} of {KB} rejected" in caplog.text
        assert not (published / name).exists()
        assert store.verify(store.current_name() or "").manifest.counts.num_chunks == 21


def _damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.unlink()  # the segments share their storage with the snapshot before
    if how == "flip":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"generation": "../../etc"}']
)
def test_a_damaged_pointer_still_leads_to_a_snapshot(
    published: Path, open_retriever: OpenRetriever, content: bytes
) -> None:
    truth = ranking(open_retriever())
    (published / CURRENT_FILE).write_bytes(content)
    assert ranking(open_retriever()) == truth


def test_a_snapshot_of_another_embedding_profile_is_never_served(
    published: Path, open_retriever: OpenRetriever
) -> None:
    before = snapshots(published)
    retriever = open_retriever("0" * 64)
    assert len(ranking(retriever)) == 21
    assert not set(before) & set(snapshots(published))


def test_a_snapshot_ahead_of_a_restored_database_is_never_served(
    published: Path, source: MemorySource, open_retriever: OpenRetriever
) -> None:
    source.log = source.log[:5]
    source.live = {name: source.live[name] for name in list(source.live)[:5]}
    retriever = open_retriever()
    assert len(ranking(retriever)) == 5
    assert all(name.startswith("gen-5-") for name in snapshots(published))


def test_many_removals_lead_to_a_rebuilt_snapshot_that_others_take_up(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    writer, reader = open_retriever(), open_retriever()
    for number in range(20):
        source.put(f"doc_{number}", f"valve {number}")
    writer.refresh(KB)
    for number in range(12):
        source.put(f"doc_{number}", f"pump {number}")
    assert reader.idf(KB, ["pump"]) != open_retriever().idf(KB, ["nowhere"])
    writer.refresh(KB)
    source.put("last", "pump")
    assert reader.idf(KB, ["pump", "valve"]) == open_retriever().idf(KB, ["pump", "valve"])


def test_a_growing_base_changes_to_the_graph_index(
    source: MemorySource, open_retriever: OpenRetriever, folder: Path
) -> None:
    retriever = open_retriever(flat_limit=10)
    for number in range(20):
        source.put(f"doc_{number}", f"{LETTERS[number % 8] * 3} {LETTERS[number % 5]} pump")
        retriever.refresh(KB)
    assert "abc" not in {
        item.chunk.draft.text for item in retriever.retrieve(Query(KB, parse_question("b"))).items
    }
    assert len(retriever.retrieve(Query(KB, parse_question("pump"), 30)).items) == 20
    assert retriever.counts(KB).num_vectors == 20
    assert snapshots(folder)


@pytest.mark.parametrize("kb_id", ["", "..", "a/b", "a" * 129, "ä"])
def test_an_id_that_is_no_plain_name_never_becomes_a_path(tmp_path: Path, kb_id: str) -> None:
    with pytest.raises(InvalidRequest, match="knowledge base id"):
        SnapshotStore(tmp_path, kb_id, PROFILE)


def test_a_full_disk_is_reported_and_the_old_snapshot_stays(
    published: Path,
    source: MemorySource,
    open_retriever: OpenRetriever,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = SnapshotStore(published.parent, KB, PROFILE)
    before = store.current_name()
    for number in range(10):
        source.put(f"new_{number}", f"new valve {number}")

    def no_space(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retrievers.snapshots.fsync_tree", no_space)
    retriever = open_retriever()
    with pytest.raises(StorageError, match="No space left on device") as caught:
        retriever.refresh(KB)
    assert caught.value.code == "index_not_published"
    assert store.current_name() == before
    assert len(ranking(retriever)) == 31


@pytest.mark.parametrize(
    "change", [{"seq": "7"}, {"counts": {"num_chunks": 1}}, {"files": [1]}, {"kb_id": None}, {}]
)
def test_a_manifest_of_other_types_is_rejected_though_its_checksum_is_right(
    published: Path, open_retriever: OpenRetriever, change: dict[str, object]
) -> None:
    truth, store = ranking(open_retriever()), SnapshotStore(published.parent, KB, PROFILE)
    name = store.current_name() or ""
    path = published / name / MANIFEST_FILE
    body = {**json.loads(path.read_bytes())["manifest"], **change}
    if not change:
        del body["engines"]
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"manifest": body, "sha256": digest}))
    with pytest.raises(SnapshotRejected):
        store.describe(name)
    open_retriever().refresh(KB)
    assert store.current_name() != name
    assert ranking(open_retriever()) == truth


@pytest.mark.parametrize(
    "older", [{"format": 3}, {"engines": {**engine_versions(), "opencc": "1.4.1"}}]
)
def test_a_snapshot_whose_terms_were_folded_otherwise_is_built_again(
    published: Path, open_retriever: OpenRetriever, older: dict[str, object]
) -> None:
    truth, store = ranking(open_retriever()), SnapshotStore(published.parent, KB, PROFILE)
    name = store.current_name() or ""
    path = published / name / MANIFEST_FILE
    body = {**json.loads(path.read_bytes())["manifest"], **older}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"manifest": body, "sha256": digest}))
    with pytest.raises(SnapshotRejected, match="format"):
        store.describe(name)
    open_retriever().refresh(KB)
    assert store.current_name() != name
    assert ranking(open_retriever()) == truth


def test_a_pointer_that_is_a_folder_is_replaced(
    published: Path, source: MemorySource, open_retriever: OpenRetriever
) -> None:
    truth = ranking(open_retriever())
    (published / CURRENT_FILE).unlink()
    (published / CURRENT_FILE / "something").mkdir(parents=True)
    retriever = open_retriever()
    assert ranking(retriever) == truth
    retriever.rebuild(KB)
    assert SnapshotStore(published.parent, KB, PROFILE).current_name() in snapshots(published)


def test_a_rebuild_replaces_every_snapshot(published: Path, open_retriever: OpenRetriever) -> None:
    before, truth = snapshots(published), ranking(open_retriever())
    open_retriever().rebuild(KB)
    assert len(snapshots(published)) == 1
    assert not set(before) & set(snapshots(published))
    assert ranking(open_retriever()) == truth


def test_a_snapshot_published_while_another_is_opened_is_not_taken_for_one_from_the_future(
    published: Path,
    source: MemorySource,
    open_retriever: OpenRetriever,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = open_retriever(), open_retriever()
    list_names = SnapshotStore.candidates

    def publish_first(store: SnapshotStore) -> list[str]:
        monkeypatch.undo()
        source.put("new", "a new valve")
        writer.rebuild(KB)
        return list_names(store)

    monkeypatch.setattr(SnapshotStore, "candidates", publish_first)
    assert len(ranking(reader)) == 22
    assert [name.startswith("gen-22-") for name in snapshots(published)] == [True]


def test_concurrent_refreshes_leave_one_whole_current_snapshot(
    source: MemorySource, open_retriever: OpenRetriever, folder: Path
) -> None:
    for number in range(30):
        source.put(f"doc_{number}", f"valve {number}")
    retrievers = [open_retriever() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(retriever.refresh, KB) for retriever in retrievers]:
            future.result()
    store = SnapshotStore(folder.parent, KB, PROFILE)
    assert snapshots(folder) == [store.current_name()]
    assert store.verify(snapshots(folder)[0]).manifest.counts.num_chunks == 30


PUBLISHER = """
import sys
from pathlib import Path
from retrievers import library
from retrievers.hybrid import HybridRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource

library.MIN_DELTA_REVISIONS = 1
source = MemorySource()
for number in range(20):
    source.put(f"doc_{number}", f"valve number {number} leaked", title=f"Report {number}")
retriever = HybridRetriever(source, LetterEmbedder(), Path(sys.argv[1]))
retriever.refresh(KB)
print("ready", flush=True)
while True:
    source.put("doc_0", "valve number 0 leaked", title="Report 0")
    retriever.refresh(KB)
"""


@pytest.mark.crash
def test_kill_9_during_publication_always_leaves_an_index_that_opens(
    tmp_path: Path, folder: Path
) -> None:
    store = SnapshotStore(folder.parent, KB, PROFILE)
    for pause_s in (0.0, 0.03, 0.08, 0.15, 0.25):
        command = [sys.executable, "-c", PUBLISHER, str(tmp_path / "index")]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as publisher:
            assert publisher.stdout is not None
            assert publisher.stdout.readline() == "ready\n"
            time.sleep(pause_s)
            publisher.kill()
        snapshot = store.verify(store.current_name() or "")
        working = ClaimedFolder(tmp_path / "work", "kb-index")
        index = LiveIndex.load(working, snapshot.path, snapshot.manifest.seq)
        assert len(index.search_lexical({"valve": 1.0}, 50)) == 20
        assert index.counts == snapshot.manifest.counts == IndexCounts(20, 20, 20)
        index.close()


def test_the_versions_of_the_engines_are_read_once_and_not_with_every_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr("retrievers.snapshots.version", lambda name: read.append(name) or "1")
    engine_versions.cache_clear()
    try:
        assert engine_versions() == engine_versions() == dict.fromkeys(read, "1")
    finally:
        engine_versions.cache_clear()
    assert read == ["tantivy", "faiss-cpu", "opencc"]
