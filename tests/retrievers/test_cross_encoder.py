"""A reranking model from a folder: its scores, also on a busy machine; folders that are none."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from kb_service.domain.errors import ConfigurationError
from retrievers.cross_encoder import (
    BATCH_SIZE,
    CrossEncoderReranker,
    LibraryModel,
    load_reranker,
)
from retrievers.small_bert import SmallBert
from tests.retrievers.tiny_cross_encoder import write_tiny_cross_encoder

TEXTS = ["abc", "zyx", "bac cab", "", "q" * 200, "the valve leaked", "hall"]
LONGER: dict[str, object] = {"model_max_length": 100}


@pytest.fixture(scope="module", params=["gelu", "relu"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for each of the two ways to run one."""
    place = tmp_path_factory.mktemp("models") / "tiny-reranker"
    return write_tiny_cross_encoder(place, activation=request.param)


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Iterator[CrossEncoderReranker]:
    loaded = load_reranker(folder, num_threads=1)
    yield loaded
    loaded.close()


def test_scores_are_the_logits_of_the_released_layout(
    folder: Path, reranker: CrossEncoderReranker
) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    pairs = [["abc"] * len(TEXTS), TEXTS]
    batch = tokenizer(*pairs, padding=True, truncation=True, max_length=64, return_tensors="pt")
    with torch.inference_mode():
        expected = model.eval()(**batch).logits[:, 0].tolist()
    assert reranker.score("abc", TEXTS) == pytest.approx(expected, abs=1e-5)
    assert reranker.name == "tiny-reranker"
    assert reranker.score("abc", []) == []


def test_a_small_bert_needs_no_torch(tmp_path: Path) -> None:
    folder = write_tiny_cross_encoder(tmp_path / "gelu")
    code = (
        "import sys; from pathlib import Path; from retrievers.cross_encoder import load_reranker; "
        f"reranker = load_reranker(Path({str(folder)!r})); "
        "print(len(reranker.score('abc', ['cab'])), 'torch' in sys.modules); reranker.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_each_folder_is_run_the_way_that_suits_it(tmp_path: Path) -> None:
    kinds = {"gelu": SmallBert, "relu": LibraryModel}
    for activation, kind in kinds.items():
        folder = write_tiny_cross_encoder(tmp_path / activation, activation=activation)
        loaded = load_reranker(folder)
        assert isinstance(loaded._model, kind)
        loaded.close()


def test_scores_do_not_depend_on_how_busy_the_machine_is(
    reranker: CrossEncoderReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not read within 300 ms kept its place: a loaded machine answered otherwise."""
    questions = ["abc", "the valve", "hall"]
    alone = [reranker.score(question, TEXTS) for question in questions]
    forward, machine_is_free = reranker._model.logits, threading.Event()

    def slow(batch: list[tuple[str, str]]) -> list[float]:
        machine_is_free.wait(30)
        return forward(batch)

    monkeypatch.setattr(reranker._model, "logits", slow)
    with ThreadPoolExecutor(len(questions)) as askers:
        asked = [askers.submit(reranker.score, question, TEXTS) for question in questions]
        assert wait(asked, timeout=0.4).not_done == set(asked), "a slow pass is waited for"
        machine_is_free.set()
        assert [asking.result() for asking in asked] == alone
    assert [len(scores) for scores in alone] == [len(TEXTS)] * len(questions)


def test_passes_are_bounded_and_other_threads_keep_their_bound(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    folder = write_tiny_cross_encoder(tmp_path / "relu", activation="relu")
    loaded = load_reranker(folder, num_threads=3)
    assert loaded._thread.submit(torch.get_num_threads).result() == 3
    assert torch.get_num_threads() == before
    loaded.close()


def test_scores_that_are_no_numbers_are_not_used(
    reranker: CrossEncoderReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = reranker._model.logits

    def breaks_down(batch: list[tuple[str, str]]) -> list[float]:
        is_last = ("abc", TEXTS[-1]) in batch
        return [float("nan")] * len(batch) if is_last else forward(batch)

    whole = reranker.score("abc", TEXTS)
    monkeypatch.setattr(reranker._model, "logits", breaks_down)
    assert reranker.score("abc", TEXTS) == whole[:BATCH_SIZE]
    assert reranker.score("abc", TEXTS[-1:]) == []


def refusal(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_reranker(folder)
    return caught.value


def copied(folder: Path, place: Path) -> Path:
    return Path(shutil.copytree(folder, place / "copy"))


def test_a_changed_weight_is_refused_with_both_checksums(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    error = refusal(copy)
    assert error.code == "model_corrupt"
    sums = json.loads((copy / "SHA256SUMS.json").read_text(encoding="utf-8"))
    assert sums["model.safetensors"] in error.message
    assert str(weights) in error.message


def test_cut_weights_without_checksums_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    (copy / "SHA256SUMS.json").unlink()
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    error = refusal(copy)
    assert error.code in {"model_corrupt", "model_unavailable"}
    assert str(copy) in error.message


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"max_position_embeddings": "many"}, "does not give the shape"),
        ({"layer_norm_eps": None}, "does not give the shape"),
        ({"num_attention_heads": 0}, "does not hold the weights"),
        ({"max_position_embeddings": 128}, "has 64 position_embeddings; 100 are needed"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_at_the_start(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    copy = write_tiny_cross_encoder(tmp_path / "gelu")
    (copy / "SHA256SUMS.json").unlink()
    for name, changed in {"config.json": change, "tokenizer_config.json": LONGER}.items():
        content = json.loads((copy / name).read_text(encoding="utf-8"))
        (copy / name).write_text(json.dumps(content | changed), encoding="utf-8")
    error = refusal(copy)
    assert error.code == "model_corrupt"
    assert reason in error.message
    assert str(copy) in error.message


def test_a_vocabulary_larger_than_the_table_is_refused_at_the_start(tmp_path: Path) -> None:
    copy = write_tiny_cross_encoder(tmp_path / "gelu")
    (copy / "SHA256SUMS.json").unlink()
    tokenizer = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"]["new"] = len(tokenizer["model"]["vocab"])
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    assert "has 30 word_embeddings; 31 are needed" in refusal(copy).message


def test_a_config_that_is_a_list_is_refused(tmp_path: Path) -> None:
    copy = write_tiny_cross_encoder(tmp_path / "gelu")
    (copy / "SHA256SUMS.json").unlink()
    (copy / "config.json").write_text("[]", encoding="utf-8")
    assert "config.json is not a JSON object" in refusal(copy).message


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nowhere")
    assert error.code == "model_unavailable"
    assert "nowhere" in error.message


def test_weights_that_are_not_safetensors_are_not_read(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    (copy / "SHA256SUMS.json").unlink()
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    error = refusal(copy)
    assert error.code == "model_unavailable"
    assert "*.safetensors" in error.message


def test_a_classifier_of_several_labels_is_no_reranker(tmp_path: Path) -> None:
    error = refusal(write_tiny_cross_encoder(tmp_path / "three", num_labels=3))
    assert error.code == "model_unavailable"
    assert "3 labels" in error.message


def test_code_beside_the_weights_is_never_run(folder: Path, tmp_path: Path) -> None:
    copy, witness = copied(folder, tmp_path), tmp_path / "ran"
    (copy / "SHA256SUMS.json").unlink()
    (copy / "evil.py").write_text(f"open({str(witness)!r}, 'w')\n", encoding="utf-8")
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    names = ("AutoConfig", "AutoModelForSequenceClassification")
    config["auto_map"] = dict.fromkeys(names, "evil.Evil")
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    try:
        load_reranker(copy).close()
    except ConfigurationError as error:
        assert error.code == "model_unavailable"
    assert not witness.exists()
