"""Page furniture: what is told apart from the words of a document."""

import pytest

from kb_service.language.furniture import is_furniture


@pytest.mark.parametrize(
    "line",
    [
        "Page 1 of 4",
        "Page 2 of 4\tNYC08CA055",
        "第 1 页 / 共 1 页",
        "12 / 30",
        "This page was last edited on 28 June 2016, at 14:47.",
        "Retrieved from a mirror",
        "Text is available under a licence; additional terms may apply.",
        "Category: Reports",
        "< Incident documentation",
        "本页最后编辑于2020年1月3日",
    ],
)
def test_lines_that_only_place_a_page_are_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "The page was torn out of the log.",
        "Page 4 of the manual describes the valve.",
        "The last update of the firmware was on 3 May.",
        "第3页的记录被撕掉。",
        "Page 1 of 4\nThe valve leaked.",
        "2024年8月17日",
        "The part was retrieved from the sea.",
    ],
)
def test_words_of_the_document_are_not(line: str) -> None:
    assert not is_furniture(line)
