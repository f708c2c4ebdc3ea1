"""Two folders, or a folder and a person, with one name for different files: each keeps its own."""

import unicodedata
from pathlib import Path

from tests.services.conftest import Desk
from tests.services.test_sync import names, sync


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
