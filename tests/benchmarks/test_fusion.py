"""The gate of the dense leg and the questions in the other language, on small values."""

from dataclasses import replace

from benchmarks.fusion import OTHER_LANGUAGE, in_other_language, policies, verdict
from benchmarks.memory_base import Corpus
from kb_service.evaluation.questions import LabelledQuestion

QUESTION = LabelledQuestion("q1", "Where did the accident with NTSB number NYC08CA055 happen?")


def column(lexical: list[float], hybrid: list[float]) -> dict[str, list[float]]:
    """Return the values of one set."""
    return {"lexical": lexical, "hybrid": hybrid}


def test_a_clear_gain_without_a_loss_passes_the_gate() -> None:
    better = column([0.5] * 50, [0.5 + 0.01 * (n % 5) for n in range(50)])
    assert verdict({"a": better, "b": better}).startswith("gate passed: mean +2.00")


def test_a_gain_within_chance_does_not_pass_the_gate() -> None:
    mixed = column([0.5] * 50, [0.5 + (-1) ** n * 0.1 + 0.001 for n in range(50)])
    assert verdict({"a": mixed}).startswith("gate NOT passed")


def test_one_set_that_loses_more_than_half_a_point_fails_the_gate() -> None:
    better, worse = column([0.5] * 50, [0.6] * 50), column([0.5] * 50, [0.494] * 50)
    assert verdict({"a": better, "b": worse}).startswith("gate NOT passed")
    slightly = column([0.5] * 50, [0.496] * 50)
    assert verdict({"a": better, "b": slightly}).startswith("gate passed")


def test_a_question_is_asked_anew_with_its_report_number_and_nothing_else_of_its_words() -> None:
    name = "demo/en_ntsb_qa"
    untold = [
        replace(QUESTION, kind="unanswerable"),
        LabelledQuestion("q2", "Where?", kind="location"),
    ]
    corpus = Corpus(name, {}, [replace(QUESTION, kind="location"), *untold], {})
    (asked,) = in_other_language(corpus).questions
    assert asked.text == "编号NYC08CA055的事故发生在哪里？"
    assert asked.id == "q1"


def test_every_template_has_one_place_for_the_number() -> None:
    for templates in OTHER_LANGUAGE.values():
        assert all(text.count("{}") == 1 for text in templates.values())


def test_only_the_hybrid_takes_the_weight_of_the_dense_leg() -> None:
    one, other = policies(0.2), policies(0.9)
    assert one["hybrid"].dense_weight == 0.2
    assert {name for name in one if one[name] != other[name]} == {"hybrid"}
