"""The papers in two languages hold what is asked of them, and an answer is judged by its words."""

from benchmarks.cross_answers import PAPERS, Asked, Outcome, read_papers, table
from tests.evaluation.test_judging import reply


def test_the_words_that_answer_stand_in_the_paper() -> None:
    papers, asked = read_papers(PAPERS)
    assert all(any(w in papers[one.paper][1] for w in one.right) for one in asked if one.paper)


def test_every_question_is_in_the_other_language_than_its_paper() -> None:
    _, asked = read_papers(PAPERS)
    groups = {group: sum(one.group == group for one in asked) for group in {a.group for a in asked}}
    assert min(groups[f"{language} questions"] for language in ("zh", "en")) >= 40


def test_an_answer_is_right_by_any_of_the_words_and_a_refusal_where_nothing_is_there() -> None:
    asked = Asked("几人受伤？", "bus.txt", ("Seven", "7"))
    right = Outcome(asked, is_found=True, answer=reply("Seven were hurt."))
    wrong = Outcome(asked, is_found=True, answer=reply("Two were hurt."))
    nothing = Outcome(Asked("谁？"), is_found=False, answer=reply("", status="refused"))
    assert [one.is_right for one in (right, wrong, nothing)] == [True, False, True]
    assert "| zh questions | 2 | 2 | 1 | 0 | 0 |" in table([right, wrong])
