"""A whole training run in seconds on generated data: it learns, and it repeats itself."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from retrievers.embedding import load_embedder
from tests.training.test_corpus import write_rows
from training.contrastive import (
    EncodedPair,
    TrainingSettings,
    batches,
    contrastive_loss,
    train_table,
)
from training.evaluate_embedding import DEV_SETS, RetrievalSet, level_of, main, measure
from training.seeding import seeded
from training.static_embedding import Recipe, run

SETTINGS = TrainingSettings(
    dimension=32, batch_size=48, num_steps=60, learning_rate=2e-2, num_threads=1
)
RECIPE = Recipe(num_pieces=1200, training=SETTINGS)
CAUSES = [chr(0x4E00 + 40 * i) + chr(0x4E10 + 40 * i) for i in range(60)]
EFFECTS = [chr(0x6E00 + 40 * i) + chr(0x6E10 + 40 * i) for i in range(60)]


def synonym_rows(seed: int, count: int) -> list[dict[str, object]]:
    """Questions that share no character with their passages: only training can link them."""
    rng = seeded(seed)
    rows: list[dict[str, object]] = []
    for i in range(count):
        chosen = rng.sample(range(60), 3)
        context = "".join(EFFECTS[c] for c in chosen) + f"报告{seed * count + i}"
        rows.append(
            {
                "question": "".join(CAUSES[c] for c in chosen),
                "context": context,
                "title": "标题",
                "lang": "zh",
                "answers": [],
                "answerable": True,
            }
        )
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_rows(folder / "train" / "zh_cmrc2018.jsonl.gz", synonym_rows(1, 400))
    for seed, name in enumerate(DEV_SETS, start=2):
        write_rows(folder / "dev" / f"{name}.jsonl.gz", synonym_rows(seed, 60))
    return folder


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "tiny"
    run(data, folder, RECIPE, lambda line: None)
    return folder


def test_training_finds_what_shares_no_word_far_above_random(data: Path, model: Path) -> None:
    for levels in measure(model, data).values():
        assert levels["random"]["hit@1"] == pytest.approx(1 / 60)
        assert levels["model"]["hit@1"] > 0.5


def test_without_training_the_same_model_stays_near_random(data: Path, tmp_path: Path) -> None:
    untrained = replace(SETTINGS, num_steps=1, learning_rate=0.0)
    run(data, tmp_path / "m", replace(RECIPE, training=untrained), lambda line: None)
    hits = [levels["model"]["hit@1"] for levels in measure(tmp_path / "m", data).values()]
    assert np.mean(hits) < 0.1


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    data: Path, model: Path, tmp_path: Path
) -> None:
    run(data, tmp_path / "again", RECIPE, lambda line: None)
    other = replace(RECIPE, training=replace(SETTINGS, seed=1))
    run(data, tmp_path / "other", other, lambda line: None)
    fingerprint = load_embedder(str(model)).profile.fingerprint
    assert load_embedder(str(tmp_path / "again")).profile.fingerprint == fingerprint
    assert load_embedder(str(tmp_path / "other")).profile.fingerprint != fingerprint


def test_the_folder_carries_its_papers_and_checksums(model: Path) -> None:
    card = (model / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| zh_drcd | model |" in card
    assert "CC BY-SA 4.0" in (model / "LICENSE").read_text(encoding="utf-8")
    listed = json.loads((model / "SHA256SUMS.json").read_text(encoding="utf-8"))
    files = {p.relative_to(model).as_posix() for p in model.rglob("*") if p.is_file()}
    assert set(listed) == files - {"SHA256SUMS.json"}


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no training data under"):
        run(tmp_path, tmp_path / "m", RECIPE, lambda line: None)


def test_the_evaluation_command_prints_model_and_random_level(
    data: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--model", str(model), "--data", str(data), "--json"])
    assert set(json.loads(capsys.readouterr().out)) == set(DEV_SETS)


def test_levels_count_ranks_and_ties_count_against_the_model() -> None:
    scores = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [1.0, 1.0, 1.0]], dtype=np.float32)
    level = level_of(scores, [0, 2, 0])
    assert level["hit@1"] == pytest.approx(1 / 3)
    assert level["ndcg@10"] == pytest.approx((1 + 1 / np.log2(3) + 1 / np.log2(4)) / 3)


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="must be finite, found nan"):
        level_of(np.array([[np.nan, 1.0]], dtype=np.float32), [0])


def test_the_random_level_is_what_random_scores_reach() -> None:
    held_out = RetrievalSet("x", [str(i) for i in range(40)], [], [])
    rng = np.random.default_rng(0)
    right = [int(i) for i in rng.integers(0, 40, 20_000)]
    measured = level_of(rng.random((20_000, 40), dtype=np.float32), right)
    expected = held_out.random_level()
    assert measured["hit@5"] == pytest.approx(expected["hit@5"], abs=0.01)
    assert measured["ndcg@10"] == pytest.approx(expected["ndcg@10"], abs=0.01)


def test_loss_is_the_cross_entropy_both_ways_without_pairs_of_one_group() -> None:
    torch.manual_seed(0)
    queries = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    passages = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    loss = contrastive_loss(queries, passages, torch.tensor([0, 0, 1]), 20.0)
    scores = (queries @ passages.T * 20).exp()
    allowed = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    rows = -(scores.diagonal() / (scores * allowed).sum(1)).log().mean()
    columns = -(scores.diagonal() / (scores * allowed).sum(0)).log().mean()
    assert loss.item() == pytest.approx(((rows + columns) / 2).item(), rel=1e-5)


def test_a_batch_holds_one_source_and_an_epoch_every_pair() -> None:
    ids = np.array([1], dtype=np.int32)
    pairs = [EncodedPair(ids, ids, source=i % 2, group=i) for i in range(40)]
    stream = batches(pairs, replace(SETTINGS, batch_size=10))
    drawn = [next(stream) for _ in range(40)]
    assert all(len({pair.source for pair in batch}) == 1 for batch in drawn)
    assert {pair.group for batch in drawn for pair in batch} == set(range(40))


def test_unknown_pieces_add_nothing() -> None:
    ids = np.array([1, 2], dtype=np.int32)
    pairs = [EncodedPair(ids, ids, 0, i) for i in range(4)]
    counts = np.ones(3, dtype=np.int32)
    table = train_table(pairs, [[], [0], [0]], counts, replace(SETTINGS, num_steps=2))
    assert not table[0].any()
    assert table[1:].any(axis=1).all()
