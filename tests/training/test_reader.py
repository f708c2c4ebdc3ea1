"""What the reader learns from, and that a run that was stopped goes on as if it had not been."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from kb_service.encoder.tensors import SCALE
from kb_service.language.text import is_chinese
from tests.encoder.tiny_bert import write_tiny_encoder
from training.encoder.package import quantized
from training.reader import listed, reports, writing
from training.reader.asking import left_out
from training.reader.export import mean_weights
from training.reader.introducing import introduced
from training.reader.network import shipped
from training.reader.passages import Asked, Encoder
from training.reader.recipe import MAX_TOKENS, Mix
from training.reader.sources import QuestionSets, Row, said_otherwise
from training.run_files import CHECKPOINT_FILE, save_checkpoint

SEEN = [
    ("zh", "form"), ("zh", "prose"), ("zh", "sections"), ("zh", "report"), ("en", "prose"),
    ("en", "mail"), ("en", "report"),
]  # fmt: skip


def drawn(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


@pytest.mark.parametrize(("language", "layout"), [*SEEN, *sorted(reports.HELD)])
def test_a_paper_states_its_slots_where_it_says(language: str, layout: str) -> None:
    for seed in range(30):
        paper = writing.paper(language, layout, drawn(seed))
        assert paper.stated
        for slot, (start, end) in paper.stated.items():
            value = paper.facts["area_m" if slot == "area" else slot]
            assert paper.text[start:end] == value


def test_half_known_papers_are_asked_for_what_they_say_and_for_what_they_do_not() -> None:
    asked = [reports.invent(drawn(seed)) for seed in range(400)]
    found = [a for a in asked if a]
    answered = [a for a in found if a.answer]
    assert len(found) > 380
    assert 0.5 < len(answered) / len(found) < 0.85
    for a in answered:
        assert a.answer is not None
        words = a.text[slice(*a.answer)]
        assert words and words == words.strip()


def test_the_same_seed_invents_the_same() -> None:
    assert reports.invent(drawn(7)) == reports.invent(drawn(7))


def test_held_layouts_are_never_trained_on() -> None:
    seen: list[tuple[str, str]] = []
    real = reports.paper

    def noted(language: str, layout: str, rng: random.Random) -> writing.Paper:
        seen.append((language, layout))
        return real(language, layout, rng)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "paper", noted)
        for seed in range(300):
            reports.invent(drawn(seed))
    assert set(seen) and not set(seen) & reports.HELD


@pytest.mark.parametrize("make", [listed.timeline, listed.tasks, listed.statistics])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_of_many_alike_things_is_asked_and_its_own_place_answers(
    make: Callable[[str, random.Random], Asked | None], language: str
) -> None:
    asked = [found for seed in range(60) if (found := make(language, drawn(seed)))]
    answers = [a.text[slice(*a.answer)] for a in asked if a.answer]
    assert len(asked) > 50
    assert 20 < len(answers) < len(asked)
    assert all(answer and "{" not in answer for answer in answers)
    assert not any("{" in f"{a.question}{a.title}{a.text}" for a in asked)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_paper_leaves_out_stands_nowhere_in_it(language: str) -> None:
    for seed in range(60):
        paper = writing.paper(language, "report", drawn(seed))
        slot = left_out(paper, drawn(seed))
        if slot:
            assert slot not in paper.stated
            assert paper.facts[writing.field(slot)] not in paper.text


def test_a_paper_is_asked_in_the_other_language_too() -> None:
    asked = [found for seed in range(800) if (found := reports.invent(drawn(seed)))]
    chinese = [a for a in asked if is_chinese(a.text) and not is_chinese(a.question)]
    english = [a for a in asked if not is_chinese(a.text) and is_chinese(a.question)]
    for across in (chinese, english):
        assert len(across) > 10
        assert any(a.answer for a in across) and not all(a.answer for a in across)


def test_a_title_tells_what_the_text_meets_of_a_question_and_nothing_else() -> None:
    text = "The blaze at Harlow Road in Redhill began at noon."
    told = introduced(Asked("Who died at Harlow Road in Redhill?", "Report", text, None)).title
    assert "Harlow Road" in told
    other = Asked("Who died at Norton Street?", "Report", text, None)
    assert introduced(other).title == "Report"


ROWS = [
    Row("Who shut the valve in 1998?", "Valves", "Kay shut the valve in 1998.", (0, 3)),
    Row("Where is Redford?", "Towns", "Redford lies in the north.", (13, 25)),
    Row("Why?", "Towns", "Nobody knows.", None),
]


def test_negatives_have_no_answer_and_never_hold_the_true_one() -> None:
    sets = QuestionSets(ROWS, Mix(foreign=0.5, swapped=0.5, otherwise=0.0))
    for seed in range(200):
        asked = sets.draw(drawn(seed))
        if asked is None:
            continue
        assert asked.answer is None
        own = next((row for row in ROWS if row.question == asked.question), None)
        if own and own.answer:
            assert own.context[slice(*own.answer)] not in asked.text


def test_a_question_said_otherwise_is_never_empty() -> None:
    for seed in range(100):
        assert said_otherwise("为什么会起火？", drawn(seed)).strip()
        assert said_otherwise("Why did it burn?", drawn(seed)).strip()


def tiny(tmp_path: Path) -> Encoder:
    from tokenizers import Tokenizer

    folder = write_tiny_encoder(tmp_path / "tiny")
    return Encoder(Tokenizer.from_file(str(folder / "tokenizer.json")))


def test_a_window_of_a_long_text_holds_the_answer(tmp_path: Path) -> None:
    encoder = tiny(tmp_path)
    text = "fire " * 300 + "火灾 " + "fire " * 300
    start = text.index("火灾")
    for seed in range(20):
        example = encoder.encode(Asked("fire?", "T", text, (start, start + 2)), drawn(seed))
        assert example is not None
        assert len(example.ids) <= MAX_TOKENS
        assert 0 < example.first <= example.last < len(example.ids)


def test_no_answer_points_at_the_first_token(tmp_path: Path) -> None:
    example = tiny(tmp_path).encode(Asked("fire?", "", "fire", None), drawn(1))
    assert example is not None and (example.first, example.last) == (0, 0)


def test_of_several_runs_the_mean_of_their_average_weights_is_packaged(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    for step, value in ((3, 1.0), (5, 4.0)):
        tensors = {"average.span.bias": torch.full((2,), value), "live.span.bias": torch.zeros(2)}
        optimiser = torch.optim.AdamW([parameter])
        save_checkpoint(tmp_path / str(step), tensors, optimiser, {"step": str(step)})
    steps, weights = mean_weights([tmp_path / "3", tmp_path / "5"])
    assert steps == [3, 5]
    assert {name: values.tolist() for name, values in weights.items()} == {"span.bias": [2.5, 2.5]}
    assert mean_weights([tmp_path / "5"])[1]["span.bias"].tolist() == [4.0, 4.0]


def test_a_run_goes_on_from_the_bytes_of_a_shipped_reader(tmp_path: Path) -> None:
    matrix = np.array([[0.5, -1.0], [0.25, 0.125]], dtype=np.float32)
    codes, scales = quantized(matrix)
    name = "encoder.layer.0.output.dense.weight"
    stored = {name: codes, name + SCALE: scales, "head.span.bias": np.float32([1, 2])}
    save_file(stored, tmp_path / "model.safetensors")
    found = shipped(tmp_path / "model.safetensors")
    assert found.keys() == {f"encoder.{name}", "span.bias"}
    assert found[f"encoder.{name}"].numpy() == pytest.approx(matrix, abs=0.01)
    assert found["span.bias"].tolist() == [1, 2]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    from training.reader.network import ReaderNetwork
    from training.reader.recipe import Recipe, Schedule
    from training.reader.trainer import Batches, Run

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=64, hidden_size=384, num_hidden_layers=1, num_attention_heads=4,
        intermediate_size=32, max_position_embeddings=256, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    schedule = Schedule(num_steps=4, batch_size=2, pool_steps=2, reports_from=0, warmup_steps=1,
                        report_every=1, checkpoint_every=2)  # fmt: skip
    recipe = Recipe(schedule=schedule)
    encoder, state = tiny(tmp_path), BertModel(config, add_pooling_layer=False).state_dict()

    def run(folder: str) -> Run:
        bert = BertModel(config, add_pooling_layer=False)
        bert.load_state_dict(state)
        torch.manual_seed(1)
        makers = dict.fromkeys(
            ("chinese", "traditional", "english", "science", "reports", "written"),
            lambda rng: Asked("fire?", "", "fire 火灾", (5, 7) if rng.random() < 0.5 else None),
        )
        return Run(tmp_path / folder, ReaderNetwork(bert), Batches(makers, encoder, recipe),
                   recipe, bf16=False)  # fmt: skip

    whole = run("whole")
    whole.train(None, lambda _: None)
    first = run("parts")
    first.train(0.0, lambda _: None)  # a deadline that has passed: it stops behind one step
    assert first.step == 1 and (tmp_path / "parts" / CHECKPOINT_FILE).is_file()
    second = run("parts")
    assert second.resume()
    second.train(None, lambda _: None)
    lines = [json.loads(line) for line in (tmp_path / "parts" / "curve.jsonl").open()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    for name, value in whole.network.state_dict().items():
        assert torch.allclose(value, second.network.state_dict()[name], atol=1e-6), name
