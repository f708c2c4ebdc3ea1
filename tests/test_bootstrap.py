"""The composition root: parts are built once, and it says which cannot be loaded."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb_service.bootstrap import Application
from kb_service.settings import EmbeddingSettings, LlmSettings, Settings
from tests.conftest import ROOT


def test_models_that_are_not_there_are_replaced_and_named(tmp_path: Path) -> None:
    application = Application(
        Settings(
            data_dir=tmp_path,
            embedding=EmbeddingSettings(model=str(tmp_path / "nowhere")),
            llm=LlmSettings(model=str(tmp_path / "no-checkpoint")),
        )
    )
    assert application.readiness() == {"embedder": "loading", "generator": "loading"}
    application.warm_up()
    assert application.readiness() == {}
    reasons = application.degraded()
    assert "nowhere" in reasons["embedder"]
    assert "no-checkpoint" in reasons["generator"]
    assert application.generator.info.name == "extractive-reader"


def test_readiness_names_a_setting_that_does_not_fit_the_model(tmp_path: Path) -> None:
    pocket = str(ROOT / "models" / "pocket-reader")
    application = Application(
        Settings(data_dir=tmp_path, llm=LlmSettings(model=pocket, quantize="int4"))
    )
    application.warm_up()
    assert application.degraded() == {}
    assert "KB_LLM__QUANTIZE is 'int4'" in application.readiness()["generator"]


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
