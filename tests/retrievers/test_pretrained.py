"""The embedder of a pretrained encoder: the mean of the library's states, and repeatable."""

from pathlib import Path

import numpy as np
import pytest

from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.folder import open_encoder
from retrievers.embedding import load_embedder
from retrievers.pretrained import PretrainedEmbedder, is_pretrained
from tests.encoder.tiny_bert import write_tiny_encoder
from training.model_folder import write_checksums

TEXTS = ["火灾原因", "the fire?", "", "a" * 300]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "tiny")


def values(vector: bytes) -> np.ndarray:
    return np.frombuffer(vector, "<f4")


def test_a_vector_is_the_unit_mean_of_the_states_of_prompt_and_text(folder: Path) -> None:
    embedder, encoder = load_embedder(str(folder)), open_encoder(folder)
    for prompt, vector in (
        ("passage: ", embedder.embed_passages(["fire 1"])[0]),
        ("query: ", embedder.embed_query("fire 1")),
    ):
        ids = encoder.tokenizer.encode(f"{prompt}fire 1").ids
        mean = encoder.bert.hidden([ids])[0].mean(axis=0)
        assert values(vector) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_vectors_are_the_same_whatever_is_embedded_beside_them(folder: Path) -> None:
    one, two = (load_embedder(str(folder), num_threads=number) for number in (1, 2))
    together = one.embed_passages(TEXTS)
    assert [one.embed_passages([text])[0] for text in TEXTS] == together
    assert two.embed_passages(TEXTS) == together
    assert all(np.linalg.norm(values(vector)) == pytest.approx(1) for vector in together)
    assert one.embed_passages([]) == []


def test_the_profile_names_folder_dimension_and_files(folder: Path, tmp_path: Path) -> None:
    profile = load_embedder(str(folder)).profile
    other = load_embedder(str(write_tiny_encoder(tmp_path / "tiny", seed=4))).profile
    assert (profile.name, profile.dimension) == ("tiny", 16)
    assert profile.fingerprint != other.fingerprint


def test_an_encoder_that_says_nothing_of_pooling_is_left_to_the_library(tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "tiny")
    assert is_pretrained(folder)
    config = folder / "config.json"
    config.write_text(config.read_text("utf-8").replace("pooling", "other"), encoding="utf-8")
    assert not is_pretrained(folder)


def test_a_changed_weight_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "tiny")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ConfigurationError, match="is not the file it should be"):
        load_embedder(str(folder))
    write_checksums(folder)
    assert isinstance(load_embedder(str(folder)), PretrainedEmbedder)
