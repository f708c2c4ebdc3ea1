"""The questions in everyday words are judged by what was drawn, and a wrong answer is found out."""

import tomllib

import pytest

from benchmarks.everyday import QUESTIONS, answered, asked_of, filled, made_rows, verdict
from benchmarks.made_up_base import made_up_base

CONTENT = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("made", CONTENT["base"], ids=lambda made: made["name"])
def test_a_third_of_the_questions_is_held(made: dict) -> None:  # type: ignore[type-arg]
    texts = [text for text, *_ in (*made["questions"], *made["held"])]
    assert len(set(texts)) == len(texts)
    assert 3 * len(made["held"]) >= len(texts) - 2


def test_an_answer_is_right_when_its_records_are() -> None:
    made = CONTENT["base"][0]
    rows = made_rows(made, CONTENT["values"][made["language"]], 1)
    with made_up_base() as base:
        held = filled(base, made, rows)
        assert len(held.rows) == len(rows)
        text = "{reporter}一共报了几次警".format(**asked_of("x", held))
        reporter = asked_of("x", held)["reporter"]
        result = answered(base, text)
        assert verdict(held, "count", f"reporter={reporter}", result) == "right"
        assert verdict(held, "count", f"handler={reporter}", result) == "wrong"
        assert verdict(held, "refused", "", result) == "wrong"
        assert verdict(held, "count", "", None) == "refused"
