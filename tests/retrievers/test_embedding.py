"""Embedding models of one's own: read by their library, and no trust in damaged files."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.ports import Vector
from retrievers.embedding import SentenceTransformerEmbedder, load_embedder
from tests.retrievers.word_tokenizer import word_tokenizer
from training.model_folder import write_checksums

TEXTS = ["事故发生于2023年7月3日。", "The fire started at 14:20 in hall 3.", "事故 hall 3"]
PROMPTS = {"query": "事故 ", "document": "fire "}
WEIGHTS, PIECES = "model.safetensors", "tokenizer.json"


def write_own_model(folder: Path, seed: int = 0, prompts: dict[str, str] | None = None) -> Path:
    """Write a model as its library does: a table of words, then a normalisation."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, StaticEmbedding

    tokenizer = word_tokenizer(TEXTS)
    size = (tokenizer.get_vocab_size(), 16)
    table = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    modules = [StaticEmbedding(tokenizer, embedding_weights=table), Normalize()]
    SentenceTransformer(modules=modules, prompts=prompts).save(str(folder))
    write_checksums(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_model(tmp_path_factory.mktemp("model") / "own")


def matrix(vectors: list[Vector]) -> npt.NDArray[np.float32]:
    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])


def file_of(folder: Path, name: str) -> Path:
    return next(folder.rglob(name))


def test_a_folder_of_ones_own_gives_unit_vectors_in_order(folder: Path) -> None:
    embedder = load_embedder(str(folder))
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert embedder.profile.dimension == 16
    vectors = embedder.embed_passages(TEXTS)
    assert np.linalg.norm(matrix(vectors), axis=1) == pytest.approx([1, 1, 1], abs=1e-6)
    single = matrix([embedder.embed_query(text) for text in TEXTS])
    assert np.abs(single - matrix(vectors)).max() < 1e-6
    assert embedder.embed_passages([]) == []


def test_fingerprint_changes_with_the_weights_but_not_with_the_papers(
    folder: Path, tmp_path: Path
) -> None:
    same = write_own_model(tmp_path / "same")
    (same / "MODEL_CARD.md").write_text("other words", encoding="utf-8")
    write_checksums(same)
    other = write_own_model(tmp_path / "other", seed=1)
    fingerprint = load_embedder(str(folder)).profile.fingerprint
    assert len(fingerprint) == 64
    assert load_embedder(str(same)).profile.fingerprint == fingerprint
    assert load_embedder(str(other)).profile.fingerprint != fingerprint


def test_prompts_of_the_model_are_used(folder: Path, tmp_path: Path) -> None:
    plain = load_embedder(str(folder))
    ours = load_embedder(str(write_own_model(tmp_path / "prompted", prompts=PROMPTS)))
    assert ours.embed_query("事故") == plain.embed_query("事故 事故")
    assert ours.embed_passages(["hall"]) == plain.embed_passages(["fire hall"])


def test_corrupt_weights_are_refused_with_both_checksums(tmp_path: Path) -> None:
    folder = write_own_model(tmp_path / "m")
    weights = file_of(folder, WEIGHTS)
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    found = hashlib.sha256(damaged).hexdigest()
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(str(folder))
    assert caught.value.code == "model_corrupt"
    assert caught.value.details == {"file": str(weights), "expected": expected, "found": found}
    assert all(part in caught.value.message for part in (str(weights), expected, found))


def test_a_listed_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    folder = write_own_model(tmp_path / "m")
    file_of(folder, PIECES).unlink()
    with pytest.raises(ConfigurationError, match="found absent"):
        verify_checksums(folder)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (WEIGHTS, b"not safetensors", "model_corrupt"),
        (PIECES, b"{}", "model_unavailable"),
        ("modules.json", b"{", "model_unavailable"),
        ("SHA256SUMS.json", b"[]", "model_corrupt"),
    ],
)
def test_a_damaged_folder_is_named_even_without_checksums(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    folder = write_own_model(tmp_path / "m")
    damaged = file_of(folder, name)
    (folder / "SHA256SUMS.json").unlink()
    damaged.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(str(folder))
    assert caught.value.code == code
    assert str(folder) in caught.value.message


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(str(missing))
    assert caught.value.code == "model_unavailable"
    assert str(missing) in caught.value.message


def test_an_unknown_name_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigurationError) as caught:
        load_embedder("nobody/no-such-model", allow_download=True)
    assert caught.value.code == "model_unavailable"
    assert "nobody/no-such-model" in caught.value.message
