"""A whole service whose original files lie in an object store: the parsing child gets a file."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.bootstrap import find_faults, open_services
from kb_service.settings import BlobSettings, RerankSettings, RetrievalSettings, Settings
from tests.sources.servers import S3Place

for _module in ("s3fs", "moto", "flask_cors", "boto3"):
    pytest.importorskip(_module, reason=f"the extra `sources` lacks {_module}")

PAGE = b"<html><body><h1>Report</h1><p>The pump failed at noon.</p></body></html>"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[S3Place]:
    made = S3Place(tmp_path)
    yield made
    made.stop()


def settings_of(place: S3Place, data_dir: Path) -> Settings:
    blobs = {"url": place.url, "timeout_s": 5, **place.account}
    return Settings(
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir.parent / 'kb.sqlite3'}",
        blobs=BlobSettings.model_validate(blobs),
        rerank=RerankSettings(model=""),
        retrieval=RetrievalSettings(dense_weight=0),
    )


def test_a_document_is_read_searched_and_given_out_by_a_machine_that_has_no_file_of_it(
    place: S3Place, tmp_path: Path
) -> None:
    services = open_services(settings_of(place, tmp_path / "first"))
    base = services.bases.create("reports")
    accepted = services.uploads.accept(base.id, "a.html", io.BytesIO(PAGE))
    assert accepted.document is not None
    services.close()
    another = settings_of(place, tmp_path / "second")
    services = open_services(another)
    end = services.starting.worker().run_once()
    assert end is not None
    path, document = services.documents.content(base.id, accepted.document.id, None)
    assert document.status == "ready", document.error
    assert path.read_bytes() == PAGE
    assert path.is_relative_to(tmp_path / "second")
    assert services.upkeep.verify()["is_clean"]
    services.close()
    told = {found.name: found for found in find_faults(another)}["blobs"]
    assert told.is_ok
    assert told.text == place.url


def test_a_store_that_is_away_is_named_by_the_doctor(place: S3Place, tmp_path: Path) -> None:
    place.stop()
    told = {found.name: found for found in find_faults(settings_of(place, tmp_path / "one"))}
    assert not told["blobs"].is_ok
    assert "hunter2" not in told["blobs"].text
