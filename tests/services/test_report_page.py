"""A report's page is made from the data that it carries, so that any change of it shows."""

from html.parser import HTMLParser
from typing import Any

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.services.report_page import FORMAT, data_of, digest_of, is_as_made, page_of

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def data(**given: object) -> dict[str, Any]:
    found: dict[str, Any] = {
        "format": FORMAT,
        "version": "1.0",
        "made_at": "2026-05-01T12:00:00+00:00",
        "base": {"id": "kb_1", "name": HOSTILE, "change": 7},
        "question": HOSTILE,
        "answer": f"两起火灾\n{HOSTILE}",
        "language": "zh",
        "status": "partial",
        "reason": "field_missing",
        "query": {"op": HOSTILE, "filters": {"kind": ["fire"]}},
        "table": {"columns": ["document", HOSTILE], "rows": [[["a.txt", [1]], [None, []]]]},
        "counted": {"matched": 1, "of": 2, "documents": 1, "lacking": ["doc_2"]},
        "citations": [
            {
                "number": 1,
                "document_id": "doc_1",
                "document_name": HOSTILE,
                "revision": "a" * 64,
                "quote": HOSTILE,
                "start": 0,
                "end": 10,
                "pages": [3],
                "status": "verified",
            }
        ],
        **given,
    }
    return {**found, "digest": digest_of(found)}


class Tags(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.seen: set[str] = set()
        self.acts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.acts += [name for name, _ in attrs if name.startswith("on") or name == "src"]
        if tag == "script":
            self.scripts.append(dict(attrs))


def test_a_page_carries_its_data_and_is_the_same_made_anew() -> None:
    made = page_of(data())
    assert data_of(made) == data()
    assert is_as_made(made, data_of(made))


def test_no_word_of_a_document_acts_on_the_page() -> None:
    read = Tags()
    read.feed(page_of(data()))
    assert read.scripts == [{"type": "application/json", "id": "kb-report"}]
    assert "img" not in read.seen and read.acts == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("两起", "三起"),
        ("部分有依据", "已根据资料回答"),
        ("a" * 64, "b" * 64),
        ("变更号 7", "变更号 8"),
    ],
)
def test_a_changed_word_shows_wherever_it_stands(old: str, new: str) -> None:
    made = page_of(data())
    for changed in (made.replace(old, new), made.replace(old, new, 1)):
        assert changed != made and not is_as_made(changed, data_of(changed))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "zh",
            [
                "状态：部分有依据（资料没有写明所问的项目）",
                ">资料<",
                "出处（1）",
                "第 3 页（已核对）",
            ],
        ),
        ("en", ["Status: partly supported (some documents", ">document<", "Sources (1)", "page 3"]),
    ],
)
def test_its_labels_are_in_the_language_of_the_answer(language: str, said: list[str]) -> None:
    made = page_of(data(language=language, answer="…", question="…"))
    assert [words for words in said if words not in made] == []


def test_words_that_no_label_has_are_said_as_they_are_and_an_unknown_language_is_refused() -> None:
    assert "(gone_astray)" in page_of(data(language="en", reason="gone_astray"))
    for changed in ({"language": "xx"}, {"status": "made"}, {"counted": {"matched": 1}}):
        with pytest.raises(InvalidRequest) as refused:
            is_as_made(page_of(data()), data(**changed))
        assert refused.value.code == "invalid_report"


@pytest.mark.parametrize("page", ["", "<html></html>", "<script", page_of(data(format="other"))])
def test_another_file_is_refused(page: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        data_of(page)
    assert refused.value.code == "invalid_report"


def test_data_of_another_shape_are_refused() -> None:
    made = page_of(data())
    (source,) = data()["citations"]
    for changed in (
        {"format": FORMAT},
        data(base={"name": "reports", "change": 7}),
        data(citations=[{**source, "start": "first"}]),
        data(citations=[{name: source[name] for name in source if name != "document_id"}]),
    ):
        with pytest.raises(InvalidRequest) as refused:
            is_as_made(made, changed)
        assert refused.value.code == "invalid_report"
