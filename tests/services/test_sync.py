"""A folder followed: only what changed is done, and nothing else is ever touched."""

import errno
import io
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.domain.errors import Conflict, InvalidRequest, StorageError
from kb_service.domain.sync import plan_sync
from kb_service.services.folders import LocalFolder
from kb_service.services.ingest_run import IngestRun
from kb_service.services.sync import SyncReport, SyncService
from kb_service.services.uploads import UploadService
from tests.services.conftest import MAX_FILE_BYTES, Desk

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


def followed(folder: Path) -> LocalFolder:
    return LocalFolder(folder, folder.parent)


def sync(desk: Desk, folder: Path, *, prune: bool = False) -> tuple[SyncReport, IngestRun]:
    report = desk.sync.run(desk.base.id, followed(folder), prune=prune)
    return report, desk.run(*(item for _, item in report.uploads))


def names(desk: Desk) -> set[str]:
    return {document.name for document in desk.catalog.documents.list(desk.base.id).items}


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
    desk.embed()
    desk.embedder.embedded.clear()
    (folder / "3.txt").write_text("report 3\n\nthe valve broke")
    report, _ = sync(desk, folder)
    assert report.plan.changed == ("3.txt",)
    desk.embed()
    assert len(desk.embedder.embedded) == 1


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
    with pytest.raises(Conflict, match=f"all that came from it, {len(before)} documents") as caught:
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


CLUTTER = [
    "~$report.docx", "2024/~$plan.xlsx", "Thumbs.db", "desktop.ini", ".DS_Store", ".~lock.a.odt#",
    "~WRL0005.tmp", "a.tmp", "video.mp4.part", "big.zip.crdownload", "notes.txt~", "#notes.txt#",
    ".git/HEAD", "__MACOSX/a.txt", "$RECYCLE.BIN/b.txt", "a.pdf:Zone.Identifier", "EHTHUMBS.DB",
]  # fmt: skip


def test_what_programs_leave_behind_is_skipped_and_counted(desk: Desk, folder: Path) -> None:
    for name in CLUTTER:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\x00\x05user" * 27)
    report, _ = sync(desk, folder)
    assert {item.outcome for _, item in report.uploads} == {"created"}
    assert report.plan.num_skipped == len(CLUTTER) + 1  # .hidden too
    assert sync(desk, folder)[0].plan.is_empty
    assert names(desk) == {"0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "2024/deep.txt"}


@pytest.mark.parametrize(
    "name", ["report$.docx", "temp.txt", "part.txt", "~a.txt", "thumbs.db.txt", "tmp/a.txt"]
)
def test_a_name_like_clutter_is_a_document(desk: Desk, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("a report")
    sync(desk, folder)
    assert name in names(desk)


def test_a_document_with_the_name_of_clutter_is_followed_on(desk: Desk, folder: Path) -> None:
    stream = io.BytesIO(b"minutes")
    desk.uploads.accept(desk.base.id, "minutes.tmp", stream, origin=followed(folder).origin)
    (folder / "minutes.tmp").write_text("minutes")
    report, _ = sync(desk, folder, prune=True)
    assert "minutes.tmp" in report.plan.unchanged
    assert "minutes.tmp" in names(desk)


def test_a_refused_content_is_a_failure_once_and_told_until_it_changes(
    desk: Desk, folder: Path
) -> None:
    (folder / "empty.txt").touch()
    first, _ = sync(desk, folder)
    assert dict(first.uploads)["empty.txt"].outcome == "rejected"
    for _ in range(2):
        again, _ = sync(desk, folder)
        assert (again.plan.is_empty, again.uploads) == (True, ())
        assert again.refused["empty.txt"].code == "empty_document"
    (folder / "empty.txt").write_text("no longer")
    assert sync(desk, folder)[0].plan.added == ("empty.txt",)
    assert sync(desk, folder)[0].refused == {}


def test_a_refusal_is_tried_again_under_other_limits_and_forgotten_with_its_file_and_base(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    (folder / "big.txt").write_text("x" * (MAX_FILE_BYTES + 1))
    (folder / "empty.txt").touch()
    sync(desk, folder)
    larger = UploadService(
        desk.catalog, desk.blobs, lambda name, head: "text/plain", MAX_FILE_BYTES + 1
    )
    report = SyncService(desk.catalog, larger, tmp_path).run(
        desk.base.id, followed(folder), prune=False
    )
    assert {name: item.outcome for name, item in report.uploads} == {
        "big.txt": "created", "empty.txt": "rejected",
    }  # fmt: skip
    (folder / "empty.txt").unlink()
    assert sync(desk, folder)[0].refused == {}
    other = desk.catalog.bases.create("other")
    desk.catalog.bases.delete(desk.base.id)
    desk.sync.run(other.id, followed(folder), prune=False)
    assert not list((tmp_path / "sync").glob(f"{desk.base.id}*"))


def test_a_lost_memory_of_refusals_is_no_failure(desk: Desk, folder: Path, tmp_path: Path) -> None:
    (folder / "empty.txt").touch()
    sync(desk, folder)
    (tmp_path / "sync" / f"{desk.base.id}.json").write_text("{")
    assert dict(sync(desk, folder)[0].uploads)["empty.txt"].outcome == "rejected"


def test_a_file_is_followed_in_whatever_unicode_form_its_name_is(desk: Desk, folder: Path) -> None:
    apart = unicodedata.normalize("NFD", "été.txt")
    (folder / apart).write_text("an old report")
    sync(desk, folder)
    assert "été.txt" in names(desk)
    assert sync(desk, folder, prune=True)[0].plan.is_empty
    (folder / apart).rename(folder / "été.txt")
    assert sync(desk, folder, prune=True)[0].plan.is_empty
    (folder / apart).write_text("another report of the same name")
    report, _ = sync(desk, folder)
    ((name, item),) = report.uploads
    assert (name, getattr(item.error, "code", None)) == (apart, "name_taken")
    again, _ = sync(desk, folder, prune=True)
    assert (again.uploads, list(again.refused)) == ((), [apart])
    assert "été.txt" in names(desk)


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
