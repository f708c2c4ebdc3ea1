"""Two folders, or a folder and a person, with one name for different files: each keeps its own."""

import hashlib
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.services.conftest import Desk
from tests.services.test_sync import followed, names, sync


def folder_of(place: Path, name: str, words: str) -> Path:
    place.mkdir(exist_ok=True)
    (place / name).write_text(words)
    return place


def texts(desk: Desk) -> dict[str, str]:
    return {
        document.name: desk.catalog.revisions.text(desk.base.id, document.id)[1]
        for document in desk.catalog.documents.list(desk.base.id).items
    }


def test_two_folders_with_one_name_have_a_document_each(desk: Desk, tmp_path: Path) -> None:
    first = folder_of(tmp_path / "a", "report.txt", "of a")
    second = folder_of(tmp_path / "b", "report.txt", "of b")
    outcomes = [sync(desk, place)[0].uploads[0][1].outcome for place in (first, second)]
    assert outcomes == ["created", "kept_both"]
    assert texts(desk) == {"report.txt": "of a", "report (2).txt": "of b"}
    for place in (first, second):
        report, run = sync(desk, place, prune=True)
        assert report.plan.is_empty
        assert (report.plan.unchanged, run.num_jobs) == (("report.txt",), 0)


def test_each_folder_revises_and_prunes_its_own(desk: Desk, tmp_path: Path) -> None:
    first = folder_of(tmp_path / "a", "report.txt", "of a")
    second = folder_of(tmp_path / "b", "report.txt", "of b")
    for place in (first, second):
        sync(desk, place)
    folder_of(second, "report.txt", "of b, later")
    report, _ = sync(desk, second)
    assert (report.plan.changed, report.uploads[0][1].outcome) == (("report.txt",), "revised")
    assert texts(desk) == {"report.txt": "of a", "report (2).txt": "of b, later"}
    (second / "report.txt").unlink()
    assert sync(desk, second, prune=True)[0].removed == ("report.txt",)
    assert texts(desk) == {"report.txt": "of a"}


def test_a_folder_does_not_take_an_upload_of_its_name(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.upload("été.txt", "by hand"))
    name = unicodedata.normalize("NFD", "été.txt")
    place = folder_of(tmp_path / "a", name, "of the folder")
    for _ in range(2):
        sync(desk, place)
    assert texts(desk) == {"été.txt": "by hand", "été (2).txt": "of the folder"}
    (place / name).unlink()
    sync(desk, place, prune=True)
    assert names(desk) == {"été.txt"}


def test_a_folder_goes_on_with_a_document_that_a_person_revised(desk: Desk, tmp_path: Path) -> None:
    place = folder_of(tmp_path / "a", "report.txt", "of the folder")
    sync(desk, place)
    desk.run(desk.upload("report.txt", "by hand"))
    report, _ = sync(desk, place)
    assert [item.outcome for _, item in report.uploads] == ["revised"]
    assert texts(desk) == {"report.txt": "of the folder"}
    document = desk.catalog.documents.list(desk.base.id).items[0]
    assert len(document.versions) == 3


def test_the_same_bytes_in_two_folders_are_one_document_that_each_may_follow(
    desk: Desk, tmp_path: Path
) -> None:
    first = folder_of(tmp_path / "a", "report.txt", "of a")
    second = folder_of(tmp_path / "b", "report.txt", "of b")
    for place in (first, second):
        sync(desk, place)
    third = folder_of(tmp_path / "c", "report (2).txt", "of b")
    sync(desk, third)
    report, _ = sync(desk, third, prune=True)
    assert (report.plan.unchanged, report.removed) == (("report (2).txt",), ())
    sync(desk, second)
    assert sync(desk, second, prune=True)[0].plan.is_empty
    assert texts(desk) == {"report.txt": "of a", "report (2).txt": "of b"}


@pytest.mark.parametrize("is_first", [True, False], ids=["upload first", "sync first"])
@pytest.mark.parametrize("is_same", [True, False], ids=["the same bytes", "other bytes"])
def test_an_upload_and_a_sync_of_one_name_at_once_lose_nothing(
    desk: Desk, tmp_path: Path, *, is_same: bool, is_first: bool
) -> None:
    """The other one comes while the first has been decided and not yet written."""
    words = "of the folder" if is_same else "by hand"
    place = folder_of(tmp_path / "a", "report.txt", "of the folder")
    with ThreadPoolExecutor(2) as pool:
        upload = partial(pool.submit, desk.upload, "report.txt", words)
        follow = partial(pool.submit, desk.sync.run, desk.base.id, followed(place), prune=False)
        with desk.database.write():  # both have to wait for this one
            order = (upload, follow) if is_first else (follow, upload)
            waiting = [start() for start in order]
        done = [future.result(timeout=30) for future in waiting]
    assert len(done) == 2
    documents = desk.catalog.documents.list(desk.base.id).items
    kept = [version.sha256 for document in documents for version in document.versions]
    contents = {words, "of the folder"}
    assert sorted(kept) == sorted(hashlib.sha256(text.encode()).hexdigest() for text in contents)
    while desk.worker.run_once():
        pass
    # Afterwards the folder has its words where it knows them, and a further run finds no change.
    report, _ = sync(desk, place)
    assert "of the folder" in texts(desk).values()
    assert sync(desk, place)[0].plan.unchanged == ("report.txt",)
    assert report.plan.added == ()


def test_two_folders_with_the_same_bytes_of_one_name_have_one_document(
    desk: Desk, tmp_path: Path
) -> None:
    for place in ("a", "b"):
        sync(desk, folder_of(tmp_path / place, "report.txt", "the same"))
    documents = desk.catalog.documents.list(desk.base.id).items
    assert [(item.name, len(item.versions)) for item in documents] == [("report.txt", 1)]


def test_after_a_failure_a_folder_and_a_person_each_keep_their_own(
    desk: Desk, tmp_path: Path
) -> None:
    place = folder_of(tmp_path / "a", "report.txt", "BROKEN of the folder")
    sync(desk, place)
    desk.run(desk.upload("report.txt", "by hand"))
    assert texts(desk) == {"report.txt": "by hand"}
    folder_of(place, "report.txt", "of the folder, mended")
    sync(desk, place)
    document = desk.catalog.documents.list(desk.base.id).items[0]
    contents = ("of the folder, mended", "by hand", "BROKEN of the folder")
    assert [version.sha256 for version in document.versions] == [
        hashlib.sha256(content.encode()).hexdigest() for content in contents
    ]
