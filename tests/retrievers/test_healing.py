"""Whatever happens to the files of an index, or comes out of its engines, the question is answered.

A process that has a base open, and one that opens it then, beside damage of every kind.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_service.domain.errors import StorageError
from kb_service.domain.queries import Query
from kb_service.language.asked import parse_question
from retrievers.dense import DenseIndex
from retrievers.failures import IndexFailed
from retrievers.hybrid import HybridRetriever
from retrievers.lexical import LexicalIndex
from retrievers.places import WORK_FOLDER
from retrievers.snapshots import CURRENT_FILE, MANIFEST_FILE
from tests.retrievers.conftest import OpenRetriever
from tests.retrievers.memory_source import KB, MemorySource

Damage = Callable[[Path], None]
"""Does something to the folder that holds `index` and the working folders."""


class PanicException(BaseException):
    """What a Rust panic looks like in Python."""


@pytest.fixture
def reader(source: MemorySource, open_retriever: OpenRetriever) -> HybridRetriever:
    """A retriever that has a base of twenty documents, published once, open."""
    for number in range(20):
        source.put(f"doc_{number}", f"valve number {number} leaked")
    opened = open_retriever()
    opened.refresh(KB)
    assert num_found(opened) == 20
    return opened


def num_found(retriever: HybridRetriever) -> int:
    return len(retriever.retrieve(Query(KB, parse_question("valve number"), 50)).items)


def files(folder: Path, pattern: str) -> list[Path]:
    return [path for path in folder.rglob(pattern) if path.is_file()]


def snapshot(folder: Path) -> Path:
    return next(folder.glob("index/*/gen-*"))


def change_all(folder: Path, change: Callable[[Path], None]) -> None:
    for path in files(folder / "index", "*"):
        change(path)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder")


def point_nowhere(folder: Path) -> None:
    (folder / "index" / KB / CURRENT_FILE).write_text('{"generation": "gen-7-00000000"}')


def half_copied(folder: Path) -> None:
    newer = snapshot(folder).with_name("gen-20-00000000")
    shutil.copytree(snapshot(folder), newer)
    (newer / MANIFEST_FILE).unlink()
    (newer.parent / CURRENT_FILE).write_text(f'{{"generation": "{newer.name}"}}')


def from_another_engine(folder: Path) -> None:
    path = snapshot(folder) / MANIFEST_FILE
    path.write_text(path.read_text().replace('"tantivy": "', '"tantivy": "9'))


def forbid(folder: Path) -> None:
    for path in (*files(folder / "index", "*"), snapshot(folder)):
        path.chmod(0)


def remove_both(folder: Path) -> None:
    shutil.rmtree(folder / "index")
    shutil.rmtree(folder / WORK_FOLDER)


DAMAGES: dict[str, Damage] = {
    "the index folder removed": lambda folder: shutil.rmtree(folder / "index"),
    "the base's folder removed": lambda folder: shutil.rmtree(folder / "index" / KB),
    "the base's folder a file": lambda folder: replace_by_file(folder / "index" / KB),
    "a generation a file": lambda folder: replace_by_file(snapshot(folder)),
    "the pointer to nowhere": point_nowhere,
    "the pointer a folder": lambda folder: replace_by_folder(folder / "index" / KB / CURRENT_FILE),
    "a generation half copied": half_copied,
    "a generation by another engine": from_another_engine,
    "every file cut in place": lambda folder: change_all(folder, truncate),
    "every file emptied in place": lambda folder: change_all(folder, lambda p: os.truncate(p, 0)),
    "every file overwritten in place": lambda folder: change_all(folder, overwrite),
    "every file a folder": lambda folder: change_all(folder, replace_by_folder),
    "every file forbidden": forbid,
    "the working copies removed": lambda folder: shutil.rmtree(folder / WORK_FOLDER),
    "the working copies a file": lambda folder: replace_by_file(folder / WORK_FOLDER),
    "both removed": remove_both,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_beside_an_open_index_costs_no_answer(
    reader: HybridRetriever,
    source: MemorySource,
    open_retriever: OpenRetriever,
    tmp_path: Path,
    damage: Damage,
) -> None:
    damage(tmp_path)
    assert num_found(reader) == 20
    source.put("new", "valve number 20 leaked")
    assert num_found(reader) == num_found(open_retriever()) == 21
    reader.rebuild(KB)
    assert snapshot(tmp_path).name.startswith("gen-21-")
    assert num_found(open_retriever()) == 21


def test_each_file_of_a_working_copy_can_go(
    reader: HybridRetriever, source: MemorySource, tmp_path: Path
) -> None:
    num_expected = 20
    for number in range(12):
        working = sorted(files(tmp_path / WORK_FOLDER, "*"))
        working[number % len(working)].unlink()
        assert num_found(reader) == num_expected
        source.put(f"new_{number}", f"valve number {number} of the new ones")
        num_expected += 1
        assert num_found(reader) == num_expected
        reader.refresh(KB)
    reader.rebuild(KB)
    assert reader.counts(KB).num_chunks == num_expected


@pytest.mark.parametrize("error", [ValueError, OSError, RuntimeError, MemoryError, PanicException])
@pytest.mark.parametrize("leg", [LexicalIndex, DenseIndex])
def test_what_an_engine_raises_once_costs_no_answer(
    reader: HybridRetriever,
    monkeypatch: pytest.MonkeyPatch,
    leg: type[LexicalIndex | DenseIndex],
    error: type[BaseException],
) -> None:
    def fail(*_: object) -> None:
        monkeypatch.undo()
        raise error("the engine is unwell")

    monkeypatch.setattr(leg, "search", fail)
    assert num_found(reader) == 20


def test_a_snapshot_that_opens_and_then_fails_is_made_again_from_the_database(
    reader: HybridRetriever,
    open_retriever: OpenRetriever,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, search, seen = snapshot(tmp_path).name, LexicalIndex.search, []

    def fail_twice(index: LexicalIndex, *given: object) -> object:
        seen.append(index)
        if len(seen) <= 2:
            raise PanicException("index out of bounds")
        return search(index, *given)

    monkeypatch.setattr(LexicalIndex, "search", fail_twice)
    assert num_found(reader) == 20
    assert len({id(index) for index in seen}) == 3
    assert snapshot(tmp_path).name != bad
    assert num_found(open_retriever()) == 20


def test_an_engine_that_always_fails_is_told_as_one_typed_error(
    reader: HybridRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PanicException("always")

    monkeypatch.setattr(LexicalIndex, "search", fail)
    with pytest.raises(IndexFailed, match="PanicException: always"):
        num_found(reader)
    monkeypatch.undo()
    assert num_found(reader) == 20


def test_a_failing_database_is_not_taken_for_a_failing_index(
    reader: HybridRetriever, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def locked(_kb_id: str, after: int) -> None:
        calls.append(after)
        raise StorageError("locked", code="database_locked")

    source.put("new", "valve number 20 leaked")
    monkeypatch.setattr(source, "changes", locked)
    with pytest.raises(StorageError, match="locked") as caught:
        num_found(reader)
    assert (caught.value.code, len(calls)) == ("database_locked", 1)


def test_an_interrupt_is_no_failure_of_the_index(
    reader: HybridRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LexicalIndex, "search", interrupt)
    with pytest.raises(KeyboardInterrupt):
        num_found(reader)
