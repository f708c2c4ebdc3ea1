"""The questions in everyday words are judged by what was drawn, and a wrong answer is found out."""

import tomllib

import pytest

from benchmarks.everyday import (
    FRESH_QUESTIONS,
    QUESTIONS,
    asked_of,
    filled,
    filling,
    made_rows,
)
from benchmarks.made_up_base import made_up_base
from benchmarks.record_verdicts import answered, verdict

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


def test_of_the_questions_of_other_hands_half_are_of_shapes_only_measured() -> None:
    bases = tomllib.loads(FRESH_QUESTIONS.read_text(encoding="utf-8"))["base"]
    for name in ("questions", "unseen"):
        assert sum(len(made.get(name, ())) for made in bases) == 75
    assert all(("questions" in made) is not ("unseen" in made) for made in bases)


def test_a_question_that_goes_on_is_judged_by_the_records_of_both() -> None:
    content = tomllib.loads(FRESH_QUESTIONS.read_text(encoding="utf-8"))
    made = next(one for one in content["base"] if one["name"] == "mail thread, en")
    with made_up_base() as base:
        held = filling(made, content, 1, is_fresh=True)(base)
        text = "How many fires were there in 2024? >> and in 2025?"
        asked = answered(base, text)
        later = "kind=fire; from=2025-01-01"
        assert verdict(held, "count", later, asked) == "right"
        assert verdict(held, "count", "kind=fire", asked) == "wrong"
