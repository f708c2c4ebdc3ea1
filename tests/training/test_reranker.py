"""The reranker's training: lists without leaks, wired heads, runs that go on, a released folder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tokenizers.processors import TemplateProcessing

from retrievers.cross_encoder import load_reranker
from tests.retrievers.word_tokenizer import word_tokenizer
from tests.training.question_files import EN, LEAKED, ZH, write_question_files
from training.rates import rate_at
from training.reranker.export import Card, write_reranker
from training.reranker.lists import ABSENT, Lists, prepare, read_lists
from training.reranker.network import build
from training.reranker.picture import picture_of
from training.reranker.recipe import Recipe, Schedule, Size
from training.reranker.start import WORDS, Words, open_run, words_of
from training.reranker.tokens import CLS, PAD, SEP
from training.reranker.trainer import (
    Batches,
    Run,
    pack_pairs,
    standardised,
)
from training.reranker.weighing import WEIGHTS, calibrate, chosen_weight, ndcg, ndcg_at
from training.run_files import CURVE_FILE, read_curve

SIZE = Size(num_layers=2, hidden_size=96, num_heads=4, ffn_size=64, num_content=32)
SCHEDULE = Schedule(num_steps=6, lists_per_step=2, negatives=2, warmup_steps=2, report_every=1)
RECIPE = Recipe(SIZE, replace(SCHEDULE, checkpoint_every=3))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The words of a reranker: pieces of the test texts, and random vectors of them."""
    folder = tmp_path_factory.mktemp("models") / "before"
    folder.mkdir()
    tokenizer = word_tokenizer([*ZH, *EN, LEAKED])
    num_pieces = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([PAD, CLS, SEP])
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLS}:0 $A:0 {SEP}:0",
        pair=f"{CLS}:0 $A:0 {SEP}:0 $B:1 {SEP}:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (CLS, SEP)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(0).normal(size=(num_pieces + 3, SIZE.hidden_size))
    save_file({WORDS: table.astype(np.float16)}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def words(before: Path) -> Words:
    return words_of(before)


@pytest.fixture(scope="module")
def lists_file(tmp_path_factory: pytest.TempPathFactory, words: Words) -> Path:
    folder = tmp_path_factory.mktemp("data")
    data = write_question_files(folder)
    for name in ("zh_drcd", "en_covidqa"):
        (data / "train" / f"{name}.jsonl.gz").write_bytes(
            (data / "train" / "en_squad.jsonl.gz").read_bytes()
        )
    told: list[str] = []
    prepare(data, words.tokenizer, folder / "lists.npz", told.append)
    assert told[0].startswith("train/zh_cmrc2018: 24 rows, 1 dropped as leaks")
    return folder / "lists.npz"


@pytest.fixture(scope="module")
def lists(lists_file: Path) -> Lists:
    return read_lists(lists_file)


def told(words: Words, lists: Lists, number: int) -> str:
    return words.tokenizer.decode(lists.text(number).tolist())


def test_a_list_has_the_candidates_of_the_lexical_retriever(lists: Lists, words: Words) -> None:
    assert (lists.relevant.sum(1) >= 1).all()
    assert (np.diff(lists.scores, axis=1) <= 0).all(), "best first; nothing stands behind the last"
    rows = [row for row in range(len(lists.questions)) if "全长" in _joined(lists, words, row)]
    for row in rows:
        good = lists.candidates[row][lists.relevant[row]]
        assert all("1670" in told(words, lists, int(number)) for number in good)
    assert rows


def _joined(lists: Lists, words: Words, row: int) -> str:
    return told(words, lists, int(lists.questions[row])).replace(" ", "")


def test_scores_are_standardised_over_the_candidates_that_are_there() -> None:
    found = standardised(np.array([[3.0, 1.0, 0.0]]), np.array([[True, True, False]]))
    assert found.tolist() == [[1.0, -1.0, 0.0]]


def test_before_training_equal_words_of_the_other_text_are_attended_to(words: Words) -> None:
    model = build(words.table, words.tokenizer.get_vocab_size(), SIZE, seed=3).eval()
    model.set_attn_implementation("eager")
    encoded = words.tokenizer.encode("长江大桥全长", "大桥由专家设计全长1670米")
    inputs = {
        "input_ids": torch.tensor([encoded.ids]),
        "token_type_ids": torch.tensor([encoded.type_ids]),
    }
    with torch.no_grad():
        weights = model.bert(**inputs, output_attentions=True).attentions[0][0]  # (heads, T, T)
    pairs = [
        (here, there)
        for here, piece in enumerate(encoded.ids)
        for there, other in enumerate(encoded.ids)
        if piece == other and encoded.type_ids[here] != encoded.type_ids[there] and piece < 400
    ]
    own = [(h, t) for h, t in pairs if encoded.special_tokens_mask[h] == 0]
    assert own
    for head in (0, 1):
        shares = [float(weights[head, here, there]) for here, there in own]
        assert np.mean(shares) > 0.5


def test_a_model_begins_with_the_word_vectors_of_the_one_before(words: Words) -> None:
    model = build(words.table, words.tokenizer.get_vocab_size(), SIZE, seed=3)
    begun = model.bert.embeddings.word_embeddings.weight.detach().numpy()
    assert (
        begun[: len(words.table), : SIZE.num_content] == words.table[:, : SIZE.num_content]
    ).all()
    assert not begun[: len(words.table), -1].any(), "what it wrote beside them is left out"


def test_the_words_of_a_model_of_another_width_are_refused(words: Words) -> None:
    with pytest.raises(ValueError, match="96 channels, not 160"):
        build(words.table, words.tokenizer.get_vocab_size(), Size(), seed=3)


def opened(folder: Path, lists: Path, before: Path) -> Run:
    return open_run(folder, lists, before, RECIPE, device="cpu", num_threads=1)


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    tmp_path: Path, lists_file: Path, before: Path
) -> None:
    whole = opened(tmp_path / "whole", lists_file, before)
    whole.train(6, None, lambda _: None)
    opened(tmp_path / "parts", lists_file, before).train(3, None, lambda _: None)
    rest = opened(tmp_path / "parts", lists_file, before)
    assert rest.resume()
    assert rest.step == 3
    rest.train(6, None, lambda _: None)
    for first, second in zip(
        whole.averaged().parameters(), rest.averaged().parameters(), strict=True
    ):
        assert torch.equal(first, second)
    curve = read_curve(tmp_path / "parts" / CURVE_FILE)
    assert [line["step"] for line in curve] == [1, 2, 3, 4, 5, 6]
    assert "<polyline" in picture_of(curve)


def test_a_checkpoint_of_another_recipe_is_refused(
    tmp_path: Path, lists_file: Path, before: Path
) -> None:
    opened(tmp_path, lists_file, before).train(1, None, lambda _: None)
    other = replace(RECIPE, seed=9)
    run = open_run(tmp_path, lists_file, before, other, device="cpu", num_threads=1)
    with pytest.raises(ValueError, match="seed=0"):
        run.resume()


def test_documents_kept_back_are_not_trained_on(lists: Lists, words: Words) -> None:
    all_but_two = np.arange(len(lists.questions)) >= 2
    batches = Batches(replace(lists, is_held_out=all_but_two), words.tokens, RECIPE, "cpu")
    assert {row for step in range(5) for row in batches._rows_of(step)} == {0, 1}


def test_the_rate_rises_then_falls() -> None:
    rates = [rate_at(SCHEDULE, step) for step in range(6)]
    assert rates[0] < rates[1] == SCHEDULE.learning_rate
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_the_exported_folder_scores_as_the_trained_model(
    tmp_path: Path,
    lists: Lists,
    lists_file: Path,
    words: Words,
    before: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = opened(tmp_path / "run", lists_file, before)
    run.train(3, None, lambda _: None)
    question, text = "大桥全长多少米？", "长江大桥全长1670米。"
    ids = [
        np.array(words.tokenizer.encode(part, add_special_tokens=False).ids)
        for part in (question, text)
    ]
    pairs = pack_pairs([(ids[0], ids[1])], words.tokens, torch.zeros(0), "cpu")
    model = run.averaged()
    with torch.no_grad():
        expected = model(
            input_ids=pairs.ids, token_type_ids=pairs.types, attention_mask=pairs.mask
        ).logits.item()
    write_reranker(tmp_path / "small", model, words.tokenizer, Card("small", "before", ["tiny"]))
    reranker = load_reranker(tmp_path / "small", num_threads=1)
    assert reranker.score(question, [text]) == pytest.approx([expected], abs=0.02)
    reranker.close()
    assert "CMRC 2018" in (tmp_path / "small" / "LICENSE").read_text(encoding="utf-8")
    sums = json.loads((tmp_path / "small" / "SHA256SUMS.json").read_text(encoding="utf-8"))
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= sums.keys()
    kept = replace(lists, is_held_out=np.ones(len(lists.questions), dtype=bool))
    monkeypatch.setattr("training.reranker.weighing.MIN_QUESTIONS", 2)
    lines: list[str] = []
    weight = calibrate(tmp_path / "small", kept, words.tokens, 3, lines.append)
    assert lines[-1] == f"chosen weight {weight:g}"


def test_the_smallest_weight_within_one_standard_error_of_the_best_is_chosen() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 400)
    rising = np.array([0.5 + 0.02 * min(n, 3) + noise * (n > 0) for n in range(len(WEIGHTS))])
    assert chosen_weight([rising, rising]) == WEIGHTS[3]
    flat = np.array([0.5 + noise * (n > 0) * (n % 2) for n in range(len(WEIGHTS))])
    assert chosen_weight([flat]) == 0.0


def test_ndcg_of_an_order() -> None:
    assert ndcg([True, False]) == 1.0
    assert ndcg([False, True]) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg([False] * 10 + [True]) == 0.0


def test_at_weight_0_the_lexical_order_stands(lists: Lists) -> None:
    none = np.zeros(lists.candidates.shape[1], dtype=np.float32)
    row = 0
    relevant = lists.relevant[row][lists.candidates[row] != ABSENT]
    assert ndcg_at(0.0, lists, row, none) == ndcg([bool(good) for good in relevant])
    best = np.where(lists.relevant[row], 9.0, 0.0).astype(np.float32)
    assert ndcg_at(1.0, lists, row, best) == 1.0
