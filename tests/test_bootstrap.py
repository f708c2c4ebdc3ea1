"""The composition root: what it builds says which model cannot be loaded."""

import io
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb_service.bootstrap import find_faults, open_services
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.queries import Reranking
from kb_service.model_parts import build_models
from kb_service.parts import build_parts
from kb_service.services.searching import SearchRequest
from kb_service.settings import EmbeddingSettings, LlmSettings, RerankSettings, Settings
from tests.retrievers.tiny_cross_encoder import write_tiny_cross_encoder


def test_models_that_are_not_there_are_replaced_and_named(tmp_path: Path) -> None:
    services = open_services(
        Settings(
            data_dir=tmp_path,
            embedding=EmbeddingSettings(model=str(tmp_path / "nowhere")),
            llm=LlmSettings(model=str(tmp_path / "no-checkpoint")),
        )
    )
    parts = ("embedder", "reranker", "reader", "generator")
    waiting = services.readiness.waiting()
    assert {part: error.code for part, error in waiting.items()} == dict.fromkeys(parts, "loading")
    services.readiness.warm_up()
    assert services.readiness.waiting() == {}
    reasons = services.readiness.replaced()
    assert "nowhere" in reasons["embedder"].message
    assert "no-checkpoint" in reasons["generator"].message
    assert services.readiness.generator_info().name == "extractive-reader"
    services.close()


def test_readiness_names_a_setting_that_cannot_be_used(tmp_path: Path) -> None:
    address = "http://user:secret@127.0.0.1:9/v1"
    services = open_services(Settings(data_dir=tmp_path, llm=LlmSettings(model=address)))
    services.readiness.warm_up()
    assert services.readiness.replaced() == {}
    assert "no plain address" in services.readiness.waiting()["generator"].message
    services.close()


def test_a_reranker_that_cannot_be_loaded_is_left_out_and_told(tmp_path: Path) -> None:
    rerank = RerankSettings(model=str(tmp_path / "no-reranker"))
    settings = Settings(data_dir=tmp_path / "data", rerank=rerank)
    services = open_services(settings)
    assert services.readiness.waiting()["reranker"].code == "loading"
    services.readiness.warm_up()
    assert services.readiness.waiting() == {}
    assert "no-reranker does not exist" in services.readiness.replaced()["reranker"].message
    base = services.bases.create("reports")
    assert services.searching.search(SearchRequest(base.id, "valve")).reranking is None
    finding = {found.name: found for found in find_faults(settings)}
    assert not finding["reranking model"].is_ok
    assert "searches keep the order" in finding["reranking model"].text
    services.close()


def test_a_reranker_reads_the_candidates_of_a_search(tmp_path: Path) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "tiny-reranker")
    rerank = RerankSettings(model=str(folder), threads=1, candidates=7)
    settings = Settings(data_dir=tmp_path / "data", rerank=rerank)
    services = open_services(settings)
    base = services.bases.create("reports")
    found = services.searching.search(SearchRequest(base.id, "valve"))
    assert found.reranking == Reranking("tiny-reranker", 0, 0)
    text = {found.name: found.text for found in find_faults(settings)}["reranking model"]
    assert text.startswith("tiny-reranker, first 7 candidates, weight 0.15;")
    assert "files match their checksums" in text
    services.close()


@pytest.mark.parametrize(("name", "value"), [("weight", 0.0), ("weight", 1.1), ("candidates", 1)])
def test_a_setting_of_the_reranker_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=f"{name}(.|\n)*{value}"):
        RerankSettings.model_validate({name: value})


def test_a_damaged_database_is_not_ready_and_the_doctor_says_so(tmp_path: Path) -> None:
    """Searches failed while readiness said that all was well."""
    settings = Settings(data_dir=tmp_path)
    parts = build_parts(settings, build_models(settings))
    with parts.storage().database.engine.connect() as connection:
        statement = "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'"
        page = connection.exec_driver_sql(statement).scalar_one()
    parts.close()
    with (tmp_path / "kb.sqlite3").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"torn" * 1024)
    torn = open_services(settings)
    torn.readiness.warm_up()
    reason = torn.readiness.waiting()["database"]
    assert reason.code == "database_damaged"
    assert "kb verify" in reason.message
    assert str(tmp_path) not in reason.message  # anybody may ask
    finding = {found.name: found for found in find_faults(settings)}["database"]
    assert (finding.is_ok, "damaged" in finding.text) == (False, True)
    report = torn.upkeep.verify()
    assert (report["is_clean"], bool(report["damaged"])) == (False, True)
    torn.close()


def test_files_whose_database_is_gone_are_kept_and_the_start_is_refused(tmp_path: Path) -> None:
    """A new database beside them knows none of them: the next sweep would have removed them all."""
    settings = Settings(data_dir=tmp_path)
    services = open_services(settings)
    kb_id = services.bases.create("reports").id
    services.uploads.accept(kb_id, "a.txt", io.BytesIO(b"the only copy"))
    services.close()
    for path in tmp_path.glob("kb.sqlite3*"):
        path.unlink()
    for _ in range(2):  # looking leaves an empty file, which is no database either
        with pytest.raises(ConfigurationError) as error:
            open_services(settings)
        assert error.value.code == "database_missing"
    assert [path.read_bytes() for path in tmp_path.glob("blobs/*/*/*")] == [b"the only copy"]
