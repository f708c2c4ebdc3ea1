"""Rows of tables: told from prose, and those of others left out."""

import pytest

from kb_service.domain.texts import Unit
from kb_service.language.asked import parse_question
from kb_service.language.rows import is_row, units_about
from kb_service.language.subjects import subjects_in
from kb_service.language.units import marked

PEOPLE = (
    "伤者名单如下。\n姓名: 任俊杰; 岗位: 司机; 赔偿: 6万元\n姓名: 戚彩霞; 岗位: 厨师; 赔偿: 3万元\n"
    "姓名: 周志强; 岗位: 焊工; 赔偿: 9万元"
)
SITES = "Name: Kay Hollis; Site: Redford\nName: Lee Brandt; Site: Millport\n"


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("姓名: 任俊杰; 岗位: 司机", True),
        ("Name: Kay Hollis; Site: Redford", True),
        ("| Kay | Redford |", True),
        ("Kay | Redford | 3", True),
        ("原因：阀门锈蚀。", False),
        ("He came; she went.", False),
        ("Cause: a valve", False),
    ],
)
def test_a_row_has_two_cells_or_more(words: str, *, is_one: bool) -> None:
    assert is_row(words) is is_one


def about(text: str, question: str) -> tuple[Unit, ...]:
    asked = parse_question(question)
    units = list(marked(text).quotable())
    return units_about(text, units, asked.normalised, subjects_in(asked))


@pytest.mark.parametrize(
    ("text", "question", "kept", "left"),
    [
        (PEOPLE, "戚彩霞的岗位是什么？", "厨师", "司机"),
        (SITES, "At which site is Lee Brandt?", "Millport", "Redford"),
    ],
)
def test_rows_of_others_are_left_out(text: str, question: str, kept: str, left: str) -> None:
    units = about(text, question)
    words = "\n".join(unit.span.of(text) for unit in units)
    assert kept in words and left not in words


def test_prose_and_rows_that_no_subject_tells_apart_stay() -> None:
    units = tuple(marked(PEOPLE).quotable())
    assert about(PEOPLE, "一共赔偿多少钱？") == units
    prose = "Kay came first. Lee came last."
    assert about(prose, "When did Kay come?") == tuple(marked(prose).quotable())


def test_a_line_of_labels_above_labelled_rows_is_not_read() -> None:
    text = "姓名; 岗位; 赔偿\n" + PEOPLE.split("\n", 1)[1]
    kept = [unit.span.of(text) for unit in about(text, "戚彩霞的岗位是什么？")]
    assert kept == ["姓名: 戚彩霞; 岗位: 厨师; 赔偿: 3万元"]
