"""Deleted bases and killed processes leave nothing in the index folder; living processes stay."""

from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.folders import ClaimedFolder, exclusive
from retrievers.upkeep import IndexFiles
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, MemorySource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


def fill(source: MemorySource, num_documents: int = 10) -> None:
    for number in range(num_documents):
        source.put(f"doc_{number}", f"valve number {number}")


def empty(source: MemorySource) -> None:
    """Delete the base, as another process does: its changes are gone with it."""
    source.log.clear()
    source.live.clear()


def test_dropping_a_base_removes_its_files(
    source: MemorySource, open_retriever: OpenRetriever, tmp_path: Path, root: Path
) -> None:
    fill(source)
    retriever = open_retriever()
    retriever.refresh(KB)
    retriever.drop(KB)
    assert not (root / KB).exists()
    assert not list((tmp_path / "index-work").iterdir())
    retriever.drop(KB)


def test_dropping_leaves_what_a_living_process_has_claimed(root: Path) -> None:
    (root / KB / "gen-1-00000000").mkdir(parents=True)
    claimed = ClaimedFolder(root / KB, "live")
    IndexFiles(root).drop(KB)
    assert [path.name for path in (root / KB).iterdir()] == [claimed.path.name]
    claimed.close()
    IndexFiles(root).drop(KB)
    assert not (root / KB).exists()


def test_another_process_closes_a_deleted_base_with_its_next_job(
    source: MemorySource, open_retriever: OpenRetriever, tmp_path: Path
) -> None:
    fill(source)
    other = open_retriever()
    other.refresh(KB)
    assert len(list((tmp_path / "index-work").iterdir())) == 1
    empty(source)
    other.refresh("kb_other")
    assert not list((tmp_path / "index-work").iterdir())


def test_an_index_published_after_its_base_was_deleted_goes_again(
    source: MemorySource,
    open_retriever: OpenRetriever,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(source)
    retriever = open_retriever()

    def delete_meanwhile(_folder: Path) -> None:
        empty(source)
        IndexFiles(root / "nothing").drop(KB)

    monkeypatch.setattr("retrievers.snapshots.fsync_tree", delete_meanwhile)
    retriever.refresh(KB)
    assert not (root / KB).exists()


def test_a_base_made_again_under_its_id_finds_only_what_is_new(
    source: MemorySource, open_retriever: OpenRetriever
) -> None:
    fill(source)
    other = open_retriever()
    other.refresh(KB)
    empty(source)
    fill(source, 3)
    assert len(other.retrieve(Query(KB, parse_question("valve"), 50)).items) == 3
    assert len(open_retriever().retrieve(Query(KB, parse_question("valve"), 50)).items) == 3


def test_the_sweep_removes_what_the_dead_left_and_nothing_else(root: Path) -> None:
    for path in (
        "kb_gone/gen-3-00000000",
        "kb_here/gen-3-00000000",
        "lost+found",
        "kb_here/live-1",
    ):
        (root / path).mkdir(parents=True)
    (root / "kb_gone" / "CURRENT.json").write_text("{}")
    (root / "kb_here" / "CURRENT.json.0a1b2c3d.tmp").write_text("{")
    (root / "kb_note").write_text("a file")
    building, killed = (ClaimedFolder(root / "kb_here", "build") for _ in range(2))
    killed.release()
    files = IndexFiles(root)
    assert files.orphans(lambda: {"kb_here"}) == ["kb_gone"]
    assert files.sweep(lambda: {"kb_here"}) == 1
    assert sorted(path.name for path in root.iterdir()) == ["kb_here", "kb_note", "lost+found"]
    assert {path.name for path in (root / "kb_here").iterdir()} == {
        "gen-3-00000000",
        building.path.name,
    }
    assert files.orphans(lambda: {"kb_here"}) == []


def test_a_base_made_while_the_sweep_looks_is_left_alone(root: Path) -> None:
    (root / "kb_new").mkdir(parents=True)
    bases: set[str] = set()

    def read_late() -> set[str]:
        bases.add("kb_new")
        return bases

    assert IndexFiles(root).sweep(read_late) == 0
    assert (root / "kb_new").exists()


def test_an_index_folder_that_is_not_there_has_nothing_to_sweep(root: Path) -> None:
    assert IndexFiles(root).sweep(lambda: ()) == 0
    assert not root.exists()


def test_a_disk_that_refuses_is_told_and_stops_no_sweep(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kb_a", "kb_b"):
        (root / name).mkdir(parents=True)

    def refuse(path: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "rmdir", refuse)
    files = IndexFiles(root)
    with pytest.raises(StorageError, match=r"kb_a.*Read-only file system"):
        files.drop("kb_a")
    assert files.sweep(lambda: ()) == 0


def test_sections_exclude_each_other_over_a_folder_that_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "section"
    with exclusive(folder):
        folder.rmdir()
        with exclusive(folder):  # another folder now: nobody waits for the old one
            assert folder.is_dir()
