"""Questions over many documents, asked: words, table, citations, filters, kept with the answer."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.ports import PassageReader
from kb_service.domain.queries import Filters
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.words_reader import WordsReader
from kb_service.services.across import AcrossDocuments
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest, CitationEvent, DoneEvent, TokenEvent
from kb_service.settings import RetrievalSettings
from kb_service.storage.answers.tabled_codec import tabled_from, tabled_json
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from tests.services.answer_fakes import FakeLibrary, FakeLog, FakeShelf, PointingReader
from tests.storage.world import World, build_world

REPORTS = {
    "a.txt": "事故编号：HZ-1\n事故类型：火灾\n发生时间：2024年8月3日14时20分\n"
    "地点：东港区码头路12号\n受伤人数：5人",
    "b.txt": "事故编号：HZ-2\n事故类型：火灾\n发生时间：2024年8月20日8时\n"
    "地点：西山区北仓路3号\n受伤人数：无",
    "c.txt": "事故编号：DQ-3\n事故类型：盗窃\n发生时间：2024年9月2日\n地点：东港区滨海大道8号",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    for name, text in REPORTS.items():
        world.ingest(kb_id, name, text.split("\n"))
    return world


@pytest.fixture
def desk(world: World) -> AnsweringService:
    return desk_with(world, WordsReader(), FakeShelf())


TODAY = datetime(2024, 9, 10, tzinfo=UTC)


def desk_with(
    world: World, reader: PassageReader, shelf: FakeShelf, now: datetime = TODAY
) -> AnsweringService:
    return AnsweringService(
        retriever=shelf,
        find_base=world.catalog.bases.get,
        library=FakeLibrary(shelf.texts) if shelf.texts else world.catalog.revisions,
        reader=reader,
        generator=ExtractiveReader(),
        answers=FakeLog() if shelf.texts else world.answers,
        settings=RetrievalSettings(),
        across=AcrossDocuments(RecordStore(world.database), world.catalog.revisions),
        clock=lambda: now,
    )


def ask(desk: AnsweringService, question: str, **given: Filters) -> Answer:
    return desk.ask(AskRequest("reports", question, **given))  # type: ignore[arg-type]


def test_a_count_shows_its_table_its_filters_and_its_evidence(desk: AnsweringService) -> None:
    answer = ask(desk, "上个月几起火灾，在哪里，伤亡多少")
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.answer.startswith("2024年8月 · 火灾：共 2 起。")
    assert answer.tabled and answer.tabled.tally.matched == 2
    assert {c.document_name for c in answer.citations} == {"a.txt", "b.txt"}
    assert answer.understood.filters.kind == ("fire",)
    assert all(cell.citations for row in answer.tabled.rows for cell in row if cell.value)


def test_the_stream_gives_the_same_answer(desk: AnsweringService) -> None:
    events = list(desk.stream(AskRequest("reports", "2024年8月有几起火灾")))
    (answer,) = (event.answer for event in events if isinstance(event, DoneEvent))
    assert "".join(e.text for e in events if isinstance(e, TokenEvent)) == answer.answer
    told = tuple(event.citation for event in events if isinstance(event, CitationEvent))
    assert told == answer.citations


def test_a_table_is_kept_with_its_answer(desk: AnsweringService, world: World) -> None:
    answer = ask(desk, "2024年各类型事故数量")
    kept, _ = world.answers.get(answer.id)
    assert kept.tabled == answer.tabled
    assert answer.tabled
    assert tabled_from(tabled_json(replace(answer.tabled, next_cursor="abc"))).next_cursor == "abc"
    assert kept.understood.filters == answer.understood.filters


def test_filters_that_come_with_a_question_hold_beside_its_own(desk: AnsweringService) -> None:
    answer = ask(desk, "2024年8月有几起火灾", filters=Filters(place=("东港区",)))
    assert answer.tabled and answer.tabled.tally.matched == 1


@pytest.mark.parametrize(
    ("question", "picked", "told"),
    [
        ("2024年有几起火灾", Filters(kind=("盗窃",)), ("盗窃", "火灾")),
        ("how many thefts in 2024", Filters(kind=("fire",)), ("fire", "theft")),
        ("东港区有几起", Filters(place=("西山区",)), ("西山区", "东港区")),
        ("北仓路有几起", Filters(place=("东港区",)), ("东港区", "北仓路")),
    ],
)
def test_what_was_picked_for_a_question_is_never_dropped_for_what_it_says(
    desk: AnsweringService, question: str, picked: Filters, told: tuple[str, ...]
) -> None:
    answer = ask(desk, question, filters=picked)
    assert answer.tabled and answer.tabled.tally.matched == 0
    assert all(words in answer.answer.splitlines()[0] for words in told)
    assert answer.understood.filters.kind in ((), ("theft",), ("fire",))


def test_a_place_in_a_picked_one_is_counted_there(desk: AnsweringService) -> None:
    answer = ask(desk, "码头路有几起", filters=Filters(place=("东港区",)))
    assert answer.tabled and answer.tabled.tally.matched == 1


def test_days_outside_of_the_picked_ones_are_told_with_these(desk: AnsweringService) -> None:
    september = Filters(time_from=datetime(2024, 9, 1), time_to=datetime(2024, 10, 1))  # noqa: DTZ001  local times
    answer = ask(desk, "2024年8月有几起火灾", filters=september)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert "2024年8月" in answer.answer and "2024年9月" in answer.answer
    in_both = ask(desk, "2024年有几起", filters=september)
    assert in_both.tabled and in_both.tabled.tally.matched == 1


def goes_on(desk: AnsweringService, before: Answer, question: str) -> Answer:
    return desk.ask(AskRequest("reports", question, conversation_id=before.conversation_id))


def test_a_total_stays_within_what_was_counted_before(desk: AnsweringService) -> None:
    before = ask(desk, "2024年9月有几起")
    total = goes_on(desk, before, "一共受伤几人？")
    assert "2024年9月" in total.understood.question
    assert total.understood.filters == before.understood.filters
    assert total.tabled and total.tabled.query.filters == before.understood.filters
    everywhere = goes_on(desk, total, "所有报告一共受伤几人？")
    assert everywhere.tabled and everywhere.tabled.query.filters == Filters()
    assert everywhere.tabled.tally.matched == 3


def test_a_total_of_what_columns_were_counted_is_shown_as_that(desk: AnsweringService) -> None:
    before = ask(desk, "有人受伤的有几起", filters=Filters(place=("东港区",)))
    total = goes_on(desk, before, "受伤人数加起来多少？")
    assert total.tabled and total.tabled.query.filters == before.understood.filters
    assert "东港区" in total.understood.question


def test_a_comparison_stays_within_what_was_picked(desk: AnsweringService) -> None:
    answer = ask(desk, "火灾多还是盗窃多", filters=Filters(place=("西山区",)))
    assert answer.tabled and [row[1].value for row in answer.tabled.rows] == [1, 0]


def test_a_field_that_no_record_states_is_said(desk: AnsweringService) -> None:
    answer = ask(desk, "2024年火灾罚款总额是多少")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "field_missing")
    assert answer.missing == ("fine",) and answer.tabled is None


def test_none_in_a_month_is_told_as_none(desk: AnsweringService) -> None:
    answer = ask(desk, "2024年7月有几起火灾")
    assert answer.tabled and answer.tabled.tally.matched == 0 and "0 起" in answer.answer


def test_a_month_of_last_year_is_told_as_that(world: World) -> None:
    later = desk_with(world, WordsReader(), FakeShelf(), TODAY.replace(year=2025))
    first, second, *_ = ask(later, "8月有几起火灾").answer.splitlines()
    assert first == "2024年8月 · 火灾：共 2 起。" and "2025年8月" in second
    assert not ask(later, "2025年8月有几起火灾").tabled


def test_of_years_that_no_record_is_of_nothing_is_counted(desk: AnsweringService) -> None:
    answer = ask(desk, "2023年7月有几起火灾")
    assert answer.status is AnswerStatus.REFUSED and answer.tabled is None


def test_of_a_year_that_no_record_is_of_it_is_the_time_that_is_unknown(world: World) -> None:
    shelf = FakeShelf(**{name: text.replace("\n", "。") for name, text in REPORTS.items()})
    answer = ask(desk_with(world, PointingReader({}), shelf), "2023年7月有几起火灾")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "subject_unknown")
    assert "2023年7月" in answer.answer


def test_a_table_goes_with_a_document_that_it_shows(desk: AnsweringService, world: World) -> None:
    answer = ask(desk, "2024年8月有几起火灾")
    world.catalog.documents.delete(answer.kb_id, answer.citations[0].document_id)
    kept, _ = world.answers.get(answer.id)
    assert kept.tabled is None and kept.answer == ""


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("2024年8月加油站对面有几起火灾", "加油站对面"),
        ("平均每个月几起火灾", "平均"),
        ("6月和8月一共几起火灾", "6月；8月"),
    ],
)
def test_words_by_which_nothing_can_be_counted_are_said(
    desk: AnsweringService, question: str, words: str
) -> None:
    answer = ask(desk, question)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert f"“{words}”" in answer.answer and answer.tabled is None


def test_columns_that_are_near_are_told_beside_what_cannot_be_counted(
    desk: AnsweringService, world: World
) -> None:
    kb_id = ask(desk, "2024年8月有几起火灾").kb_id
    rows = [
        f"警情编号: JQ{n}; 片区: {'河东片' if n % 2 else '老城片'}; 班次: 早班" for n in (1, 2, 3)
    ]
    world.ingest(kb_id, "ledger.csv", ["警情编号; 片区; 班次", *rows])
    answer = ask(desk, "2024年8月发生了几起带班次的火灾")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert "另有这些栏目：班次。" in answer.answer and "早班" not in answer.answer


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("东仓库有没有更换门禁？", "东仓库更换了门禁"),
        ("调查组是否认定承包商有责任？", "认定承包商负主要责任"),
        ("哪一条措施由设备部负责？", "设备部每季度校准探头"),
        (
            "Did the yard change its locks after bunch 47 went missing?",
            "Bunch 47 was found, and no lock was changed",
        ),
        ("Have the drivers got new lamps yet?", "Every driver got a new lamp"),
    ],
)
def test_whether_or_which_one_is_told_by_a_paper_and_never_counted(
    world: World, question: str, told: str
) -> None:
    kb_id = world.catalog.bases.get("reports").id
    world.ingest(kb_id, "paper.txt", [f"{told}。" if told[-1] > "z" else f"{told}."])
    shelf = FakeShelf(**{"paper.txt": told})
    assert told in ask(desk_with(world, PointingReader({told: 0.5}), shelf), question).answer
    unread = ask(desk_with(world, PointingReader({}), shelf), question)
    assert unread.reason == "no_answer_in_passages"


@pytest.mark.parametrize(
    "total", ["损失总额是多少", "损失合计多少", "损失总计是多少", "合计损失多少钱"]
)
def test_an_amount_is_told_in_the_scale_of_the_papers_too(
    desk: AnsweringService, world: World, total: str
) -> None:
    kb_id = ask(desk, "2024年8月有几起火灾").kb_id
    for name, loss in (("x.txt", "12万元"), ("y.txt", "3.5万元"), ("z.txt", "800元")):
        lines = ["事故类型：火灾", "发生时间：2024年6月3日", f"直接经济损失：{loss}"]
        world.ingest(kb_id, name, lines)
    answer = ask(desk, f"2024年6月火灾{total}")
    assert "损失合计 155800元（15.58万元）" in answer.answer


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        (("$3.2 million", "$200,000", "$1 million"), "4400000 US dollars ($4.4 million)"),
        (("£3 million", "£2 million", "£500"), "5000500 pounds (£5.0005 million)"),
    ],
)
def test_an_amount_in_a_scale_has_the_sign_of_its_currency(
    world: World, losses: tuple[str, ...], told: str
) -> None:
    kb_id = world.catalog.bases.get("reports").id
    desk = desk_with(world, WordsReader(), FakeShelf())
    for number, loss in enumerate(losses):
        lines = ["Type: Fire", f"Date: 2024-06-0{number + 1}", f"Total loss: {loss}"]
        world.ingest(kb_id, f"{number}.txt", lines)
    assert told in ask(desk, "What is the total loss of all fires in June 2024?").answer


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("更正通报改了什么", "- HZ-9；受伤人数；更正前：2；更正后：3"),
        ("What did the corrections change?", "- HZ-9; injured; before: 2; after: 3"),
    ],
)
def test_what_a_correction_changed_is_told_with_both_papers(
    desk: AnsweringService, world: World, question: str, told: str
) -> None:
    kb_id = ask(desk, "2024年8月有几起火灾").kb_id
    for name, status, hurt in (("n.txt", "初报", 2), ("k.txt", "更正", 3)):
        form = [f"报告类型：{status}", "事故编号：HZ-9", "事故类型：火灾", "发生时间：2024年7月3日"]
        world.ingest(kb_id, name, [*form, f"受伤人数：{hurt}人"])
    answer = ask(desk, question)
    assert answer.status is AnswerStatus.ANSWERED and told in answer.answer
    assert answer.tabled and len(answer.tabled.rows) == 1
    assert {c.document_name for c in answer.citations} == {"n.txt", "k.txt"}


TICKETS = "The door of M-3310 was mended every 14 days. The first drill is on 15 April."


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How often was the door mended?", "every 14 days"),
        ("When is the first drill?", "15 April"),
        ("What fault was M-3310?", "M-3310"),
    ],
)
def test_what_a_paper_says_goes_before_what_no_record_states(
    world: World, question: str, told: str
) -> None:
    world.ingest(world.catalog.bases.get("reports").id, "tickets.txt", [TICKETS])
    reader = PointingReader({told: 0.5})
    answer = ask(desk_with(world, reader, FakeShelf(**{"tickets.txt": TICKETS})), question)
    assert told in answer.answer
    assert answer.tabled is None


def test_where_nothing_was_corrected_nothing_is_tabled(desk: AnsweringService) -> None:
    assert ask(desk, "更正通报改了什么").tabled is None


TUNNEL = "事故类型：交通事故\n地点：青石岭隧道\n六车相撞，造成4人遇难、11人受伤。"
LATER = "事故类型：交通事故\n地点：青石岭隧道\n两车追尾，造成2人遇难。"


@pytest.mark.parametrize(
    ("question", "papers", "status"),
    [
        ("青石岭隧道车祸夺走了几条生命？", (TUNNEL,), AnswerStatus.ANSWERED),
        ("青石岭隧道车祸夺走了几条生命？", (TUNNEL, LATER), AnswerStatus.REFUSED),
        ("车祸夺走了几条生命？", (TUNNEL,), AnswerStatus.REFUSED),
    ],
)
def test_a_number_of_what_nothing_counts_is_read_in_the_one_paper_that_is_named(
    world: World, question: str, papers: tuple[str, ...], status: AnswerStatus
) -> None:
    named = {f"{number}.txt": text for number, text in enumerate(papers)}
    for name, text in named.items():
        world.ingest(world.catalog.bases.get("reports").id, name, text.split("\n"))
    reader = PointingReader({"4人": 0.7})
    answer = ask(desk_with(world, reader, FakeShelf(**named)), question)
    assert answer.status is status, answer.answer
    assert ("4人遇难" in answer.answer) is (status is AnswerStatus.ANSWERED)


_CLAIM = "Claim no.: HC-{}\nDate of loss: {} March 2024\nType of loss: {}\nRooms affected: {}"
CLAIMS = {
    "one.txt": f"{_CLAIM.format(1, 3, 'theft', 3)}\nPolice informed: yes",
    "two.txt": f"{_CLAIM.format(2, 4, 'storm', 4)}\nPolice informed: no",
}


@pytest.mark.parametrize("told", ["3", "4"])
def test_a_number_in_one_of_the_records_is_no_count_of_them(world: World, told: str) -> None:
    for name, text in CLAIMS.items():
        world.ingest(world.catalog.bases.get("reports").id, name, text.split("\n"))
    reader = PointingReader({told: 0.8})
    desk = desk_with(world, reader, FakeShelf(**CLAIMS))
    answer = ask(desk, "In how many cases were the police informed?")
    assert answer.tabled and answer.tabled.tally.matched == 1, answer.answer


LEDGER = (
    "编号: G-1; 类型: 火灾; 时间: 2024-08-05; 地点: 南苑; 受伤人数: 2",
    "编号: G-2; 类型: 火灾; 时间: 2024-08-06; 地点: 南苑; 受伤人数: ",
)


def test_a_paper_of_which_some_records_lack_a_number_is_not_said_to_be_left_out(
    desk: AnsweringService, world: World
) -> None:
    world.ingest(world.catalog.bases.get("reports").id, "台账.txt", LEDGER)
    answer = ask(desk, "2024年8月火灾一共受伤几人")
    assert "受伤人数合计 7人" in answer.answer
    assert "1 份资料中有些记录没有写明受伤人数" in answer.answer
    assert "未计入：台账.txt。" in answer.answer
    assert "份资料没有写明" not in answer.answer


def test_no_number_stands_alone_where_many_papers_tell_of_no_incident_that_was_read(
    desk: AnsweringService, world: World
) -> None:
    kb_id = world.catalog.bases.get("reports").id
    assert "没有读出任何事件" not in ask(desk, "2024年8月有几起盗窃").answer
    for number in range(4):
        world.ingest(kb_id, f"值班{number}.txt", [f"今天一切照旧，第{number}班。"])
    answer = ask(desk, "2024年8月有几起盗窃")
    assert answer.tabled and answer.tabled.tally.matched == 0
    assert "7 份资料中有 4 份没有读出任何事件" in answer.answer
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "field_missing")
    fires = ask(desk, "2024年8月有几起火灾")
    assert fires.tabled and fires.tabled.tally.matched == 2
    assert "7 份资料中有 4 份没有读出任何事件" in fires.answer
    assert (fires.status, fires.reason) == (AnswerStatus.PARTIAL, "field_missing")


REGISTER = (
    "流水: 1; 内容: 七点以后没水压; 班组: 泵房班; 到现场: 40\n"
    "流水: 2; 内容: 水里有股漂白粉味; 班组: 水质科; 到现场: 65\n"
)
ROSTER = "name: Nora Dunmore; site: Hartbrook\n"
SAID = "上半年师傅平均40分钟到现场。"


def read_in(world: World, text: str, words: str, question: str) -> Answer:
    shelf = FakeShelf(**{"register.txt": text})
    return ask(desk_with(world, PointingReader({words: 0.9}), shelf), question)


@pytest.mark.parametrize(
    "question", ["师傅平均多少分钟到现场？", "没水压的按月份排一下", "漂白粉味那种哪次最早？"]
)
def test_one_row_of_a_table_answers_nothing_that_is_made_of_many(
    world: World, question: str
) -> None:
    answer = read_in(world, REGISTER, "65", question)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "cannot_count")
    assert "到现场: 65" not in answer.answer


def test_a_sentence_that_says_what_is_made_of_many_answers_it(world: World) -> None:
    answer = read_in(world, SAID, "40分钟", "师傅平均多少分钟到现场？")
    assert answer.status == AnswerStatus.ANSWERED and "平均40分钟" in answer.answer


def test_a_row_answers_what_is_asked_of_it_alone(world: World) -> None:
    answer = read_in(world, REGISTER, "水质科", "漂白粉味那单哪个班组去的？")
    assert answer.status == AnswerStatus.ANSWERED and "水质科" in answer.answer


@pytest.mark.parametrize(
    "question",
    ["Which site is Nora Dunmore at?", "What site is Nora Dunmore at?", "Nora Dunmore在哪个地点？"],
)
def test_a_row_answers_which_place_it_states(world: World, question: str) -> None:
    answer = read_in(world, ROSTER, "Hartbrook", question)
    assert answer.status == AnswerStatus.ANSWERED and "Hartbrook" in answer.answer


@pytest.mark.parametrize(
    "question", ["List the calls by site.", "Which sites were closed?", "哪些地点关了？"]
)
def test_a_row_answers_no_grouping(world: World, question: str) -> None:
    assert "Hartbrook" not in read_in(world, ROSTER, "Hartbrook", question).answer


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Dunmore", AnswerStatus.REFUSED),
        ("3", AnswerStatus.ANSWERED),
        ("twice", AnswerStatus.ANSWERED),
    ],
)
def test_a_row_answers_how_often_where_it_says_so(
    world: World, said: str, status: AnswerStatus
) -> None:
    row = "Name: Nora Dunmore; Site: Hartbrook; Calls: 3, twice by night\n\nnights"
    answer = read_in(world, row, said, "How often did Nora Dunmore ring?")
    assert answer.status == status
