"""What a sentence of one paper may answer where a question asks for something made of many."""

from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.services.refusing import FIELD_MISSING
from kb_service.services.telling import CANNOT_COUNT
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf, PointingReader
from tests.services.test_over_many import ask, desk_with
from tests.storage.world import build_world

LIFT = "Stuck in the lift at Tannery Court. Ten of us waited. £75 compensation is agreed with Shaw."
ROOF = "Roof leak at Mercer House. £100 compensation is agreed with Ms Whitlock."
YEAR = "Review of the year. Compensation came to £1160 in total. There were 22 complaints."
OUTAGE = "上坝村停水情况。3月9日停水31小时，赔付用户4560元。"
BURST = "人民路爆管情况。3月2日停水9小时，赔付用户680元。"
SUMMARY = "全年情况汇总。全年共赔付22622元。投诉22起。"


def read(
    folder: Path, question: str, words: str | tuple[str, ...], *texts: str, sure: float = 0.9
) -> Answer:
    """Ask it, where the reader points at those words with that confidence."""
    pointed = dict.fromkeys((words,) if isinstance(words, str) else words, sure)
    database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, folder)
    kb_id = world.catalog.bases.create("reports").id
    named = {f"p{n}.txt": text for n, text in enumerate(texts)}
    for name, text in named.items():
        world.ingest(kb_id, name, [text])
    return ask(desk_with(world, PointingReader(pointed), FakeShelf(**named)), question)


@pytest.mark.parametrize(
    ("question", "words", "texts"),
    [
        ("How much compensation did we pay in total?", "£75 compensation", (LIFT, ROOF)),
        ("How much compensation was paid in March altogether?", "£75 compensation", (LIFT, ROOF)),
        ("How much compensation in all was paid in 2024?", "£75 compensation", (LIFT, ROOF)),
        ("How much compensation was paid in total in Q3?", "£75 compensation", (LIFT, ROOF)),
        ("一共赔付多少钱？", "赔付用户4560元", (OUTAGE, BURST)),
        ("3月一共赔付多少钱？", "赔付用户4560元", (OUTAGE, BURST)),
        ("2024年3月上旬总共赔付多少钱？", "赔付用户680元", (OUTAGE, BURST)),
    ],
)
def test_a_sum_of_several_papers_is_not_what_one_of_them_paid(
    tmp_path: Path, question: str, words: str, texts: tuple[str, ...]
) -> None:
    answer = read(tmp_path, question, words, *texts)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, CANNOT_COUNT)
    assert len(answer.nearest) == len(texts)


@pytest.mark.parametrize(
    ("question", "words", "texts"),
    [
        ("How much compensation did we pay in total?", "£1160", (LIFT, ROOF, YEAR)),
        ("一共赔付多少钱？", "赔付22622元", (OUTAGE, BURST, SUMMARY)),
        ("How much compensation in total was agreed at Tannery Court?", "£75", (LIFT, ROOF)),
        ("How much compensation in total was agreed with Shaw?", "£75", (LIFT, ROOF)),
        ("3月9日一共赔付多少钱？", "赔付用户4560元", (OUTAGE, BURST)),
        ("上坝村一共停水多少小时？", "停水31小时", (OUTAGE, BURST)),
    ],
)
def test_a_sentence_that_tells_the_whole_or_of_the_one_that_is_named_does_say_it(
    tmp_path: Path, question: str, words: str, texts: tuple[str, ...]
) -> None:
    answer = read(tmp_path, question, words, *texts)
    assert answer.status is AnswerStatus.ANSWERED
    assert words in answer.answer


@pytest.mark.parametrize(
    "question", ["How many are about the lift?", "How many of these were about lifts?"]
)
def test_a_count_of_papers_is_no_number_that_one_of_them_says(
    tmp_path: Path, question: str
) -> None:
    answer = read(tmp_path, question, "Ten of us", LIFT, ROOF, sure=0.5)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, CANNOT_COUNT)


def test_a_count_by_a_name_that_the_records_lack_tells_the_name(tmp_path: Path) -> None:
    question = "How many complaints came from Tannery Court about noise?"
    answer = read(tmp_path, question, "Ten of us", LIFT, ROOF, sure=0.5)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, CANNOT_COUNT)
    assert "noise" in answer.answer


POLICY = "Our promise. The officer in charge pays up to £50 in each case."
BLOCKS = "Complaints of the year. There were 7 at Mercer House and 6 at Tannery Court."


@pytest.mark.parametrize(
    ("question", "words", "texts"),
    [
        ("How many new complaints per estate?", "£50", (LIFT, ROOF, POLICY)),
        ("How much was paid on the cases of each officer?", "£50", (LIFT, ROOF, POLICY)),
        ("出的事按车站分一下", "停水31小时", (OUTAGE, BURST)),
        ("投诉按小区统计一下有几起", "停水31小时", (OUTAGE, BURST)),
    ],
)
def test_a_number_of_each_is_not_what_a_sentence_says_of_one(
    tmp_path: Path, question: str, words: str, texts: tuple[str, ...]
) -> None:
    answer = read(tmp_path, question, words, *texts)
    assert answer.status is AnswerStatus.REFUSED


def test_a_sentence_that_tells_several_numbers_does_say_it(tmp_path: Path) -> None:
    question = "How many complaints were there at each block?"
    answer = read(tmp_path, question, "7 at Mercer House", LIFT, BLOCKS)
    assert answer.status is AnswerStatus.ANSWERED
    assert "6 at Tannery Court" in answer.answer


def test_the_most_of_several_is_not_what_several_papers_say_each(tmp_path: Path) -> None:
    """Several incidents were said to fit, and two of many were quoted."""
    answer = read(tmp_path, "哪次停水时间最长？", ("停水31小时", "停水9小时"), OUTAGE, BURST)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, FIELD_MISSING)
