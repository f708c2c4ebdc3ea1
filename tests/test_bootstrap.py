"""The composition root: parts are built once, and it says which cannot be loaded."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb_service.bootstrap import Application
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.queries import Query, Reranking
from kb_service.language.asked import parse_question
from kb_service.services.diagnosis import diagnose
from kb_service.settings import EmbeddingSettings, LlmSettings, RerankSettings, Settings
from tests.retrievers.tiny_cross_encoder import write_tiny_cross_encoder


def test_models_that_are_not_there_are_replaced_and_named(tmp_path: Path) -> None:
    application = Application(
        Settings(
            data_dir=tmp_path,
            embedding=EmbeddingSettings(model=str(tmp_path / "nowhere")),
            llm=LlmSettings(model=str(tmp_path / "no-checkpoint")),
        )
    )
    parts = ("embedder", "reranker", "generator")
    waiting = application.readiness()
    assert {part: error.code for part, error in waiting.items()} == dict.fromkeys(parts, "loading")
    application.warm_up()
    assert application.readiness() == {}
    reasons = application.degraded()
    assert "nowhere" in reasons["embedder"].message
    assert "no-checkpoint" in reasons["generator"].message
    assert application.generator.info.name == "extractive-reader"


def test_readiness_names_a_setting_that_cannot_be_used(tmp_path: Path) -> None:
    address = "http://user:secret@127.0.0.1:9/v1"
    application = Application(Settings(data_dir=tmp_path, llm=LlmSettings(model=address)))
    application.warm_up()
    assert application.degraded() == {}
    assert "no plain address" in application.readiness()["generator"].message


def test_threads_that_ask_first_at_the_same_time_share_one_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    both_ask = threading.Barrier(2)

    def slow_store(folder: Path) -> object:
        built.append(folder)
        time.sleep(0.05)
        return object()

    def ask(application: Application) -> object:
        both_ask.wait(5)
        return application.blobs

    monkeypatch.setattr("kb_service.bootstrap.BlobStore", slow_store)
    application = Application(Settings(data_dir=tmp_path))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, [application, application])
    assert first is second
    assert len(built) == 1


def test_a_reranker_that_cannot_be_loaded_is_left_out_and_told(tmp_path: Path) -> None:
    rerank = RerankSettings(model=str(tmp_path / "no-reranker"))
    application = Application(Settings(data_dir=tmp_path / "data", rerank=rerank))
    assert application.readiness()["reranker"].code == "loading"
    application.warm_up()
    assert application.readiness() == {}
    assert "no-reranker does not exist" in application.degraded()["reranker"].message
    base = application.catalog.create_kb("reports")
    found = application.retriever.retrieve(Query(base.id, parse_question("valve")))
    assert found.reranking is None
    finding = {f.name: f for f in diagnose(application.settings, application.checks())}
    assert not finding["reranking model"].is_ok
    assert "searches keep the order" in finding["reranking model"].text
    application.close()


def test_a_reranker_reads_the_candidates_of_a_search(tmp_path: Path) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "tiny-reranker")
    rerank = RerankSettings(model=str(folder), budget_ms=30_000, threads=1, candidates=7)
    application = Application(Settings(data_dir=tmp_path / "data", rerank=rerank))
    base = application.catalog.create_kb("reports")
    found = application.retriever.retrieve(Query(base.id, parse_question("valve")))
    assert found.reranking == Reranking("tiny-reranker", 0, 0, 30.0)
    text = application.checks()["reranking model"]()
    assert text.startswith("tiny-reranker, first 7 candidates, 30000 ms at most, weight 0.15;")
    assert "files match their checksums" in text
    application.close()


@pytest.mark.parametrize(
    ("name", "value"), [("weight", 0.0), ("weight", 1.1), ("candidates", 1), ("budget_ms", 0)]
)
def test_a_setting_of_the_reranker_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=f"{name}(.|\n)*{value}"):
        RerankSettings.model_validate({name: value})


def test_a_damaged_database_is_not_ready_and_the_doctor_says_so(tmp_path: Path) -> None:
    """Searches failed while readiness said that all was well."""
    settings = Settings(data_dir=tmp_path)
    application = Application(settings)
    with application.database.engine.connect() as connection:
        statement = "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'"
        page = connection.exec_driver_sql(statement).scalar_one()
    application.close()
    with (tmp_path / "kb.sqlite3").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"torn" * 1024)
    torn = Application(settings)
    torn.warm_up()
    assert torn.readiness()["database"].code == "database_damaged"
    assert "kb verify" in torn.readiness()["database"].message
    assert str(tmp_path) not in torn.readiness()["database"].message  # anybody may ask
    finding = {found.name: found for found in diagnose(settings, torn.checks())}["database"]
    assert (finding.is_ok, "damaged" in finding.text) == (False, True)
    report = torn.verify()
    assert (report["is_clean"], bool(report["damaged"])) == (False, True)
    torn.close()


def test_files_whose_database_is_gone_are_kept_and_the_start_is_refused(tmp_path: Path) -> None:
    """A new database beside them knows none of them: the next sweep would have removed them all."""
    settings = Settings(data_dir=tmp_path)
    application = Application(settings)
    kb_id = application.catalog.create_kb("reports").id
    application.uploads.accept(kb_id, "a.txt", io.BytesIO(b"the only copy"))
    application.close()
    for path in tmp_path.glob("kb.sqlite3*"):
        path.unlink()
    for _ in range(2):  # looking leaves an empty file, which is no database either
        again = Application(settings)
        with pytest.raises(ConfigurationError) as error:
            again.sweep()
        assert error.value.code == "database_missing"
        again.close()
    assert [path.read_bytes() for path in tmp_path.glob("blobs/*/*/*")] == [b"the only copy"]
