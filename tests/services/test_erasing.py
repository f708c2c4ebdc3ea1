"""A deletion is shown to be complete: `kb verify --deleted`, and the indexes that forget."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb_service.bootstrap import compose
from kb_service.domain.errors import NotFound, StorageError
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import build_parts
from kb_service.services.erasing import SETTLE, ErasureService
from kb_service.services.searching import SearchRequest
from kb_service.settings import Settings
from kb_service.storage.erasure import Erasures
from tests.services.conftest import Desk

WORD = "Quetzalcoatl"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path / "data")
    made = compose(build_parts(settings, build_models(settings)))
    yield made
    made.close()


def ingest(services: Services, folder: Path) -> str:
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"The pump {number} of hall {number} leaked.")
    (folder / "secret.txt").write_text(f"{WORD} signed the order.")
    services.intake.take_in("reports", [folder], is_waiting=True)
    return services.documents.find("reports", "secret.txt").document.id


def places_with(folder: Path, word: str) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and word.encode() in path.read_bytes()
    ]


def test_no_byte_of_a_deleted_document_stays_in_the_data_folder(
    services: Services, tmp_path: Path
) -> None:
    document_id = ingest(services, tmp_path / "reports")
    kb_id = services.bases.show("reports").id
    assert services.searching.search(SearchRequest(kb_id, WORD)).items
    assert places_with(tmp_path / "data", WORD)
    assert not services.erasing.check(document_id).is_complete
    services.documents.delete(kb_id, document_id)
    services.erasing.erase(kb_id)
    services.searching.search(SearchRequest(kb_id, "pump"))
    erasure = services.erasing.check(document_id)
    assert erasure.is_complete, erasure.places
    assert erasure.receipt is not None
    assert places_with(tmp_path / "data", WORD) == []
    assert places_with(tmp_path / "data", WORD.lower()) == []
    assert len(services.searching.search(SearchRequest(kb_id, "pump")).items) == 3


def test_what_was_never_here_has_no_receipt(services: Services) -> None:
    for document_id in ("doc_0123", ""):
        with pytest.raises(NotFound) as error:
            services.erasing.check(document_id)
        assert error.value.code == "deletion_not_found"


class Index:
    """Holds what it was told of until it is made anew."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.rebuilt: list[str] = []

    def traces(self, kb_id: str, document_ids: set[str]) -> tuple[int, list[str]]:
        return 1, [f"index of {kb_id}"] if self.held & set(document_ids) else []

    def rebuild(self, kb_id: str) -> None:
        self.rebuilt.append(kb_id)
        self.held.clear()


def test_a_worker_makes_an_index_anew_once_for_many_deletions(desk: Desk) -> None:
    index, now = Index(), [datetime.now(UTC)]
    erasures = Erasures(desk.database, desk.blobs)
    service = ErasureService(lambda: erasures, index, index.rebuild, lambda: now[0])  # type: ignore[arg-type]
    assert not service.step()
    ids = [
        item.document.id
        for item in (desk.upload("a", "one"), desk.upload("b", "two"))
        if item.document
    ]
    for document_id in ids:
        desk.catalog.documents.delete(desk.base.id, document_id)
    index.held |= set(ids)
    assert not service.step()  # others may follow
    found = service.check(ids[0])
    assert not found.is_complete
    now[0] += SETTLE + timedelta(seconds=5)
    assert service.step()
    assert not service.step()
    assert index.rebuilt == [desk.base.id]
    assert all(service.check(document_id).is_complete for document_id in ids)
    with pytest.raises(NotFound):
        service.check(ids[0], "kb_of_others")


def test_an_index_that_is_away_is_left_alone_for_a_while_and_then_forgets(desk: Desk) -> None:
    """A worker that waited for it over and over took no job meanwhile."""
    index, now, looked = Index(), [datetime.now(UTC)], []
    away = [StorageError("cannot ask", code="index_failed")]

    def look(kb_id: str, document_ids: set[str]) -> tuple[int, list[str]]:
        looked.append(kb_id)
        if away:
            raise away[0]
        return 1, [kb_id]

    index.traces = look  # type: ignore[method-assign]
    erasures = Erasures(desk.database, desk.blobs)
    service = ErasureService(lambda: erasures, index, index.rebuild, lambda: now[0])  # type: ignore[arg-type]
    uploaded = desk.upload("a", "one").document
    assert uploaded is not None
    desk.catalog.documents.delete(desk.base.id, uploaded.id)
    now[0] += SETTLE + timedelta(seconds=5)
    assert not service.step()
    assert not service.step()
    assert looked == [desk.base.id]
    away.clear()
    now[0] += SETTLE
    assert service.step()
    assert index.rebuilt == [desk.base.id]
    assert not service.step()
