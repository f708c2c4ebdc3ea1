"""Every model file that is shipped or loaded: changed or gone, it is never used, and the service
goes on with the next best and says so."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kb_service.bootstrap import compose, find_faults, open_services
from kb_service.domain.answers import Answer
from kb_service.domain.errors import ConfigurationError
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import build_parts
from kb_service.services.asking import AskRequest
from kb_service.settings import (
    EmbeddingSettings,
    LlmSettings,
    ReaderSettings,
    RerankSettings,
    RetrievalSettings,
    Settings,
)
from tests.encoder.tiny_bert import write_tiny_encoder
from tests.llm.tiny_checkpoint import train_tiny_tokenizer, write_tiny_checkpoint

QUESTION = "When did the pump leak?"
TEXT = b"The pump in hall 3 leaked at 14:20. Nobody was hurt."
Damage = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Case:
    """A model in force: its part, the file to damage, and who answers in its place."""

    settings: Settings
    part: str
    file: Path
    expected: str
    configured: str
    next_best: str


def flip(file: Path) -> str:
    """Change one bit in the middle; return the checksum that will be found."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def remove(file: Path) -> str:
    file.unlink()
    return ""


def checkpoint_with_checksums(place: Path) -> Path:
    place.mkdir(exist_ok=True)
    folder = write_tiny_checkpoint(place / "chat", train_tiny_tokenizer(place / "tokenizer.model"))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    return folder


@pytest.fixture(params=["embedding", "reranker", "reading model", "shared words", "chat model"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    kind, data = request.param, tmp_path / "data"
    if kind == "embedding":
        folder = write_tiny_encoder(tmp_path / "embedding")
        embedding = EmbeddingSettings(model=str(folder))
        weighted = RetrievalSettings(dense_weight=0.5)
        settings = Settings(data_dir=data, embedding=embedding, retrieval=weighted)
        name, reader = "model.safetensors", "extractive-reader"
        yield Case(settings, "embedder", folder / name, listed(folder, name), reader, reader)
        return
    if kind == "reranker":
        folder = Path(shutil.copytree(RerankSettings().model, tmp_path / "own-reranker"))
        settings = Settings(data_dir=data, rerank=RerankSettings(model=str(folder)))
        name, reader = "model.safetensors", "extractive-reader"
        yield Case(settings, "reranker", folder / name, listed(folder, name), reader, reader)
        return
    if kind in ("reading model", "shared words"):
        model, words = copied_reading_model(tmp_path / "models")
        folder = model if kind == "reading model" else words
        settings = Settings(data_dir=data, reader=ReaderSettings(model=str(model)))
        name, reader = "model.safetensors", "extractive-reader"
        yield Case(settings, "reader", folder / name, listed(folder, name), reader, reader)
        return
    folder = checkpoint_with_checksums(tmp_path / "models")
    settings = Settings(data_dir=data, llm=LlmSettings(model=str(folder)))
    file = next(path for path in sorted(folder.glob("*.safetensors")))
    names = folder.name, "extractive-reader"
    yield Case(settings, "generator", file, listed(folder, file.name), *names)


def copied_reading_model(place: Path) -> tuple[Path, Path]:
    """The shipped reading model and the encoder whose words it shares, side by side."""
    shipped = Path(ReaderSettings().model)
    words = shipped.parent / "e5-zh-en"
    return tuple(  # type: ignore[return-value]  # two of two
        Path(shutil.copytree(folder, place / folder.name)) for folder in (shipped, words)
    )


def listed(folder: Path, name: str) -> str:
    """The checksum that the folder's list has for a file."""
    if (folder / "SHA256SUMS.json").is_file():
        return str(json.loads((folder / "SHA256SUMS.json").read_text())[name])
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return next(line.split()[0] for line in lines if line.endswith(f"  {name}"))


def answered(services: Services) -> Answer:
    """Ingest a text here and ask about it."""
    base = services.bases.create("r")
    item = services.uploads.accept(base.id, "pump.txt", io.BytesIO(TEXT))
    assert item.job
    services.intake.ingest([item.job.id])
    return services.answering().ask(AskRequest(base.id, QUESTION))


def bad_findings(settings: Settings) -> dict[str, str]:
    return {found.name: found.text for found in find_faults(settings) if not found.is_ok}


def test_an_intact_model_answers_and_nothing_is_wrong(case: Case) -> None:
    services = open_services(case.settings)
    services.readiness.warm_up()
    assert services.readiness.replaced() == services.readiness.waiting() == {}
    assert services.readiness.generator_info().name == case.configured
    assert bad_findings(case.settings) == {}
    services.close()


@pytest.mark.parametrize("damage", [flip, remove])
def test_a_damaged_model_is_refused_by_name_and_the_next_best_answers(
    case: Case, damage: Damage
) -> None:
    found = damage(case.file)
    services = open_services(case.settings)
    services.readiness.warm_up()
    reason = services.readiness.replaced()[case.part].message
    assert str(case.file) in reason
    if found:
        assert case.expected in reason
        assert found in reason
    answer = answered(services)
    assert answer.status == "answered"
    assert "14:20" in answer.answer
    assert answer.model == case.next_best
    assert any(str(case.file) in text for text in bad_findings(case.settings).values())
    response = TestClient(create_app(services), base_url="http://127.0.0.1").get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["reasons"][case.part] == reason
    services.close()


def test_documents_ingested_without_a_model_get_their_vectors_later(tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "embedding")
    settings = Settings(data_dir=tmp_path / "data", embedding=EmbeddingSettings(model=str(folder)))
    shutil.move(folder, tmp_path / "away")
    without = open_services(settings)
    assert answered(without).status == "answered"
    with pytest.raises(ConfigurationError, match="does not exist"):
        without.reindexing.reindex("r")
    report = without.upkeep.verify()
    assert report["is_clean"]
    assert isinstance(report["pending"], tuple)
    assert len(report["pending"]) == 1
    without.close()
    shutil.move(tmp_path / "away", folder)
    parts = build_parts(settings, build_models(settings))
    services = compose(parts)
    kb_id = services.bases.show("r").id
    assert parts.retriever().counts(kb_id).num_vectors == 0
    assert services.reindexing.reindex("r").num_embedded == 1
    assert parts.retriever().counts(kb_id).num_vectors == 1
    assert services.upkeep.verify()["is_clean"]
    services.close()


@pytest.mark.parametrize("part", ["llm", "embedding", "rerank"])
def test_what_took_a_models_place_is_not_measured_for_it(tmp_path: Path, part: str) -> None:
    settings = Settings(data_dir=tmp_path)
    getattr(settings, part).model = str(tmp_path / "none")
    services = open_services(settings)
    services.bases.create("r")
    with pytest.raises(ConfigurationError, match=str(tmp_path / "none")):
        services.measuring().under_test("r", 0)
    services.close()


OUT_OF_REACH = ["/" + "x" * 300, "~nobody-of-that-name/model"]
"""A name longer than the system takes, which it refuses like one without permission; no user."""


@pytest.mark.parametrize("out_of_reach", OUT_OF_REACH)
@pytest.mark.parametrize("part", ["llm", "embedding", "rerank"])
def test_a_folder_that_the_system_does_not_open_is_named(
    tmp_path: Path, part: str, out_of_reach: str
) -> None:
    settings = Settings(data_dir=tmp_path)
    getattr(settings, part).model = out_of_reach
    services = open_services(settings)
    services.readiness.warm_up()
    (reason,) = services.readiness.replaced().values()
    assert out_of_reach in reason.message
    assert services.readiness.waiting() == {}
    services.close()


def test_a_folder_below_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    checkpoint_with_checksums(tmp_path / "models")
    settings = Settings(data_dir=tmp_path / "data", llm=LlmSettings(model="~/models/chat"))
    assert build_models(settings).generator().model.info.name == "chat"


@pytest.mark.parametrize("kept_share", [0.0, 0.5, 0.99])
def test_a_truncated_checkpoint_without_checksums_is_named(
    tmp_path: Path, kept_share: float
) -> None:
    folder = checkpoint_with_checksums(tmp_path / "models")
    (folder / "SHA256SUMS").unlink()
    file = next(iter(sorted(folder.glob("*.safetensors"))))
    content = file.read_bytes()
    file.write_bytes(content[: int(kept_share * len(content))])
    settings = Settings(data_dir=tmp_path, llm=LlmSettings(model=str(folder)))
    chosen = build_models(settings).generator()
    assert str(file) in str(chosen.problem)
    assert chosen.model.info.name == "extractive-reader"
