"""The composition root: what it says about parts that cannot be loaded."""

from pathlib import Path

from kb_service.bootstrap import Application
from kb_service.settings import EmbeddingSettings, LlmSettings, Settings


def test_readiness_names_the_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    application = Application(
        Settings(
            data_dir=tmp_path,
            embedding=EmbeddingSettings(model=str(tmp_path / "nowhere")),
            llm=LlmSettings(model=str(tmp_path / "no-checkpoint")),
        )
    )
    assert application.readiness() == {"embedder": "loading", "generator": "loading"}
    application.warm_up()
    reasons = application.readiness()
    assert "nowhere" in reasons["embedder"]
    assert "no-checkpoint" in reasons["generator"]
