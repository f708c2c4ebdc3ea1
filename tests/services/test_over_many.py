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


def desk_with(world: World, reader: PassageReader, shelf: FakeShelf) -> AnsweringService:
    return AnsweringService(
        retriever=shelf,
        find_base=world.catalog.bases.get,
        library=FakeLibrary(shelf.texts) if shelf.texts else world.catalog.revisions,
        reader=reader,
        generator=ExtractiveReader(),
        answers=FakeLog() if shelf.texts else world.answers,
        settings=RetrievalSettings(),
        across=AcrossDocuments(RecordStore(world.database), world.catalog.revisions),
        clock=lambda: datetime(2024, 9, 10, tzinfo=UTC),
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


def test_a_field_that_no_record_states_is_said(desk: AnsweringService) -> None:
    answer = ask(desk, "2024年火灾罚款总额是多少")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "field_missing")
    assert answer.missing == ("fine",) and answer.tabled is None


def test_none_in_a_month_is_told_as_none(desk: AnsweringService) -> None:
    answer = ask(desk, "2024年7月有几起火灾")
    assert answer.tabled and answer.tabled.tally.matched == 0 and "0 起" in answer.answer


def test_of_years_that_no_record_is_of_nothing_is_counted(desk: AnsweringService) -> None:
    answer = ask(desk, "2023年7月有几起火灾")
    assert answer.status is AnswerStatus.REFUSED and answer.tabled is None


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


def test_an_amount_is_told_in_the_scale_of_the_papers_too(
    desk: AnsweringService, world: World
) -> None:
    kb_id = ask(desk, "2024年8月有几起火灾").kb_id
    for name, loss in (("x.txt", "12万元"), ("y.txt", "3.5万元"), ("z.txt", "800元")):
        lines = ["事故类型：火灾", "发生时间：2024年6月3日", f"直接经济损失：{loss}"]
        world.ingest(kb_id, name, lines)
    answer = ask(desk, "2024年6月火灾损失总额是多少")
    assert "损失合计 155800元（15.58万元）" in answer.answer


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
