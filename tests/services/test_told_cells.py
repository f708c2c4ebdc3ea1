"""A cell that a question asks for by row and column is told, of the right document only."""

from datetime import date

import pytest

from kb_service.domain.questions import Subject, SubjectKind
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.services.evidence import ReadDocument
from kb_service.services.named import named_in
from kb_service.services.told_cells import rows_of_identifiers, told_in_cells
from tests.generation.passages import passage

ROWS = [
    "滤池; 浊度; 高度(厘米)",
    "滤池: 1号; 浊度: 0.12; 高度(厘米): 118",
    "滤池: 2号; 浊度: 0.14; 高度(厘米): 117",
]
LOG = passage("\n".join(ROWS))
MET = {"doc_1": ReadDocument((), 1.0)}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("2号滤池的高度是多少？", ["117"]),
        ("2号滤池的设计高度是多少？", []),
        ("3号滤池的高度是多少？", []),
        ("2号滤池是谁管的？", []),
    ],
)
def test_the_cell_of_the_row_and_column_that_are_asked_for_is_told(
    question: str, told: list[str]
) -> None:
    found = told_in_cells(parse_question(question), [LOG], MET, {})
    assert [reading.words for reading in found] == told


def test_a_document_of_another_subject_tells_no_cell() -> None:
    plant = Subject("城北水厂", SubjectKind.NAME, TextSpan(0, 4), ("城北水厂",))
    of_another = {"doc_1": ReadDocument((plant,), 1.0)}
    assert told_in_cells(parse_question("2号滤池的高度是多少？"), [LOG], of_another, {}) == ()


EVENTS = passage(
    "Ref: AP-611; Date: 22-Nov-26; Stand: 22; What happened: belt loader touched the sill\n"
    "Ref: AP-614; Date: 26-Nov-26; Stand: 9; What happened: catering truck struck the cowling\n"
    "Ref: AP-622; Date: 26-Nov-26; Stand: 22; What happened: steps retracted with door open\n"
)


def test_a_day_told_from_today_need_not_stand_in_the_paper() -> None:
    question = parse_question(
        "What happened on stand 22 the day before yesterday (26 November 2026)?"
    )
    told = named_in(question, date(2026, 11, 28)).told
    found = told_in_cells(question, [EVENTS], MET, {}, told)
    assert [reading.words for reading in found] == ["steps retracted with door open"]


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("机坪哪家公司的餐车撞了整流罩（AP-614）？", ["AP-614"]),
        ("AP-611和AP-622分别是什么原因？", ["AP-611", "AP-622"]),
        ("AP-623是什么原因？", []),
        ("机坪上发生了什么？", []),
    ],
)
def test_the_row_of_an_identifier_is_told_from_a_table_in_another_language(
    question: str, rows: list[str]
) -> None:
    asked, across = parse_question(question), {"doc_1": ReadDocument((), 1.0, is_across=True)}
    told = rows_of_identifiers(asked, [EVENTS], across)
    assert [reading.words.split("; ")[0].removeprefix("Ref: ") for reading in told] == rows
    assert rows_of_identifiers(asked, [EVENTS], MET) == ()
