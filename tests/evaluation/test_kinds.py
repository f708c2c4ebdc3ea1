"""Questions by kind: every question has one fate, and wrong documents are counted."""

from dataclasses import replace

from kb_service.domain.answers import Answer
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.judging import Outcome, judge_answer, judge_failure
from kb_service.evaluation.kinds import KindCounts, count_by_kind
from kb_service.evaluation.questions import LabelledQuestion
from tests.evaluation.test_judging import ASKED, GOOD, SENTENCE, citation, reply, stored

REFUSAL = reply("The documents do not say.", status="refused")
OTHER = reply(
    SENTENCE,
    citation(SENTENCE, TextSpan(0, len(SENTENCE))),
    citation("Nobody was hurt.", TextSpan(0, len(SENTENCE)), "valve"),
)


def of(kind: str, answer: Answer = GOOD, answers: tuple[str, ...] = ASKED.answers) -> Outcome:
    return judge_answer(replace(ASKED, kind=kind, answers=answers), answer, stored, 0.1)


def test_each_kind_has_a_row_and_all_have_one() -> None:
    missing = LabelledQuestion("u", "Who flew it?", is_answerable=False, kind="near miss")
    outcomes = [
        of("plain"),
        of("plain", OTHER),
        of("plain", REFUSAL),
        of("plain", answers=("15:00",)),
        judge_answer(missing, REFUSAL, stored, 0.1),
        judge_answer(missing, GOOD, stored, 0.1),
        judge_failure(replace(ASKED, kind="long"), "broken", 0.1),
    ]
    assert count_by_kind(outcomes) == [
        KindCounts("plain", 4, right=2, wrong=1, refused=1, wrong_verified=1, cited=3,
                   other_document=1),
        KindCounts("near miss", 2, right=1, wrong=1, refused=0, wrong_verified=1, cited=0,
                   other_document=0),
        KindCounts("long", 1, right=0, wrong=1, refused=0, wrong_verified=0, cited=0,
                   other_document=0),
        KindCounts("all", 7, right=3, wrong=3, refused=1, wrong_verified=2, cited=3,
                   other_document=1),
    ]  # fmt: skip


def test_questions_without_a_kind_have_the_row_of_all_only() -> None:
    [row] = count_by_kind([of(""), of("", REFUSAL)])
    assert (row.kind, row.num, row.right, row.refused) == ("all", 2, 1, 1)
