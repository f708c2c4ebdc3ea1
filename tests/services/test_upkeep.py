"""A base goes from database, blobs and indexes; what a crash left in between is told and swept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.bootstrap import compose
from kb_service.domain.errors import NotFound, StorageError
from kb_service.model_parts import build_models
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.bases import BaseService
from kb_service.services.upkeep import refresh
from kb_service.settings import Settings
from kb_service.storage.catalog import Catalog
from tests.services.conftest import Desk
from tests.services.fakes import NoIndex


def test_a_base_is_gone_even_when_its_index_files_stay(desk: Desk) -> None:
    def refuse(kb_id: str) -> None:
        raise StorageError(f"cannot remove {kb_id}")

    BaseService(desk.catalog, refuse).delete(desk.base.name)
    with pytest.raises(NotFound):
        desk.catalog.bases.get(desk.base.id)


def test_nothing_is_dropped_of_a_base_that_is_not_there(desk: Desk) -> None:
    dropped: list[str] = []
    with pytest.raises(NotFound):
        BaseService(desk.catalog, dropped.append).delete("kb_nowhere")
    assert dropped == []


def test_one_base_that_cannot_be_published_does_not_stop_the_others(desk: Desk) -> None:
    class Refusing(NoIndex):
        def refresh(self, kb_id: str) -> None:
            super().refresh(kb_id)
            raise StorageError("full", code="disk_full")

    bases, retriever = [desk.base, desk.catalog.bases.create("second")], Refusing()
    refresh(bases, retriever)
    assert retriever.refreshed == [base.id for base in bases]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[ServiceParts]:
    settings = Settings(data_dir=tmp_path)
    made = build_parts(settings, build_models(settings))
    yield made
    made.close()


def test_the_index_of_a_base_whose_deletion_was_cut_short_is_told_and_swept(
    parts: ServiceParts, tmp_path: Path
) -> None:
    services = compose(parts)
    kept, gone = (services.bases.create(name).id for name in ("kept", "gone"))
    for kb_id in (kept, gone):
        (tmp_path / "index" / kb_id / "gen-1-00000000").mkdir(parents=True)
    Catalog(parts.storage().database, parts.blobs).bases.delete(gone)  # and here the process died
    report = services.upkeep.verify()
    assert (report["is_clean"], report["orphaned"]) == (
        False,
        (f"index of {gone}, which is no base",),
    )
    services.upkeep.sweep()
    assert [path.name for path in (tmp_path / "index").iterdir()] == [kept]
    assert services.upkeep.verify()["is_clean"]


@pytest.mark.parametrize("is_searching", [False, True])
def test_deleting_a_base_removes_its_index_and_loads_no_model(
    parts: ServiceParts, tmp_path: Path, *, is_searching: bool
) -> None:
    if is_searching:
        assert parts.retriever()
    bases = compose(parts).bases
    kb_id = bases.create("base").id
    (tmp_path / "index" / kb_id / "gen-1-00000000").mkdir(parents=True)
    bases.delete(kb_id)
    assert not list((tmp_path / "index").iterdir())
    assert (parts.models.embedder.built is not None) == is_searching
