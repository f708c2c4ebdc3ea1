"""The date of a paper: its title's, else that of its first lines."""

from datetime import date

import pytest

from kb_service.domain.facts import STANDING, UNMARKED, ReportStatus
from kb_service.language.papers import first_lines, names_paper, paper_date, standing_of


@pytest.mark.parametrize(
    ("title", "text", "day"),
    [
        ("Harbour fire of 3 May 2024", "Written on 9 June 2024.", "2024-05-03"),
        ("20150803-Kafka", "", "2015-08-03"),
        (
            "码头火灾调查报告",
            "海城市应急管理局\n2024年8月1日\n2024年5月3日发生火灾。",
            "2024-08-01",
        ),
        ("From 2023-01-02 to 2023-02-03", "", "2023-02-03"),
    ],
)
def test_the_latest_full_date_of_the_title_else_of_the_head(
    title: str, text: str, day: str
) -> None:
    assert paper_date(title, text) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Report of May 2024", "It burnt."),
        ("Report", "It burnt in 2024."),
        ("Report", "\n".join(["Line."] * 30) + "\n3 May 2024"),
        ("Report 2024-02-31", ""),
    ],
)
def test_a_paper_that_states_no_full_date_there_has_none(title: str, text: str) -> None:
    assert paper_date(title, text) is None


def test_first_lines_are_those_with_words() -> None:
    assert first_lines("\n  A  b \n\n\tc\n") == ["A b", "c"]


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("关于更正东湖水厂有关情况的说明", ReportStatus.CORRECTED),
        ("Correction to notice 14", ReportStatus.CORRECTED),
        ("游船侧翻事件续报", ReportStatus.FOLLOW_UP),
        ("Harbour fire: interim report", ReportStatus.FOLLOW_UP),
        ("Final report of the harbour fire", ReportStatus.FINAL),
        ("码头火灾初报", ReportStatus.INITIAL),
    ],
)
def test_a_title_says_as_what_report_of_its_incident_it_stands(
    title: str, status: ReportStatus
) -> None:
    assert standing_of(title) == STANDING[status]


@pytest.mark.parametrize("title", ["码头火灾通报", "Harbour fire of 3 May 2024", ""])
def test_a_title_that_says_nothing_of_it_stands_between(title: str) -> None:
    assert standing_of(title) == UNMARKED


NOTICE = "Flash notice: ammonia leak\nNo. KB-2025-117\nTwo people were hurt."


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Correction\nThe notice KB-2025-117 is corrected: three people were hurt.", True),
        ("Correction of the flash notice: ammonia leak\nThree people were hurt.", True),
        ("Correction\nThe notice KB-2025-1170 is corrected.", False),
        ("Correction of the flash notice: fire on the pier\nThree people were hurt.", False),
    ],
)
def test_a_paper_names_another_by_its_number_or_whole_title(text: str, is_named: bool) -> None:
    assert names_paper(text, NOTICE) is is_named


def test_numbers_that_stand_far_down_in_a_paper_are_not_its_own() -> None:
    lines = "\n".join(f"Line {number}." for number in range(20))
    assert not names_paper("As the standard QX-9001 asks.", f"Notice\n{lines}\nSee QX-9001.")
