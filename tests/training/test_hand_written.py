"""Papers written by hand: how a file of them is read, and what is drawn of them."""

import random
from pathlib import Path

import pytest

from training.reader import hand_written
from training.reader.hand_written import WrittenPapers
from training.reader.recipe import Mix
from training.reader.written import read_written

PAPER = """=== en | memo
T: Night shift at Harlow Quay
---
The winch jammed at 02:10. Kay Osei cleared it at 02:40.
The crane was not used again before 06:00, on the order of the harbour master of Harlow.
---
Q: When did the winch jam?
Q: what time was the winch stuck
A: 02:10
Q: Who fixed it at Harlow Quay?
A: Kay Osei
Q: What is the harbour master's name?
A: none
"""


def written(path: Path, text: str = PAPER) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_a_paper_has_its_text_and_the_places_of_its_answers(tmp_path: Path) -> None:
    (paper,) = read_written(written(tmp_path / "one.txt"))
    assert (paper.language, paper.kind, paper.title) == ("en", "memo", "Night shift at Harlow Quay")
    answers = [q.answer and paper.text[slice(*q.answer)] for q in paper.questions]
    assert answers == ["02:10", "Kay Osei", None]
    assert paper.questions[0].wordings == (
        "When did the winch jam?",
        "what time was the winch stuck",
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("A: 02:10", "A: 02:11", "one.txt:9: stands 0 times"),
        ("A: 02:10", "A: the", "say which"),
        ("A: 02:10", "A2: 02:10", "stands 1 times"),
        ("A: none\n", "", "without its answer"),
        ("A: none", "answer: none", "one.txt:13"),
        ("=== en", "=== fr", "one.txt:1"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_written(written(tmp_path / "one.txt", PAPER.replace(old, new)))


def test_the_second_place_of_the_same_words_can_be_meant(tmp_path: Path) -> None:
    text = PAPER.replace("before 06:00", "before 02:10").replace("A: 02:10", "A2: 02:10")
    (paper,) = read_written(written(tmp_path / "one.txt", text))
    assert paper.questions[0].answer == (paper.text.rindex("02:10"), paper.text.rindex("02:10") + 5)


def test_what_is_drawn_answers_or_does_not_hold_the_answer(tmp_path: Path) -> None:
    papers = tuple(read_written(written(tmp_path / "one.txt")))
    draw = WrittenPapers(papers, Mix(foreign=0.0, otherwise=0.0)).draw
    asked = [a for seed in range(300) if (a := draw(random.Random(seed)))]  # noqa: S311 - no secret
    for a in asked:
        if a.answer:
            assert a.text[slice(*a.answer)] in ("02:10", "Kay Osei")
        elif "winch jam" in a.question or "stuck" in a.question:
            assert "02:10" not in a.text
    assert {bool(a.answer) for a in asked} == {True, False}


def test_papers_that_are_held_are_not_trained_on() -> None:
    trained, held = hand_written.papers(held=False), hand_written.papers(held=True)
    assert trained and held
    assert not {paper.text for paper in trained} & {paper.text for paper in held}
