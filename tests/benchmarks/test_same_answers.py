"""Whether two files of answers hold the same."""

import pytest

from benchmarks.same_answers import differences

ASKED = {"set": "a", "question": "Who?", "status": "answered", "answer": "Nobody."}


def test_equal_answers_differ_nowhere() -> None:
    assert differences([ASKED], [dict(ASKED)]) == []


def test_an_answer_that_changed_is_shown_with_both_forms() -> None:
    other = ASKED | {"answer": "Somebody."}
    assert differences([ASKED], [other]) == [(ASKED, other)]


def test_files_of_different_questions_cannot_be_compared() -> None:
    with pytest.raises(SystemExit, match="different questions"):
        differences([ASKED], [ASKED | {"question": "When?"}])
