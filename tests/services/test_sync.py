"""A folder followed: only what changed is done, and nothing else is ever touched."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.domain.errors import Conflict, InvalidRequest, StorageError
from kb_service.domain.sync import plan_sync
from kb_service.services.ingest_run import IngestRun
from kb_service.services.sync import SyncReport
from tests.services.conftest import Desk

NAMES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    (place / "2024").mkdir(parents=True)
    for number in range(5):
        (place / f"{number}.txt").write_text(f"report {number}\n\nthe pump {number} leaked")
    (place / "2024" / "deep.txt").write_text("deep report")
    (place / ".hidden").write_text("not seen")
    return place


def sync(desk: Desk, folder: Path, *, prune: bool = False) -> tuple[SyncReport, IngestRun]:
    report = desk.sync.run(desk.base.id, folder, prune=prune)
    return report, desk.run(*(item for _, item in report.uploads))


def names(desk: Desk) -> set[str]:
    return {document.name for document in desk.catalog.list_documents(desk.base.id).items}


def test_first_run_brings_all_files_in_and_the_second_does_nothing(
    desk: Desk, folder: Path
) -> None:
    _, run = sync(desk, folder)
    assert run.num_succeeded == 6
    assert names(desk) == {"0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "2024/deep.txt"}
    report, run = sync(desk, folder)
    assert report.plan.is_empty
    assert run.num_jobs == 0


def test_one_changed_paragraph_embeds_one_text(desk: Desk, folder: Path) -> None:
    sync(desk, folder)
    (folder / "3.txt").write_text("report 3\n\nthe valve broke")
    report, run = sync(desk, folder)
    assert report.plan.changed == ("3.txt",)
    assert run.num_embedded == 1


def test_touching_a_file_without_changing_it_is_nothing_to_do(desk: Desk, folder: Path) -> None:
    sync(desk, folder)
    (folder / "3.txt").touch()
    report, _ = sync(desk, folder)
    assert report.plan.is_empty


def test_a_removed_file_stays_until_prune(desk: Desk, folder: Path) -> None:
    sync(desk, folder)
    (folder / "0.txt").unlink()
    report, _ = sync(desk, folder)
    assert report.plan.removed == ("0.txt",)
    assert "0.txt" in names(desk)
    report, _ = sync(desk, folder, prune=True)
    assert report.removed == ("0.txt",)
    assert "0.txt" not in names(desk)


def test_prune_does_not_take_an_empty_folder_for_one_whose_files_were_deleted(
    desk: Desk, folder: Path
) -> None:
    sync(desk, folder)
    before = names(desk)
    moved = folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()
    with pytest.raises(Conflict, match=f"all {len(before)} documents") as caught:
        sync(desk, folder, prune=True)
    assert caught.value.code == "folder_empty"
    assert sync(desk, folder)[0].plan.removed == tuple(sorted(before))
    assert names(desk) == before
    folder.rmdir()
    moved.rename(folder)
    assert sync(desk, folder, prune=True)[0].plan.is_empty


def test_prune_leaves_uploads_and_other_folders_alone(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    desk.run(desk.upload("uploaded.txt", "by hand"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "other.txt").write_text("from elsewhere")
    sync(desk, other)
    sync(desk, folder, prune=True)
    assert {"uploaded.txt", "other.txt"} <= names(desk)


def test_two_syncs_of_one_base_exclude_each_other(desk: Desk, folder: Path) -> None:
    with desk.sync._exclusive(desk.base.id), pytest.raises(Conflict) as caught:
        sync(desk, folder)
    assert caught.value.code == "sync_running"


def test_a_folder_that_is_not_there_is_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="nowhere"):
        sync(desk, tmp_path / "nowhere", prune=True)


def test_a_file_that_cannot_be_read_is_rejected_beside_the_others(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(desk, folder)
    (folder / "new.txt").write_text("a new report")
    open_path: Any = Path.open

    def refuse(path: Path, *arguments: str, **named: str | None) -> Any:  # noqa: ANN401  a file
        if path.name == "3.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_path(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    report, run = sync(desk, folder, prune=True)
    outcomes = {name: (item.outcome, item.error) for name, item in report.uploads}
    assert outcomes["new.txt"][0] == "created"
    assert outcomes["3.txt"][0] == "rejected"
    assert getattr(outcomes["3.txt"][1], "code", None) == "unreadable_file"
    assert run.num_succeeded == 1
    assert "3.txt" in names(desk)


def test_prune_deletes_nothing_when_a_folder_cannot_be_listed(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(desk, folder)
    before, list_folder = names(desk), os.scandir

    def refuse(path: str) -> Any:  # noqa: ANN401  what os.scandir gives
        if str(path).endswith("2024"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match="2024") as error:
        sync(desk, folder, prune=True)
    assert error.value.code == "unreadable_folder"
    assert names(desk) == before


def test_links_are_not_followed(desk: Desk, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("outside the folder")
    (folder / "link.txt").symlink_to(secret)
    sync(desk, folder)
    assert "link.txt" not in names(desk)


@given(seen=NAMES, known=NAMES)
def test_applying_a_plan_makes_the_known_equal_to_the_seen(
    seen: dict[str, str], known: dict[str, str]
) -> None:
    plan = plan_sync(seen, known)
    result = {name: known[name] for name in plan.unchanged}
    result |= {name: seen[name] for name in (*plan.added, *plan.changed)}
    assert result == seen
    assert set(plan.removed) == known.keys() - seen.keys()
    assert not set(plan.changed) & set(plan.unchanged)
