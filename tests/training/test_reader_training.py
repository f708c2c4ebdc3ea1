"""Training the pocket reader: first weights, determinism, going on after a kill, the export."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kb_service.domain.spans import TextSpan
from llm.chats.chat import ChatMessage
from llm.chats.chat_model import ChatModel
from llm.checkpoints.checkpoint import load_model
from llm.models.build import random_model
from llm.models.naive import logits
from tests.training.reader_data import write_reader_data
from training.reader.__main__ import main
from training.reader.batches import Order, rows_of
from training.reader.copy_circuit import wire
from training.reader.export import export, read_checkpoint
from training.reader.network import ReaderNetwork
from training.reader.prepare import SHARDS, prepare
from training.reader.reading import CopyingReader
from training.reader.recipe import CPU, GPU, TINY, Recipe, model_config
from training.reader.shards import read_manifest, read_shard
from training.reader.trainer import (
    Machine,
    Run,
    learning_rate,
)
from training.run_files import CHECKPOINT_FILE, CURVE_FILE, read_curve

EAGER = Machine(num_threads=1, compiled=False)
NewRun = Callable[..., Run]


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader")
    prepare(write_reader_data(folder / "data"), folder / "shards", TINY, silent)
    return folder / "shards"


@pytest.fixture
def new_run(shards: Path, tmp_path: Path) -> NewRun:
    def build(name: str, recipe: Recipe = TINY) -> Run:
        num_ids = read_manifest(shards)["num_ids"]
        loaded = {each: read_shard(shards, each) for each in SHARDS}
        return Run(tmp_path / name, loaded, num_ids, recipe, EAGER)

    return build


@pytest.fixture
def exported(shards: Path, new_run: NewRun, tmp_path: Path) -> Path:
    run = new_run("run")
    run.train(4, None, silent)
    export(run.folder, shards, tmp_path / "model", TINY, "float32", silent)
    return tmp_path / "model"


def curve_of(run: Path) -> list[dict[str, float]]:
    return [line | {"seconds": 0.0} for line in read_curve(run / CURVE_FILE)]


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / CHECKPOINT_FILE)


def test_first_weights_already_copy_what_followed_a_token_before() -> None:
    config = model_config(TINY.size, 1500)
    model = random_model(config)
    wire(model, seed=0)
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(300, 1400, (60,), generator=generator).tolist()
    repeated = ids + ids[10:40]
    (scores,) = logits(model, [repeated])
    places = range(len(ids) + 1, len(repeated) - 1)
    ranks = [int((scores[p] > scores[p][repeated[p + 1]]).sum()) for p in places]
    assert sorted(ranks)[len(ranks) // 2] == 0
    assert max(ranks) < 15  # of 1504 ids


def test_every_size_can_be_wired_and_a_single_layer_cannot() -> None:
    for recipe in (CPU, TINY):
        wire(random_model(model_config(recipe.size, 400)), seed=1)
    flat = replace(TINY.size, num_layers=1)
    with pytest.raises(ValueError, match="at least 2"):
        wire(random_model(model_config(flat, 400)), seed=1)


def test_the_gpu_size_is_that_of_its_recipe() -> None:
    config = model_config(GPU.size, 8009)
    assert 40e6 < config.num_parameters < 46e6


def test_the_same_seed_gives_the_same_weights_and_curve(new_run: NewRun) -> None:
    for name in ("a", "b"):
        new_run(name).train(4, None, silent)
    first, second = (new_run(name).folder for name in ("a", "b"))
    assert curve_of(first) == curve_of(second)
    one, two = weights_of(first), weights_of(second)
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = new_run("c", replace(TINY, seed=5))
    other.train(4, None, silent)
    assert curve_of(other.folder) != curve_of(first)


def test_a_resumed_run_equals_an_unbroken_one(new_run: NewRun) -> None:
    new_run("whole").train(8, None, silent)
    new_run("broken").train(3, None, silent)
    going_on = new_run("broken")
    assert going_on.resume()
    assert going_on.step == 3
    going_on.train(8, None, silent)
    whole = new_run("whole").folder
    assert curve_of(going_on.folder) == curve_of(whole)
    one, two = weights_of(going_on.folder), weights_of(whole)
    assert set(one) == set(two)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_killed_run_goes_on_and_draws_the_same_curve(
    shards: Path, new_run: NewRun, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "training.reader", "train", "--recipe", "tiny", "--eager"]
    command += ["--threads", "1", "--shards", str(shards), "--out", str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(read_curve(killed / CURVE_FILE)) < 5:
        assert process.poll() is None or (killed / CHECKPOINT_FILE).exists()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    going_on = new_run("killed")
    assert going_on.resume()
    going_on.train(8, None, silent)
    new_run("whole").train(8, None, silent)
    assert curve_of(killed) == curve_of(new_run("whole").folder)


def test_a_checkpoint_of_another_recipe_is_refused(new_run: NewRun) -> None:
    new_run("run").train(1, None, silent)
    other = new_run("run", replace(TINY, name="other"))
    with pytest.raises(ValueError, match="expected 'other'"):
        other.resume()


def test_a_deadline_ends_the_run_with_a_checkpoint(new_run: NewRun) -> None:
    run = new_run("late")
    run.train(8, time.time(), silent)
    assert run.step == 1
    assert new_run("late").resume()


def test_training_lowers_the_loss_of_what_it_sees(new_run: NewRun) -> None:
    schedule = replace(TINY.schedule, num_steps=16, learning_rate=3e-3)
    run = new_run("longer", replace(TINY, schedule=schedule))
    run.train(16, None, silent)
    curve = curve_of(run.folder)
    assert curve[-1]["labels"] < 0.8 * curve[0]["labels"]
    assert curve[-1]["citation"] < curve[0]["citation"]


def test_the_exported_folder_gives_the_scores_of_the_training_forward(
    exported: Path, shards: Path, new_run: NewRun
) -> None:
    run = new_run("run")
    run.resume()
    network = ReaderNetwork(random_model(run.network.model.config), TINY.losses)
    network.model.load_state_dict(run.averaged())
    loaded = {each: read_shard(shards, each) for each in SHARDS}
    order = Order({name: len(shard) for name, shard in loaded.items()}, TINY)
    rows = rows_of(order.picks(0), loaded, 0, TINY, torch.device("cpu"))
    with torch.inference_mode():
        states, _ = network.states(rows)
        trained = network.model.head(states)
    model = load_model(exported, device="cpu")
    for row in range(len(rows.ids)):
        for number in range(1, int(rows.examples[row].max()) + 1):
            place = rows.examples[row] == number
            (released,) = logits(model, [rows.ids[row][place].tolist()])
            torch.testing.assert_close(trained[row][place], released, rtol=1e-4, atol=1e-4)


def test_the_export_has_the_average_and_no_auxiliary_head(exported: Path, new_run: NewRun) -> None:
    state = load_file(exported / "model.safetensors")
    assert all(key.startswith("transformer.") for key in state)
    weights = read_checkpoint(new_run("run").folder).weights
    embedding = state["transformer.embedding.word_embeddings.weight"]
    assert torch.equal(embedding, weights["embedding.weight"])
    names = {"LICENSE", "MODEL_CARD.md", "SHA256SUMS.json", "config.json", "tokenizer.model"}
    assert names < {path.name for path in exported.iterdir()}
    assert "CC BY-SA" in (exported / "LICENSE").read_text(encoding="utf-8")


def test_the_exported_folder_chats_like_any_checkpoint(exported: Path) -> None:
    model = ChatModel.load(exported, device="cpu")
    reply = model.chat([ChatMessage("user", "何时？\n[1] 建于1957年。\n何时？")])
    assert isinstance("".join(reply), str)
    assert reply.usage.completion_tokens >= 1


def test_a_reading_is_words_of_the_sentence_it_names(exported: Path) -> None:
    reader = CopyingReader.load(exported)
    sentences = ["大桥建成于1957年10月15日。", "It is in Wuhan, a city of China."]
    for forced in (1, 2):
        reading = reader.read("大桥何时建成？", sentences, forced=forced)
        assert reading.number == forced
        assert reading.span is not None
        assert reading.span.of(sentences[forced - 1]).strip()
        assert 0 <= reading.citation <= 1
    free = reader.read("大桥何时建成？", sentences)
    assert 0 <= free.number <= 2


def test_scores_of_candidates_are_those_of_reading_them_alone(exported: Path) -> None:
    reader = CopyingReader.load(exported)
    sentence, question = "大桥建成于1957年10月15日。", "大桥何时建成？"
    spans = [TextSpan(5, 10), TextSpan(0, 2), TextSpan(5, 16)]
    together = reader.score(question, [sentence], 1, spans)
    for span, reading in zip(spans, together, strict=True):
        (alone,) = reader.score(question, [sentence], 1, [span])
        assert reading.log_probability == pytest.approx(alone.log_probability, abs=1e-3)
        assert reading.log_probability < 0
    greedy = reader.read(question, [sentence], forced=1)
    assert greedy.span is not None
    (again,) = reader.score(question, [sentence], 1, [greedy.span])
    assert again.log_probability <= 0


def test_the_learning_rate_warms_up_and_ends_at_a_tenth() -> None:
    schedule = TINY.schedule
    rates = [learning_rate(schedule, step) for step in range(schedule.num_steps)]
    assert rates[0] == pytest.approx(schedule.learning_rate / schedule.warmup_steps)
    assert max(rates) == schedule.learning_rate
    assert learning_rate(schedule, schedule.num_steps) == pytest.approx(max(rates) / 10)


def test_a_dry_run_writes_nothing(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dry"
    paths = ["--shards", str(shards), "--out", str(out)]
    main(["train", "--recipe", "tiny", "--eager", "--threads", "1", "--dry-run", "2", *paths])
    assert not out.exists()
    assert capsys.readouterr().out.count('"step"') == 2


def test_a_run_is_not_overwritten_by_accident(shards: Path, new_run: NewRun) -> None:
    run = new_run("kept")
    run.train(1, None, silent)
    paths = ["--shards", str(shards), "--out", str(run.folder)]
    with pytest.raises(SystemExit, match="--resume"):
        main(["train", "--recipe", "tiny", "--eager", *paths])
