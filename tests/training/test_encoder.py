"""The encoder on generated data: it starts as a bag, learns, goes on where it stopped, exports."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from retrievers.embedding import SentenceTransformerEmbedder, load_embedder
from training.contrastive import EncodedPair, FloatArray, IntArray, clustered
from training.curve_picture import smoothed
from training.encoder.curve_picture import curve_svg
from training.encoder.export import export
from training.encoder.network import embed_all, starting_encoder, starting_vectors
from training.encoder.prepared import TOKENIZER_FILE, Prepared, Probe
from training.encoder.recipe import EncoderRecipe, EncoderSize, Schedule
from training.encoder.trainer import (
    Machine,
    Run,
    rate_factor,
)
from training.run_files import CHECKPOINT_FILE, CURVE_FILE, read_checkpoint, read_curve
from training.seeding import seeded
from training.vocabulary import build_tokenizer

NUM_WORDS = 60
NUM_PIECES = 2 * NUM_WORDS + 1
SIZE = EncoderSize(width=32, num_layers=2, num_heads=2, head_dimension=8, inner_width=16)
SCHEDULE = Schedule(
    num_steps=40,
    batch_size=32,
    learning_rate=5e-3,
    vector_rate=2e-2,
    warmup_steps=3,
    rows_per_pass=16,
    report_every=2,
    probe_every=10,
    checkpoint_every=4,
)
RECIPE = EncoderRecipe(size=SIZE, schedule=SCHEDULE, shares=(("question", 1.0),))
NewRun = Callable[..., Run]


def bag(table: FloatArray, texts: list[IntArray]) -> FloatArray:
    means = np.stack([table[text].mean(axis=0) for text in texts])
    unit: FloatArray = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


def synonyms(seed: int, count: int) -> tuple[list[IntArray], list[IntArray]]:
    """Questions of words 1 to 60, passages of their synonyms, 61 to 120."""
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(NUM_WORDS, 3, replace=False).astype(np.int32) + 1 for _ in range(count)]
    return chosen, [rng.permutation(ids + NUM_WORDS).astype(np.int32) for ids in chosen]


@pytest.fixture(scope="module")
def table() -> FloatArray:
    rows = np.random.default_rng(0).normal(size=(NUM_PIECES, 24)).astype(np.float32)
    rows *= np.linspace(0.2, 2.0, NUM_PIECES, dtype=np.float32)[:, None]
    rows[0] = 0.0
    return rows


@pytest.fixture(scope="module")
def prepared(table: FloatArray) -> Prepared:
    pairs = [
        EncodedPair(query, passage, source=0, group=number)
        for number, (query, passage) in enumerate(zip(*synonyms(1, 200), strict=True))
    ]
    questions, passages = synonyms(2, 50)
    probe = Probe("zh_drcd", questions, passages, np.arange(50, dtype=np.int32))
    return Prepared(pairs, ["zh_drcd/window"], table, [probe])


@pytest.fixture
def new_run(prepared: Prepared, tmp_path: Path) -> NewRun:
    def build(name: str, recipe: EncoderRecipe = RECIPE) -> Run:
        return Run(tmp_path / name, prepared, recipe, Machine())

    return build


def quiet(_: str) -> None:
    """A log that nobody reads."""


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in run.model.named_parameters()}


def test_before_any_step_the_encoder_is_the_mean_of_the_bag(table: FloatArray) -> None:
    texts = [*synonyms(3, 8)[0], np.array([1], dtype=np.int32), np.arange(40, dtype=np.int32)]
    model = starting_encoder(table, SIZE, seed=0)
    with torch.inference_mode():
        found = embed_all(model, texts, 64, 4).numpy()
    expected = bag(table, texts)
    assert np.abs(found @ found.T - expected @ expected.T).max() < 1e-5


def test_starting_vectors_are_equally_long_and_keep_how_much_a_word_weighs(
    table: FloatArray,
) -> None:
    vectors = starting_vectors(table, 32)
    assert np.allclose((vectors**2).sum(axis=1), 32, rtol=1e-4)
    ratio = np.linalg.norm(vectors[1:-2, 1:], axis=1) / np.linalg.norm(table[1:], axis=1)
    assert np.allclose(ratio, ratio[0], rtol=1e-4)


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch(prepared: Prepared) -> None:
    model = starting_encoder(prepared.table, SIZE, seed=0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    texts = [np.arange(1, 4 + 3 * n, dtype=np.int32) for n in range(6)]
    with torch.inference_mode():
        together = embed_all(model, texts, 64, 4)
        alone = torch.cat([embed_all(model, [text], 64, 1) for text in texts])
    assert torch.allclose(together, alone, atol=1e-5)


def test_the_order_of_words_counts_once_the_layers_are_not_silent(prepared: Prepared) -> None:
    model = starting_encoder(prepared.table, SIZE, seed=0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=1.0)
    text = np.arange(1, 12, dtype=np.int32)
    with torch.inference_mode():
        one, other = embed_all(model, [text, text[::-1].copy()], 64, 2)
    assert torch.dot(one, other) < 0.999


def test_training_finds_held_out_passages_that_share_no_word(new_run: NewRun) -> None:
    run = new_run("learns")
    run.train(SCHEDULE.num_steps, None, quiet)
    curve = read_curve(run.folder / CURVE_FILE)
    probes = [line["zh_drcd"] for line in curve if "zh_drcd" in line]
    assert len(probes) == 5
    assert probes[0] < 0.2
    assert probes[-1] > 0.6
    assert curve[-1]["pairs"] == SCHEDULE.num_steps * SCHEDULE.batch_size


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(new_run: NewRun) -> None:
    whole = new_run("whole")
    whole.train(8, None, quiet)
    new_run("parts").train(4, None, quiet)
    rest = new_run("parts")
    assert rest.resume()
    assert rest.step == 4
    rest.train(8, None, quiet)
    for name, value in weights_of(whole).items():
        assert torch.equal(value, weights_of(rest)[name]), name
    steps = [line["step"] for line in read_curve(rest.folder / CURVE_FILE)]
    assert steps == [0, 2, 4, 6, 8]


def test_another_seed_gives_other_weights(new_run: NewRun) -> None:
    one, other = new_run("one"), new_run("other", replace(RECIPE, seed=1))
    for run in (one, other):
        run.train(2, None, quiet)
    name = "layers.0.mlp.gate_proj.weight"
    assert not torch.equal(weights_of(one)[name], weights_of(other)[name])


def test_a_deadline_ends_the_run_with_a_checkpoint(new_run: NewRun) -> None:
    run = new_run("late")
    run.train(SCHEDULE.num_steps, 0.0, quiet)
    assert run.step == 1
    assert read_checkpoint(run.folder / CHECKPOINT_FILE)[0]["step"] == "1"


def test_a_checkpoint_of_another_recipe_is_refused(new_run: NewRun) -> None:
    run = new_run("run")
    assert not run.resume()
    run.train(1, None, quiet)
    with pytest.raises(ValueError, match=r"seed=0.*expected.*seed=1"):
        new_run("run", replace(RECIPE, seed=1)).resume()


def test_an_exported_folder_gives_the_vectors_of_the_network(
    new_run: NewRun, tmp_path: Path
) -> None:
    words = {chr(0x4E00 + n): NUM_PIECES - n for n in range(1, NUM_PIECES)}
    tokenizer = build_tokenizer(words)
    tokenizer.save(str(tmp_path / TOKENIZER_FILE))
    run = new_run("run")
    run.train(3, None, quiet)
    export(run.folder, tmp_path, tmp_path / "model", SIZE)
    embedder = load_embedder(str(tmp_path / "model"))
    assert isinstance(embedder, SentenceTransformerEmbedder)
    rng = seeded(0)
    texts = ["".join(rng.choices(list(words), k=n)) for n in (1, 5, 30)]
    found = np.stack([np.frombuffer(v, "<f4") for v in embedder.embed_passages([*texts, ""])])
    ids = [np.array(e.ids, dtype=np.int32) for e in tokenizer.encode_batch([*texts, ""])]
    with torch.inference_mode():
        expected = embed_all(run.model, ids, SIZE.max_tokens, 4).numpy()
    assert (found * expected).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(np.frombuffer(embedder.embed_query("。"), "<f4")).all()


def test_the_rate_rises_and_falls_to_nothing() -> None:
    factors = [rate_factor(SCHEDULE, step) for step in range(SCHEDULE.num_steps)]
    assert max(factors) == factors[2]
    assert factors[0] == pytest.approx(1 / 3)
    assert 0 < factors[-1] < 0.03


def test_pairs_of_near_groups_stand_together_and_none_is_lost() -> None:
    ids = np.array([1], dtype=np.int32)
    near = {0: (3, 4), 3: (5,), 4: (0,)}
    pairs = [EncodedPair(ids, ids, 0, n % 6, near.get(n % 6, ())) for n in range(12)]
    order = clustered(pairs)
    assert [pair.group for pair in order[:3]] == [0, 3, 4]
    assert sorted(map(id, order)) == sorted(map(id, pairs))
    plain = [replace(pair, near=()) for pair in pairs]
    assert clustered(plain) == plain


def test_the_picture_of_a_curve_has_a_line_for_the_loss_and_each_held_set() -> None:
    curve = [{"pairs": 128 * n, "seconds": n, "loss": 1 / n, "zh_drcd": 0.5} for n in range(1, 9)]
    assert curve_svg(curve).count("<polyline") == 2
    assert smoothed([1.0, 3.0]) == [1.0, 2.0]
    with pytest.raises(ValueError, match="0 lines"):
        curve_svg([])
