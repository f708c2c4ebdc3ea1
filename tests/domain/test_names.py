"""How one more document of a name is called."""

import unicodedata

import pytest

from kb_service.domain.names import MAX_NAME_BYTES, numbered


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("report.pdf", "report (2).pdf"),
        ("2024/may.reports/report.pdf", "2024/may.reports/report (2).pdf"),
        ("Annex (12).pdf", "Annex (12) (2).pdf"),
        ("事故报告.docx", "事故报告 (2).docx"),
        ("minutes", "minutes (2)"),
        ("Version 2.1", "Version 2.1 (2)"),
        ("reports.2024/minutes", "reports.2024/minutes (2)"),
        (".txt", ".txt (2)"),
        ("Talk with Dr. Smith", "Talk with Dr. Smith (2)"),
    ],
)
def test_the_number_stands_before_the_ending(name: str, second: str) -> None:
    assert numbered(name, 2) == second


@pytest.mark.parametrize("name", ["x" * 251 + ".pdf", "汉" * 83 + "x.pdf", "é" * 127 + "x"])
def test_a_long_name_makes_room_for_its_number(name: str) -> None:
    found = numbered(name, 12)
    assert len(found.encode()) <= MAX_NAME_BYTES
    assert " (12)" in found
    assert found.endswith(name[-4:]) == name.endswith(".pdf")


def test_every_unicode_form_gives_one_name() -> None:
    assert numbered(unicodedata.normalize("NFD", "été.txt"), 3) == "été (3).txt"
