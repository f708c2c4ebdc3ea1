"""What a sync leaves out, what it leaves for later, and what it says beforehand."""

import os
from pathlib import Path

import pytest

from kb_service.domain.errors import DocumentError
from kb_service.domain.sources import Selection
from kb_service.services.folders import LocalFolder
from kb_service.services.sync import SyncReport
from tests.services.conftest import MAX_FILE_BYTES, Desk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    (place / "old").mkdir(parents=True)
    for name in ("a.txt", "b.md", "old/c.txt"):
        (place / name).write_text(f"report {name}")
    return place


def sync(desk: Desk, folder: Path, **choices: str) -> SyncReport:
    selection = Selection(**{name: (glob,) for name, glob in choices.items()})
    source = LocalFolder(folder, folder.parent)
    report = desk.sync.run(desk.base.id, source, prune=True, selection=selection, tags=("north",))
    desk.run(*(item for _, item in report.uploads))
    return report


def names(desk: Desk) -> set[str]:
    return {document.name for document in desk.catalog.documents.list(desk.base.id).items}


def test_patterns_choose_and_what_they_leave_out_is_counted(desk: Desk, folder: Path) -> None:
    report = sync(desk, folder, include="*.txt", exclude="old/")
    assert (names(desk), report.plan.num_excluded) == ({"a.txt"}, 2)


def test_a_file_that_a_new_pattern_leaves_out_is_not_taken_for_deleted(
    desk: Desk, folder: Path
) -> None:
    sync(desk, folder)
    report = sync(desk, folder, exclude="old/")
    assert (report.plan.removed, "old/c.txt" in names(desk)) == ((), True)
    (folder / "old" / "c.txt").unlink()
    assert sync(desk, folder, exclude="old/").removed == ()
    assert sync(desk, folder).removed == ("old/c.txt",)


def test_documents_of_a_sync_bear_its_tags(desk: Desk, folder: Path) -> None:
    sync(desk, folder)
    tags = {document.tags for document in desk.catalog.documents.list(desk.base.id).items}
    assert tags == {("north",)}


def test_a_file_that_is_being_written_is_left_for_the_next_run(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(desk, folder)

    def write_on(_seconds: float) -> None:
        for name in ("a.txt", "new.txt"):
            with (folder / name).open("a") as file:
                file.write(" and more")

    (folder / "new.txt").write_text("half")
    monkeypatch.setattr("kb_service.services.folders.time.sleep", write_on)
    source = LocalFolder(folder, folder.parent, settle_s=0.1)
    report = desk.sync.run(desk.base.id, source, prune=True)
    assert report.plan.changing == ("a.txt", "new.txt")
    assert (report.uploads, report.removed) == ((), ())
    monkeypatch.setattr("kb_service.services.folders.time.sleep", lambda _: None)
    report = desk.sync.run(desk.base.id, source, prune=True)
    assert [name for name, _ in report.uploads] == ["new.txt", "a.txt"]


def test_files_that_rest_are_not_waited_for(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in folder.rglob("*.*"):
        os.utime(path, (1e9, 1e9))
    monkeypatch.delattr("kb_service.services.folders.time.sleep")
    source = LocalFolder(folder, folder.parent, settle_s=30)
    assert len(desk.sync.plan(desk.base.id, source).added) == 3


def test_a_file_that_changes_after_it_was_listed_is_left_too(desk: Desk, folder: Path) -> None:
    source = LocalFolder(folder, folder.parent)
    file = source.listing().files["a.txt"]
    (folder / "a.txt").write_text("another report")
    with pytest.raises(DocumentError) as caught, source.fetch(file):
        pass
    assert caught.value.code == "file_changing"


def test_a_preview_tells_what_would_be_refused_and_changes_nothing(
    desk: Desk, folder: Path
) -> None:
    (folder / "empty.txt").touch()
    (folder / "big.txt").write_text("x" * (MAX_FILE_BYTES + 1))
    preview = desk.sync.preview(desk.base.id, LocalFolder(folder, folder.parent))
    assert {name: error.code for name, error in preview.refusals.items()} == {
        "big.txt": "payload_too_large", "empty.txt": "empty_document",
    }  # fmt: skip
    assert preview.plan.added == ("a.txt", "b.md", "old/c.txt")
    assert names(desk) == set()
    outcomes = {n: i.outcome for n, i in sync(desk, folder).uploads}
    assert {name for name, outcome in outcomes.items() if outcome == "rejected"} == {
        "big.txt", "empty.txt",
    }  # fmt: skip
