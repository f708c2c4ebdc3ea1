"""Questions to the real service over the demo documents: every citation is checked to the glyph."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus import CitationCheck, squeezed
from benchmarks.service import Service
from tests.conftest import ROOT

QUESTIONS = [
    ("Where did the accident with NTSB number NYC08CA055 happen?", "Tallahassee, FL"),
    ("When did the accident with NTSB number SEA08CA049 happen?", "11/29/2007, 0830 PST"),
    ("中环数据中心三号机房的泄漏发生在哪一天？", "2024年8月17日"),
    ("编号SG-2024-001的事故造成多少人受伤？", "5人受伤"),
]


def ask(service: Service, question: str, **values: object) -> dict[str, Any]:
    response = service.client.post("/kb/demo/ask", json={"question": question, **values})
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_an_answer_contains_the_fact_and_cites_the_words_on_the_page(
    service: Service, demo_folder: Path, question: str, expected: str
) -> None:
    answer = ask(service, question)
    assert answer["status"] == "answered"
    assert squeezed(expected) in squeezed(answer["answer"])
    assert answer["citations"]
    check = CitationCheck(service, "demo", {path.name: path for path in demo_folder.iterdir()})
    for citation in answer["citations"]:
        check.check(citation)
    assert check.exceptions == []
    assert check.num_boxed > 0


@pytest.mark.parametrize(
    "question", ["What is the capital of Mongolia?", "编号SG-2099-999的事故原因是什么？"]
)
def test_what_the_documents_do_not_say_is_refused(service: Service, question: str) -> None:
    answer = ask(service, question)
    assert answer["status"] == "refused"
    assert answer["citations"] == []
    assert answer["reason"]


def demo_examples() -> list[str]:
    folder = ROOT / "web" / "static" / "js" / "i18n"
    texts = [(folder / f"{language}.js").read_text(encoding="utf-8") for language in ("en", "zh")]
    return [found for text in texts for found in re.findall(r'demo_example_\d: "([^"]+)"', text)]


def test_every_question_the_page_suggests_for_the_demo_base_is_answered(service: Service) -> None:
    assert len(demo_examples()) == 8
    for question in demo_examples():
        assert ask(service, question)["status"] == "answered", question


def test_the_stream_ends_with_the_answer_that_its_pieces_make(service: Service) -> None:
    body = {"question": QUESTIONS[0][0], "stream": True}
    with service.client.stream("POST", "/kb/demo/ask", json=body) as response:
        events = list(sse_events(response.iter_lines()))
    tokens = "".join(data["text"] for name, data in events if name == "token")
    citations = [data for name, data in events if name == "citation"]
    name, done = events[-1]
    assert name == "done"
    assert tokens == done["answer"]
    assert citations == done["citations"]
    plain = ask(service, QUESTIONS[0][0])
    assert (plain["answer"], plain["status"]) == (done["answer"], done["status"])
    assert [c["cited_text"] for c in plain["citations"]] == [c["cited_text"] for c in citations]


def sse_events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def test_a_saved_answer_can_be_read_back_with_its_audit_record(service: Service) -> None:
    answer = ask(service, QUESTIONS[0][0])
    saved = service.client.get(f"/answers/{answer['id']}").raise_for_status().json()
    assert saved["answer"] == answer["answer"]
    assert saved["passages"]


def test_the_page_picture_is_lit_where_the_citation_says(service: Service) -> None:
    citation = ask(service, QUESTIONS[0][0])["citations"][0]
    page = citation["source"]["pages"][0]
    boxes = ";".join(",".join(map(str, box)) for box in page["boxes"])
    path = f"/kb/demo/documents/{citation['document_id']}/pages/{page['page_number']}.png"
    plain = service.client.get(path).raise_for_status()
    lit = service.client.get(path, params={"boxes": boxes}).raise_for_status()
    assert lit.headers["content-type"] == "image/png"
    assert lit.content != plain.content


ROSTER = """Name,Role,Site,Since
Nora Dunmore,duty officer,Hartbrook Junction,2019-04-02
Tomas Nakamura,fire warden,Oakhill Terminal,2021-11-15
Aisha Patel,night watch,Marshhill Mall,2013-07-30
Marco Ashworth,fire warden,Oakhill Terminal,2016-02-08
"""


def test_a_value_of_one_row_is_quoted_and_not_counted(service: Service) -> None:
    """Asked for the site of a person a count by place came back: "1 record by place"."""
    kb = service.create_kb("roster")
    service.upload(kb, [("roster.csv", ROSTER.encode())])
    service.wait_idle(kb, 60)
    for name, site in (("Tomas Nakamura", "Oakhill Terminal"), ("Nora Dunmore", "Hartbrook Junct")):
        body = {"question": f"At which site is {name}?"}
        answer = service.client.post(f"/kb/{kb}/ask", json=body).raise_for_status().json()
        assert site in answer["answer"]
        assert "record" not in answer["answer"]
        assert answer["table"] is None
