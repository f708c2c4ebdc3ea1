"""Training of the span weights: what it learns from a few questions, and that it repeats itself."""

import gzip
import json
from pathlib import Path

import pytest

from kb_service.generation.span_features import asked_words, features_of
from kb_service.generation.span_model import choose, load_weights
from kb_service.language.asked import parse_question
from training.span_examples import SpanExample, examples_of, token_spans
from training.span_training import train, write_weights

NAMES = ("甲乙", "丙丁", "戊己", "庚辛", "壬癸", "子丑", "寅卯", "辰巳")


def example(question: str, sentence: str, answer: str) -> SpanExample:
    features = features_of(asked_words(parse_question(question)), sentence)
    return SpanExample(
        asked_words(parse_question(question)),
        features,
        tuple(token_spans(features, sentence, [answer])),
    )


@pytest.fixture(scope="module")
def examples() -> list[SpanExample]:
    return [example("水厂的图纸出自谁？", f"水厂的图纸出自{name}之手笔。", name) for name in NAMES]


def test_it_learns_where_the_answer_stands_and_not_which_it_is(
    examples: list[SpanExample],
) -> None:
    weights = train(examples, seed=1)
    sentence = "水厂的图纸出自午未之手笔。"
    choice = choose(asked_words(parse_question("水厂的图纸出自谁？")), sentence, weights)
    assert choice is not None
    assert choice.span.of(sentence) == "午未"


def test_the_same_seed_writes_the_same_file(examples: list[SpanExample], tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        write_weights(train(examples, seed=1), tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert load_weights(tmp_path / "a.json", tmp_path / "a.json.sha256")


def test_a_gold_answer_is_found_in_tokens_wherever_it_stands() -> None:
    text = "Ann Lee met Bob; later Ann Lee left."
    features = features_of(asked_words(parse_question("Who left?")), text)
    assert token_spans(features, text, ["ann lee"]) == [(0, 1), (6, 7)]
    assert token_spans(features, text, ["nobody", ""]) == []


def test_examples_are_sentences_of_the_rows_that_hold_their_answer(tmp_path: Path) -> None:
    rows = [
        {"context": f"水厂建于19{n}0年。塔楼由{name}设计。", "title": f"塔楼{n}",
         "answerable": True, "question": "塔楼由谁设计？", "answers": [{"text": name, "start": 12}]}
        for n, name in enumerate(NAMES)
    ]  # fmt: skip
    rows.append({**rows[0], "answerable": False, "answers": []})
    (tmp_path / "train").mkdir()
    with gzip.open(tmp_path / "train" / "set.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    found = list(examples_of(tmp_path, "train/set", None, seed=1))
    assert len(found) == len(NAMES)
    assert all(e.answers == ((3, 4),) for e in found)
    assert len(list(examples_of(tmp_path, "train/set", 3, seed=1))) == 3
