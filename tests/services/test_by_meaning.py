"""Questions that call a sort of happening that no field and no word of a record says: a model
judges, and it is told that one did."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.judged import Fit
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Operation
from kb_service.generation.words_reader import WordsReader
from kb_service.services import meant_records
from kb_service.services.asking import AskRequest, CitationEvent, DoneEvent, TokenEvent
from kb_service.storage.database import open_database
from tests.services.answer_fakes import FakeShelf, WordJudge
from tests.services.test_over_many import ask, desk_with, goes_on
from tests.storage.world import World, build_world

FITS, OPEN = Fit.FITS, Fit.OPEN
_ROW = "流水: {}; 时间: {}; 地点: {}; 经过: {}; 受伤人数: {}"
LEDGER = [
    _ROW.format("A-1", "2024-04-02", "三病区", "病人下床时滑倒，额头擦伤", 1),
    _ROW.format("A-2", "2024-04-05", "药房", "发错一盒药，当场换回", 0),
    _ROW.format("A-3", "2024-05-11", "门诊大厅", "老人被台阶绊住，脚踝肿了", 2),
    _ROW.format("A-4", "2024-05-20", "食堂", "一锅热水洒在手上，起了泡", 4),
]
_FORM = "事件报告\n编号：{}\n发生时间：{}\n地点：{}\n经过：{}\n受伤人数：{}"
PAPERS = {
    "报告一.txt": _FORM.format("B-1", "2024年4月20日8时", "三病区", "病人在卫生间滑倒。", 1),
    "报告二.txt": _FORM.format("B-2", "2024年5月2日8时", "放射科", "病人起身时站不稳。", 0),
}
FALLS = {"滑倒": FITS, "绊住": FITS, "站不稳": OPEN}
JUDGED = "是否属于“摔倒”，由模型根据每条记录的内容判断"
HOW_MANY = "摔倒的一共几起？"


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "台账.csv", LEDGER)
    for name, text in PAPERS.items():
        world.ingest(kb_id, name, text.split("\n"))
    return world


def judging(words: Mapping[str, Fit], *phrases: str) -> WordJudge:
    return WordJudge(dict.fromkeys(phrases or ("摔倒",), words))


def asked(world: World, judge: WordJudge | None, *questions: str, **given: Filters) -> Answer:
    """Return the answer to the last of some questions of one conversation."""
    desk = desk_with(world, WordsReader(), FakeShelf(), judge=judge)
    answer = ask(desk, questions[0], **given)
    for question in questions[1:]:
        answer = goes_on(desk, answer, question)
    return answer


def shown(answer: Answer) -> list[str]:
    """Return the numbers of the records that an answer shows."""
    assert answer.tabled, answer.answer
    cells = (str(cell.value) for row in answer.tabled.rows for cell in row)
    return [value for value in cells if value.startswith(("A-", "B-"))]


def is_by_meaning(answer: Answer) -> bool:
    return (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "by_meaning")


def test_what_no_word_says_is_counted_by_what_a_model_judges_and_that_is_told(
    world: World,
) -> None:
    answer = asked(world, judging(FALLS), HOW_MANY)
    assert is_by_meaning(answer)
    assert answer.answer.startswith("“摔倒”：共 3 起。")
    assert shown(answer) == ["A-1", "B-1", "A-3"]
    assert {c.document_name for c in answer.citations} == {"台账.csv", "报告一.txt"}
    assert JUDGED in answer.answer
    assert answer.understood.filters == Filters(meant=("摔倒",))


def test_those_of_which_it_is_open_are_told_by_the_documents_that_they_stand_in(
    world: World,
) -> None:
    answer = asked(world, judging(FALLS), HOW_MANY)
    assert "另有 1 起可能也是：报告二.txt。" in answer.answer
    assert "B-2" not in shown(answer)
    sure = asked(world, judging({"滑倒": FITS}), HOW_MANY)
    assert is_by_meaning(sure) and "可能也是" not in sure.answer


def test_in_english_it_is_told_in_english(world: World) -> None:
    answer = asked(world, judging(FALLS, "falls"), "How many incidents with falls are there?")
    assert is_by_meaning(answer) and answer.answer.startswith("“falls”: 3 incidents.")
    assert "Which ones are “falls” was judged by a model" in answer.answer
    assert "1 more incident may be, too: 报告二.txt." in answer.answer


def test_the_stream_gives_the_same_answer_and_it_is_kept(world: World) -> None:
    desk = desk_with(world, WordsReader(), FakeShelf(), judge=judging(FALLS))
    events = list(desk.stream(AskRequest("reports", HOW_MANY)))
    (answer,) = (event.answer for event in events if isinstance(event, DoneEvent))
    assert is_by_meaning(answer)
    assert "".join(e.text for e in events if isinstance(e, TokenEvent)) == answer.answer
    assert tuple(e.citation for e in events if isinstance(e, CitationEvent)) == answer.citations
    kept, _ = world.answers.get(answer.id)
    assert (kept.reason, kept.understood.filters.meant) == ("by_meaning", ("摔倒",))
    assert kept.tabled == answer.tabled


def test_every_record_is_judged_once_by_its_own_words(world: World) -> None:
    judge = judging(FALLS)
    asked(world, judge, HOW_MANY)
    texts = [*LEDGER, *(f"{text}\n" for text in PAPERS.values())]
    assert sorted(judge.read) == sorted(texts)


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("四月摔倒的有几起？", ["A-1", "B-1"]),
        ("三病区摔倒的有几起？", ["A-1", "B-1"]),
        ("列出摔倒的事件", ["A-1", "B-1", "A-3"]),
        ("五月摔倒的事件有哪些？", ["A-3"]),
    ],
)
def test_it_is_judged_within_what_records_state(
    world: World, question: str, numbers: list[str]
) -> None:
    answer = asked(world, judging(FALLS), question)
    assert is_by_meaning(answer) and shown(answer) == numbers


def test_filters_that_come_with_a_question_hold_beside_the_phrase(world: World) -> None:
    judge = judging(FALLS)
    answer = asked(world, judge, HOW_MANY, filters=Filters(place=("三病区",)))
    assert is_by_meaning(answer) and shown(answer) == ["A-1", "B-1"]
    assert len(judge.read) == 2


def test_by_month_each_has_its_number(world: World) -> None:
    answer = asked(world, judging(FALLS), "每个月摔倒的有几起？")
    assert is_by_meaning(answer) and answer.tabled
    rows = [[cell.value for cell in row] for row in answer.tabled.rows]
    assert rows == [["2024-04", 2], ["2024-05", 1]]


@pytest.mark.parametrize(
    "question", ["摔倒的事件受伤人数合计多少？", "摔倒的有几起，一共受伤多少人？"]
)
def test_a_total_is_of_those_alone_that_are_meant(world: World, question: str) -> None:
    """Not of all records, of which 8 people were hurt."""
    answer = asked(world, judging(FALLS), question)
    assert is_by_meaning(answer)
    assert "受伤人数合计 4人" in answer.answer


def as_without(world: World, judge: WordJudge, question: str) -> bool:
    """True where a question is answered as it is where no model judges."""
    found, plain = (asked(world, one, question) for one in (judge, None))
    return (found.status, found.reason, found.answer, found.tabled) == (
        plain.status,
        plain.reason,
        plain.answer,
        None,
    )


def test_without_a_judge_the_words_are_refused_by_name(world: World) -> None:
    answer = asked(world, None, HOW_MANY)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert answer.missing == ("摔倒",) and answer.tabled is None


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"站不稳": OPEN},
        {"滑倒": OPEN, "绊住": OPEN, "站不稳": FITS},
    ],
)
def test_where_no_record_fits_or_more_are_open_it_is_refused_as_before(
    world: World, words: dict[str, Fit]
) -> None:
    judge = judging(words)
    assert as_without(world, judge, HOW_MANY)
    assert judge.read


def test_where_as_many_are_open_as_fit_it_is_told(world: World) -> None:
    answer = asked(world, judging({"绊住": FITS, "站不稳": OPEN}), HOW_MANY)
    assert is_by_meaning(answer) and shown(answer) == ["A-3"]


def test_more_records_than_are_read_are_refused_as_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meant_records, "MAX_JUDGED", 5)
    judge = judging(FALLS)
    assert as_without(world, judge, HOW_MANY)
    assert judge.read == []
    monkeypatch.setattr(meant_records, "MAX_JUDGED", 6)
    assert is_by_meaning(asked(world, judge, HOW_MANY))


def test_that_there_is_none_is_told_where_that_was_asked(world: World) -> None:
    judge = judging({}, "电池鼓包")
    answer = asked(world, judge, "有没有哪几次电池鼓包？")
    assert is_by_meaning(answer) and answer.tabled and answer.tabled.tally.matched == 0
    assert "“电池鼓包”：没有符合条件的记录" in answer.answer
    assert "是否属于“电池鼓包”，由模型" in answer.answer
    assert as_without(world, judging({"站不稳": OPEN}, "电池鼓包"), "有没有哪几次电池鼓包？")


def test_that_there_are_some_is_told_with_them(world: World) -> None:
    answer = asked(world, judging(FALLS), "有没有哪几起是摔倒的？")
    assert is_by_meaning(answer) and answer.answer.startswith("“摔倒”：有，共 3 起。")
    assert answer.tabled and answer.tabled.query.op is Operation.EXISTS


@pytest.mark.parametrize(
    "question",
    [
        "四月的有几起？",
        "三病区的有几起？",
        "早上八点半摔倒的有几起？",
        "摔倒的不算坠床的有几起？",
        "除了摔倒，一共几起？",
        "平均每个月摔倒的几起？",
        "摔倒的罚款总额是多少？",
        "2019年摔倒的有几起？",
    ],
)
def test_what_fields_say_or_no_phrase_can_say_is_judged_by_no_model(
    world: World, question: str
) -> None:
    judge = judging({})
    answer, plain = (asked(world, one, question) for one in (judge, None))
    assert judge.read == []
    assert (answer.answer, answer.reason) == (plain.answer, plain.reason)


@pytest.mark.parametrize(
    ("questions", "numbers"),
    [
        ((HOW_MANY, "其中四月的有几起"), ["A-1", "B-1"]),
        ((HOW_MANY, "那五月呢？"), ["A-3"]),
        ((HOW_MANY, "其中三病区的有哪些", "其中4月2日的有几起"), ["A-1"]),
        (("四月的有几起？", "其中摔倒的有几起"), ["A-1", "B-1"]),
    ],
)
def test_a_question_that_goes_on_keeps_the_phrase_and_says_so(
    world: World, questions: tuple[str, ...], numbers: list[str]
) -> None:
    answer = asked(world, judging(FALLS), *questions)
    assert answer.understood.filters.meant == ("摔倒",)
    assert shown(answer) == numbers
    assert JUDGED in answer.answer
    assert is_by_meaning(answer)


def test_a_further_phrase_is_asked_within_the_one_before(world: World) -> None:
    judge = WordJudge({"摔倒": FALLS, "家属搀扶": {"病人": FITS}})
    answer = asked(world, judge, HOW_MANY, "其中家属搀扶的有几起")
    assert answer.understood.filters.meant == ("摔倒", "家属搀扶")
    assert shown(answer) == ["A-1", "B-1"]


@pytest.mark.parametrize("question", ["其中四月的有几起", "那五月呢？", "一共受伤几人？"])
def test_one_that_goes_on_where_no_model_judges_any_more_is_refused(
    world: World, question: str
) -> None:
    before = asked(world, judging(FALLS), HOW_MANY)
    without = desk_with(world, WordsReader(), FakeShelf(), judge=None)
    answer = goes_on(without, before, question)
    assert answer.status is AnswerStatus.REFUSED
