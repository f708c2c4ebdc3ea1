"""A base goes from database, blobs and indexes; what a crash left in between is told and swept."""

from pathlib import Path

import pytest

from kb_service.bootstrap import Application
from kb_service.domain.errors import NotFound, StorageError
from kb_service.services.upkeep import delete_base, refresh
from kb_service.settings import Settings
from tests.services.conftest import Desk
from tests.services.fakes import NoIndex


def test_a_base_is_gone_even_when_its_index_files_stay(desk: Desk) -> None:
    def refuse(kb_id: str) -> None:
        raise StorageError(f"cannot remove {kb_id}")

    delete_base(desk.catalog, refuse, desk.base.id)
    with pytest.raises(NotFound):
        desk.catalog.get_kb(desk.base.id)


def test_nothing_is_dropped_of_a_base_that_is_not_there(desk: Desk) -> None:
    dropped: list[str] = []
    with pytest.raises(NotFound):
        delete_base(desk.catalog, dropped.append, "kb_nowhere")
    assert dropped == []


def test_one_base_that_cannot_be_published_does_not_stop_the_others(desk: Desk) -> None:
    class Refusing(NoIndex):
        def refresh(self, kb_id: str) -> None:
            super().refresh(kb_id)
            raise StorageError("full", code="disk_full")

    bases, retriever = [desk.base, desk.catalog.create_kb("second")], Refusing()
    refresh(bases, retriever)
    assert retriever.refreshed == [base.id for base in bases]


@pytest.fixture
def application(tmp_path: Path) -> Application:
    return Application(Settings(data_dir=tmp_path))


def test_the_index_of_a_base_whose_deletion_was_cut_short_is_told_and_swept(
    application: Application, tmp_path: Path
) -> None:
    kept = application.catalog.create_kb("kept").id
    gone = application.catalog.create_kb("gone").id
    for kb_id in (kept, gone):
        (tmp_path / "index" / kb_id / "gen-1-00000000").mkdir(parents=True)
    application.catalog.delete_kb(gone)  # and here the process died
    report = application.verify()
    assert (report["is_clean"], report["orphaned"]) == (
        False,
        (f"index of {gone}, which is no base",),
    )
    application.sweep()
    assert [path.name for path in (tmp_path / "index").iterdir()] == [kept]
    assert application.verify()["is_clean"]
    application.close()


@pytest.mark.parametrize("is_searching", [False, True])
def test_deleting_a_base_removes_its_index_and_loads_no_model(
    application: Application, tmp_path: Path, *, is_searching: bool
) -> None:
    if is_searching:
        assert application.retriever
    kb_id = application.catalog.create_kb("base").id
    (tmp_path / "index" / kb_id / "gen-1-00000000").mkdir(parents=True)
    application.delete_base(kb_id)
    assert not list((tmp_path / "index").iterdir())
    assert ("embedder" in application.__dict__) == is_searching
    application.close()
