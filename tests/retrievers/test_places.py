"""Reading needs no write: full disks and folders that nobody may write to, down to memory alone."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.hybrid import HybridRetriever
from retrievers.places import WORK_FOLDER, WORK_PREFIX, WorkPlaces
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, LetterEmbedder, MemorySource


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow: every write fails, wherever it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def filled(source: MemorySource, open_retriever: OpenRetriever) -> MemorySource:
    """Twenty documents, and a snapshot of them."""
    for number in range(20):
        source.put(f"doc_{number}", f"valve number {number} leaked")
    writer = open_retriever()
    writer.refresh(KB)
    writer.close()
    return source


def found(retriever: HybridRetriever, text: str = "valve number 7") -> list[tuple[int, float]]:
    items = retriever.retrieve(Query(KB, parse_question(text), 50)).items
    return [(item.chunk.id, item.score) for item in items]


def forbid_writing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every new folder below `folder`, as a read-only mount does, also for root."""
    mkdir = Path.mkdir

    def refuse(path: Path, *given: object, **named: object) -> None:
        if folder in path.parents and not path.exists():
            raise OSError(30, "Read-only file system", str(path))
        mkdir(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)


def test_a_full_disk_stops_no_search(filled: MemorySource, open_retriever: OpenRetriever) -> None:
    truth = found(open_retriever())
    with full_disk():
        assert found(open_retriever()) == truth


def test_a_disk_that_fills_under_an_open_index_stops_no_search(
    filled: MemorySource, open_retriever: OpenRetriever
) -> None:
    reader = open_retriever()
    assert len(found(reader)) == 20
    filled.put("new", "valve number 20 leaked")
    filled.delete("doc_0")
    with full_disk():
        assert len(found(reader)) == 20
        filled.put("newer", "valve number 21 leaked")
        assert len(found(reader)) == 21
    assert len(found(reader)) == len(found(open_retriever())) == 21


def test_a_full_disk_stops_publishing_with_one_typed_error_and_then_no_search(
    filled: MemorySource, open_retriever: OpenRetriever, tmp_path: Path
) -> None:
    before = sorted(path.name for path in (tmp_path / "index" / KB).iterdir())
    retriever = open_retriever()
    for number in range(20, 40):
        filled.put(f"doc_{number}", f"valve number {number} leaked")
    with full_disk():
        for publish in (retriever.refresh, retriever.rebuild):
            with pytest.raises(StorageError) as caught:
                publish(KB)
            assert caught.value.code == "index_not_published"
        assert len(found(retriever)) == 40
    assert sorted(path.name for path in (tmp_path / "index" / KB).iterdir()) == before
    retriever.refresh(KB)
    assert sorted(path.name for path in (tmp_path / "index" / KB).iterdir()) != before


def test_on_a_read_only_data_folder_the_temporary_folder_serves(
    filled: MemorySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path.parent / f"{tmp_path.name}-temporary"
    places = [tmp_path / WORK_FOLDER, temporary]
    forbid_writing(tmp_path, monkeypatch)
    retriever = HybridRetriever(filled, LetterEmbedder(), tmp_path / "index", places=places)
    assert len(found(retriever)) == 20
    assert len(list(temporary.glob(f"{WORK_PREFIX}-*"))) == 1
    assert not list(tmp_path.glob(f"{WORK_FOLDER}/*"))
    filled.put("new", "valve number 20 leaked")
    assert len(found(retriever)) == 21
    retriever.close()
    assert not list(temporary.iterdir())


def test_damage_on_a_read_only_data_folder_is_gone_around(
    filled: MemorySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = list((tmp_path / "index").rglob("*.vectors"))
    assert damaged
    for path in damaged:
        path.write_bytes(b"")
    forbid_writing(tmp_path, monkeypatch)
    retriever = HybridRetriever(filled, LetterEmbedder(), tmp_path / "index")
    assert len(found(retriever)) == 20
    retriever.close()


def test_without_any_place_the_index_lives_in_memory(filled: MemorySource, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    options = {"places": [no_folder, no_folder / "below"]}
    with_folder = HybridRetriever(filled, LetterEmbedder(), tmp_path / "index")
    retriever = HybridRetriever(filled, LetterEmbedder(), tmp_path / "index", **options)
    assert found(retriever) == found(with_folder)
    for number in range(15):
        filled.put(f"doc_{number}", f"pump {number} broke")
    assert {chunk_id for chunk_id, _ in found(retriever, "valve pump broke")} == {
        chunk_id for chunk_id, _ in found(with_folder, "valve pump broke")
    }
    assert retriever.counts(KB) == with_folder.counts(KB)
    with_folder.close()
    retriever.close()


def test_a_file_system_without_locks_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("retrievers.folders.fcntl.flock", refuse)
    assert list(WorkPlaces([tmp_path]).folders()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_killed_processs_working_copy_goes_when_the_next_one_opens(tmp_path: Path) -> None:
    places = WorkPlaces([tmp_path])
    living, killed = next(places.folders()), next(places.folders())
    killed.release()  # what the kernel does with the claim of a dead process
    mine = next(WorkPlaces([tmp_path]).folders())
    assert (living.path.exists(), killed.path.exists(), mine.path.exists()) == (True, False, True)
    assert mine.path.stat().st_mode & 0o077 == 0
    for folder in (living, mine):
        folder.close()
