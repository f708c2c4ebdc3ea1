"""The embedder: equal to the reference library, unit vectors, and no trust in damaged files."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.domain.ports import Embedder, Vector
from retrievers.embedding import (
    SentenceTransformerEmbedder,
    StaticEmbedder,
    load_embedder,
    static_module,
)
from training.model_folder import Card, write_checksums, write_model
from training.vocabulary import build_tokenizer, choose_pieces

TEXTS = [
    "事故发生于2023年7月3日，地点在3号厂房。事故原因是电气短路。",
    "The fire started at 14:20 in hall 3; the cause was a short circuit.",
    "混合 text with 中文 and English, ＦＵＬＬ ｗｉｄｔｈ",
]
PROBES = [
    *TEXTS,
    "",
    "   \n\t",
    "。！？——…",
    "🔥🚒👩‍🚒",
    "e\u0301 is é",
    "\u202e right to left \u0000 nul",
    "龘靐齉",
    "事故" * 20_000,
    "word " * 20_000,
]
CARD = Card("tiny", "python -m training.static_embedding", ("a fact",), "pairs", "results")


def write_tiny_model(folder: Path, seed: int = 0) -> Path:
    tokenizer = build_tokenizer(choose_pieces(TEXTS * 3, 400))
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((tokenizer.get_vocab_size(), 16)).astype(np.float32)
    write_model(folder, table, tokenizer, CARD)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Embedder:
    return SentenceTransformerEmbedder(str(folder))


def matrix(vectors: list[Vector]) -> npt.NDArray[np.float32]:
    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])


def test_static_embedder_equals_the_reference_library(folder: Path, reference: Embedder) -> None:
    ours, theirs = StaticEmbedder(folder), reference
    difference = matrix(ours.embed_passages(PROBES)) - matrix(theirs.embed_passages(PROBES))
    assert np.abs(difference).max() < 1e-6
    single = matrix([ours.embed_query(text) for text in PROBES])
    assert np.abs(single - matrix(ours.embed_passages(PROBES))).max() < 1e-6


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=200))
def test_static_embedder_equals_the_reference_library_on_any_text(
    folder: Path, reference: Embedder, text: str
) -> None:
    ours = np.frombuffer(StaticEmbedder(folder).embed_query(text), dtype="<f4")
    theirs = np.frombuffer(reference.embed_query(text), dtype="<f4")
    assert np.abs(ours - theirs).max() < 1e-6


def test_both_embedders_share_dimension_and_fingerprint(folder: Path, reference: Embedder) -> None:
    assert StaticEmbedder(folder).profile == reference.profile
    assert reference.profile.dimension == 16
    assert len(reference.profile.fingerprint) == 64


def test_vectors_have_unit_length_and_text_without_pieces_has_the_zero_vector(folder: Path) -> None:
    embedder = load_embedder(str(folder))
    norms = np.linalg.norm(matrix(embedder.embed_passages([*TEXTS, "", "。！？"])), axis=1)
    assert norms == pytest.approx([1, 1, 1, 0, 0], abs=1e-6)


def test_no_passages_give_no_vectors(folder: Path, reference: Embedder) -> None:
    assert load_embedder(str(folder)).embed_passages([]) == []
    assert reference.embed_passages([]) == []


def test_more_texts_than_a_batch_keep_their_order(folder: Path) -> None:
    embedder = load_embedder(str(folder))
    texts = [f"{i} {TEXTS[i % 3]}" for i in range(600)]
    vectors = embedder.embed_passages(texts)
    assert vectors[599] == embedder.embed_query(texts[599])
    assert len(vectors) == 600


def test_fingerprint_changes_with_the_weights_but_not_with_the_papers(
    folder: Path, tmp_path: Path
) -> None:
    same = write_tiny_model(tmp_path / "same")
    (same / "MODEL_CARD.md").write_text("other words", encoding="utf-8")
    write_checksums(same)
    other = write_tiny_model(tmp_path / "other", seed=1)
    fingerprint = load_embedder(str(folder)).profile.fingerprint
    assert load_embedder(str(same)).profile.fingerprint == fingerprint
    assert load_embedder(str(other)).profile.fingerprint != fingerprint


def test_prompts_of_the_model_are_used(folder: Path, tmp_path: Path) -> None:
    prompted = write_tiny_model(tmp_path / "prompted")
    config = prompted / "config_sentence_transformers.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    values["prompts"] = {"query": "事故 ", "document": "fire "}
    config.write_text(json.dumps(values), encoding="utf-8")
    write_checksums(prompted)
    plain, ours = load_embedder(str(folder)), load_embedder(str(prompted))
    assert ours.embed_query("地点") == plain.embed_query("事故 地点")
    assert ours.embed_passages(["hall"]) == plain.embed_passages(["fire hall"])
    theirs = SentenceTransformerEmbedder(str(prompted))
    difference = matrix([ours.embed_query("地点")]) - matrix([theirs.embed_query("地点")])
    assert np.abs(difference).max() < 1e-6


def test_corrupt_weights_are_refused_with_both_checksums(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "m")
    weights = folder / "0_StaticEmbedding" / "model.safetensors"
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
    folder = write_tiny_model(tmp_path / "m")
    (folder / "0_StaticEmbedding" / "tokenizer.json").unlink()
    with pytest.raises(ConfigurationError, match="found absent"):
        verify_checksums(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("0_StaticEmbedding/model.safetensors", b"not safetensors"),
        ("0_StaticEmbedding/tokenizer.json", b"{}"),
        ("modules.json", b"{"),
        ("SHA256SUMS.json", b"[]"),
    ],
)
def test_a_damaged_file_is_named_even_without_checksums(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = write_tiny_model(tmp_path / "m")
    (folder / "SHA256SUMS.json").unlink()
    (folder / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_embedder(str(folder))
    assert caught.value.code == "model_corrupt"
    assert Path(name).name in caught.value.message


def test_fewer_vectors_than_pieces_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    tokenizer = build_tokenizer(choose_pieces(TEXTS, 400))
    write_model(folder, np.zeros((3, 4), dtype=np.float32), tokenizer, CARD)
    with pytest.raises(ConfigurationError, match="3 vectors for"):
        load_embedder(str(folder))


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


def test_a_folder_of_another_kind_is_no_static_model(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(
        json.dumps([{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}]),
        encoding="utf-8",
    )
    assert static_module(tmp_path) is None
    with pytest.raises(ConfigurationError, match="not a static embedding model"):
        StaticEmbedder(tmp_path)


def test_a_static_folder_loads_without_torch(folder: Path) -> None:
    code = (
        "import sys; from retrievers.embedding import load_embedder;"
        "e = load_embedder(sys.argv[1]); e.embed_query('事故');"
        "sys.exit(bool({'torch', 'sentence_transformers'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=root,
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_tokenizer_keeps_short_numbers_and_drops_punctuation() -> None:
    tokenizer: Tokenizer = build_tokenizer(choose_pieces(TEXTS * 3, 400))
    assert tokenizer.encode("2023年。").tokens == ["2023", "年"]
