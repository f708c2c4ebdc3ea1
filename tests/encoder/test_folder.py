"""The folder of an encoder: what is read of it, shared words, and folders that do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from kb_service.checksums import verify_checksums
from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.folder import is_encoder, open_encoder
from tests.encoder.tiny_bert import PIECES, PROMPTS, tiny_tensors, write_tiny_encoder
from training.encoder.package import Papers, package_beside

HEADS = {"head.weight": np.ones((2, 16), np.float32), "bias": np.zeros(2, np.float32)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_encoder(tmp_path / "tiny", heads=HEADS)


def changed(folder: Path, **entries: object) -> Path:
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8")) | entries
    path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_weights_tokenizer_heads_and_prompts_are_read(folder: Path) -> None:
    assert is_encoder(folder)
    encoder = open_encoder(folder)
    assert encoder.prompts == PROMPTS
    assert sorted(encoder.heads) == ["bias", "weight"]
    assert np.array_equal(encoder.heads["weight"], HEADS["head.weight"])
    pair = encoder.tokenizer.encode("fire", "火灾")
    assert pair.tokens == ["<s>", "▁fire", "</s>", "</s>", "▁", "火灾", "</s>"]
    assert encoder.bert.hidden([pair.ids])[0].shape == (7, 16)


def test_text_that_spells_a_special_piece_is_text(folder: Path) -> None:
    tokenizer = open_encoder(folder).tokenizer
    assert tokenizer.encode("a</s>b").tokens.count("</s>") == 1


def test_files_are_listed_with_their_checksums(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert set(verify_checksums(folder)) == names - {"SHA256SUMS.json"}


def test_a_second_model_shares_the_words_of_the_first(folder: Path) -> None:
    papers = Papers("card", "licence")
    beside = folder.parent / "reader"
    package_beside(tiny_tensors(), HEADS, beside, "../tiny", papers, num_heads=2)
    assert not (beside / "tokenizer.json").exists()
    ids = [0, *range(4, 30), 2]
    own, shared = (open_encoder(place).bert.hidden([ids])[0] for place in (folder, beside))
    assert own.tobytes() == shared.tobytes()
    assert set(verify_checksums(beside)) == {"LICENSE", "MODEL_CARD.md", "config.json",
                                             "model.safetensors"}  # fmt: skip


def test_another_model_is_not_taken_for_an_encoder(folder: Path, tmp_path: Path) -> None:
    assert not is_encoder(tmp_path)
    assert not is_encoder(changed(folder, architectures=["BertForSequenceClassification"]))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"num_hidden_layers": 3}, "does not hold the weights"),
        ({"num_attention_heads": 0}, "does not hold the weights"),
        ({"num_attention_heads": 5}, "does not hold the weights"),
        ({"layer_norm_eps": None}, "does not give the shape"),
        ({"words_from": "../nowhere"}, "nowhere/model.safetensors cannot be read"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    folder: Path, entries: dict[str, object], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        open_encoder(changed(folder, **entries))
    assert caught.value.code == "model_corrupt"


def test_a_vocabulary_larger_than_the_table_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["vocab"].append(["new", -3.0])
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"has {len(PIECES)} word_embeddings"):
        open_encoder(folder)
