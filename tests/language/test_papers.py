"""The date of a paper: its title's, else that of its first lines."""

from datetime import date

import pytest

from kb_service.domain.facts import STANDING, UNMARKED, ReportStatus
from kb_service.language.papers import first_lines, paper_date, papers_named, standing_of


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


def names_paper(text: str, other: str, *further: str) -> bool:
    texts = {"text": text, "other": other} | {str(n): one for n, one in enumerate(further)}
    return "other" in papers_named(texts)["text"]


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


@pytest.mark.parametrize(
    "text",
    [
        "更正说明\n现将KB-2025-117号通报中的受伤人数由2人更正为3人。",
        "关于更正《东湖水厂氨气泄漏通报》的说明\n受伤人数应为3人。",
        "续报\n此前发布的KB-2025-117号通报之后，又有一人受伤。",
        "Update\nFurther to our notice no. KB-2025-117, one more was hurt.",
        "Update\nThe earlier report KB-2025-117 stands.",
        "Update\nSupersedes KB-2025-117",
    ],
)
def test_words_of_either_language_say_that_a_paper_goes_on_from_another(text: str) -> None:
    assert names_paper(text, "东湖水厂氨气泄漏通报\nKB-2025-117\n2人受伤。")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Final incident report: fire on the pier\nOne died.", "Incident report\nAmmonia leaked."),
        ("Follow-up: incident report\nOne died.", "Incident report\nAmmonia leaked."),
        ("Correction of the incident report: fire\nOne died.", "Incident report\nAmmonia leaked."),
        ("码头火灾事故调查报告\n1人死亡。", "事故调查报告\n氨气泄漏。"),
        ("Correction\nThis incident report tells of a fire.", "Incident report\nAmmonia leaked."),
    ],
)
def test_a_longer_title_names_no_paper_of_a_title_that_stands_in_it(text: str, other: str) -> None:
    assert not names_paper(text, other)


@pytest.mark.parametrize(
    "line", ["Form QR-AQ-07", "按GB50016-2014编制", "ISO9001", "电话：0571-88886666"]
)
@pytest.mark.parametrize("standing", ["Correction", "更正报告", "Final report"])
def test_a_number_without_words_that_refer_names_no_paper(line: str, standing: str) -> None:
    assert not names_paper(f"{standing}\n{line}\nA fire.", f"Notice\n{line}\nA leak.")


def test_what_a_further_paper_holds_as_its_own_names_none() -> None:
    of_template = [f"{what}\nQR-AQ-07\nTwo were hurt." for what in ("Fire", "Leak")]
    assert names_paper("Correction\nQR-AQ-07 is corrected.", of_template[0])
    assert not names_paper("Correction\nQR-AQ-07 is corrected.", *of_template)
    title = "更正\n现更正《事故调查报告》：3人受伤。"
    assert names_paper(title, "事故调查报告\n火灾。")
    assert not names_paper(title, "事故调查报告\n火灾。", "港区事故调查报告\n泄漏。")


def test_two_papers_may_go_on_from_one() -> None:
    texts = {
        "one": NOTICE,
        "two": "Follow-up to KB-2025-117\nOne more was hurt.",
        "three": "Correction\nThe notice KB-2025-117 is corrected.",
    }
    assert papers_named(texts) == {
        "one": frozenset(),
        "two": frozenset({"one"}),
        "three": frozenset({"one"}),
    }
