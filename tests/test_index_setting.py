"""A service whose index is named by a setting: what it tells and finds while that is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb_service.bootstrap import find_faults, open_services
from kb_service.operations import Services
from kb_service.services.searching import SearchRequest
from kb_service.settings import IndexSettings, RerankSettings, RetrievalSettings, Settings
from tests.retrievers.engines import NO_MILVUS, Server


def settings_of(folder: Path, url: str) -> Settings:
    return Settings(
        data_dir=folder,
        rerank=RerankSettings(model=""),
        retrieval=RetrievalSettings(dense_weight=0.5),
        index=IndexSettings(url=url, timeout_s=5.0),
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Milvus that is not started yet."""
    pytest.importorskip("pymilvus", reason=NO_MILVUS)
    pytest.importorskip("milvus_lite", reason=NO_MILVUS)
    made = Server(tmp_path / "milvus")
    yield made
    made.kill()


def ingest(services: Services, folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    services.intake.take_in("reports", [folder / name], is_waiting=True)


def legs_of(services: Services, question: str) -> set[str]:
    """By which legs the first passage of a search was found."""
    base = services.bases.show("reports")
    found = services.searching.search(SearchRequest(base.id, question))
    return set(found.items[0].ranks) if found.items else set()


def test_words_are_found_while_the_index_is_away_and_everything_once_it_is_back(
    server: Server, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "data", server.url)
    services = open_services(settings)
    services.readiness.warm_up()
    ingest(services, tmp_path, "a.txt", "The valve of hall 3 leaked on 17 August 2024.\n")
    assert legs_of(services, "valve") == {"lexical"}
    status = services.readiness.status()
    assert (dict(status.missing), status.impaired["index"].code) == ({}, "index_unavailable")
    assert "words alone" in status.impaired["index"].message
    [told] = [found for found in find_faults(settings) if found.name == "index"]
    assert (told.is_ok, f"Milvus at {server.url}" in told.text) == (False, True)
    report = services.upkeep.verify()
    assert not report["is_clean"] and "Milvus" in str(report["damaged"])
    server.start()
    until = time.monotonic() + 60
    while services.readiness.status().impaired and time.monotonic() < until:
        time.sleep(0.5)
        services.readiness.follow()
    assert dict(services.readiness.status().impaired) == {}
    assert legs_of(services, "valve") == {"lexical", "dense"}
    assert services.upkeep.verify()["is_clean"]
    [told] = [found for found in find_faults(settings) if found.name == "index"]
    assert (told.is_ok, "1 base;" in told.text) == (True, True)
    services.reindexing.reindex("reports")
    base = services.bases.show("reports")
    services.bases.delete(base.id)
    [told] = [found for found in find_faults(settings) if found.name == "index"]
    assert "0 bases" in told.text
    services.close()


def test_without_the_setting_segments_are_in_force(tmp_path: Path) -> None:
    [told] = [f for f in find_faults(settings_of(tmp_path, "")) if f.name == "index"]
    assert (told.is_ok, told.text) == (True, f"segments in {tmp_path / 'index'}")


@pytest.mark.parametrize("url", ["http://me:secret@milvus:19530", "milvus:19530", "ftp://m", "/x"])
def test_an_address_that_is_none_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(ValidationError, match="not an address such as"):
        IndexSettings(url=url)


@pytest.mark.parametrize("prefix", ["", "9a", "a-b", "a_b", "a b", "x" * 33])
def test_a_prefix_that_no_collection_may_have_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError):
        IndexSettings(prefix=prefix)
