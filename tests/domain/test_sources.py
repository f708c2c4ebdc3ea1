"""Patterns say which files of a place are asked for."""

import pytest

from kb_service.domain.sources import Selection


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.pdf", ["a.pdf", "2024/a.PDF"], ["a.pdf.txt", "pdf"]),
        ("2024/*.pdf", ["2024/a.pdf"], ["a.pdf", "x/2024/a.pdf", "2024/x/a.pdf"]),
        ("2024/**", ["2024/a.pdf", "2024/x/a.pdf"], ["2025/a.pdf", "x/2024/a.pdf"]),
        ("**/drafts/*", ["drafts/a.txt", "x/y/drafts/a.txt"], ["drafts.txt"]),
        ("drafts", ["drafts/a.txt", "x/drafts/y/a.txt", "drafts"], ["mydrafts/a.txt"]),
        ("drafts/", ["x/drafts/a.txt"], ["drafts"]),
        ("/drafts/x", ["drafts/x/a.txt"], ["y/drafts/x/a.txt"]),
        ("report-?.[dp]*", ["report-1.docx", "x/report-2.pdf"], ["report-10.pdf", "report-1.txt"]),
        ("[!a]*.txt", ["b.txt"], ["a.txt"]),
        ("维修*", ["维修记录.docx", "x/维修/a.txt"], ["记录.docx"]),
        ("a+b (1).txt", ["a+b (1).txt"], ["aab (1).txt"]),
    ],
)
def test_a_pattern_means_what_it_means_elsewhere(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    included, excluded = Selection(include=(pattern,)), Selection(exclude=(pattern,))
    assert [path for path in matching + others if included.accepts(path)] == matching
    assert [path for path in matching + others if excluded.accepts(path)] == others


def test_what_is_excluded_stays_out_though_it_is_included() -> None:
    chosen = Selection(include=("*.pdf", "*.docx"), exclude=("old/",))
    paths = ["a.pdf", "b.docx", "c.txt", "old/a.pdf"]
    assert [path for path in paths if chosen.accepts(path)] == ["a.pdf", "b.docx"]
    assert all(map(Selection().accepts, paths))
