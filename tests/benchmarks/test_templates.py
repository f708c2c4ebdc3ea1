"""The invented reports can answer what is asked of them, and nothing else; answers are judged."""

import io
import json
import re
from itertools import combinations
from typing import Any

import httpx
import pytest
from docx import Document

from benchmarks.template_files import KINDS
from benchmarks.template_reports import (
    LANGUAGES,
    SEEN,
    TEMPLATES,
    Asked,
    Line,
    Report,
    filled,
    invented,
    says,
    words_of,
)
from benchmarks.templates import Row, gap, judged, measured, summary

SEEDS = (1, 2026)
REPORTS = {seed: invented(seed) for seed in SEEDS}
PAPER = Report(
    "log",
    "en",
    (
        Line("title", "Shift log SL-1"),
        Line("entry", "06:10|alarm"),
        Line("row", "Lead|Ann Lee"),
        Line("item", "12 litres lost"),
    ),
    (Asked("Who led?", "plain", "p1", ("Ann Lee", "Lee")), Asked("Why?", "spared", "x")),
)


def reply(answer: str, *cited: str, status: str = "answered", **more: object) -> dict[str, Any]:
    citations = [{"document_name": name} for name in cited]
    return {"status": status, "answer": answer, "citations": citations, "missing": []} | more


def text_of(kind: str, data: bytes) -> str:
    if kind != "docx":
        return data.decode()
    document = Document(io.BytesIO(data))
    cells = [cell.text for grid in document.tables for row in grid.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_the_same_seed_gives_the_same_reports_and_another_one_others() -> None:
    assert invented(1, 2) == invented(1, 2)
    assert {report.text for report in REPORTS[1]}.isdisjoint(r.text for r in REPORTS[2026])


def test_there_are_five_templates_in_two_languages_and_two_of_them_are_seen() -> None:
    pairs = [(report.language, report.template) for report in REPORTS[1]]
    assert {pair: pairs.count(pair) for pair in pairs} == {
        (language, template): 8 for language in LANGUAGES for template in TEMPLATES
    }
    assert (len(TEMPLATES), len(LANGUAGES), len(set(SEEN) & set(TEMPLATES))) == (5, 2, 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_templates_share_a_sentence_or_the_order_of_their_lines(language: str) -> None:
    words = words_of(language)
    for one, other in combinations(TEMPLATES, 2):
        texts = [
            {text for block in words[name]["blocks"] for text in block["texts"]}
            for name in (one, other)
        ]
        assert texts[0].isdisjoint(texts[1])
        kinds = [[block["kind"] for block in words[name]["blocks"]] for name in (one, other)]
        assert kinds[0] != kinds[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wording_has_its_values(language: str) -> None:
    for name in TEMPLATES:
        template = words_of(language)[name]
        known = {*template["values"], *template["scenes"][0], *template.get("habits", {})}
        known |= {"place", "firm", "site", "day.year"}
        assert all(scene.keys() == template["scenes"][0].keys() for scene in template["scenes"])
        slots: dict[str, Any] = {slot: Line("", slot) for slot in known}
        for block in template["blocks"]:
            assert all(filled(text, slots) for text in block["texts"])
        for question in template["questions"]:
            assert question["slot"] in known
            assert all(filled(text, slots) for text in question["plain"] + question["other"])
        assert {block["tells"] for block in template["blocks"] if "tells" in block} <= {
            question["slot"] for question in template["questions"]
        }


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_expected_stands_in_the_report(seed: int) -> None:
    for report in REPORTS[seed]:
        asked = [question for question in report.questions if question.answers]
        assert [question.wording for question in asked] == ["plain"] * 3 + ["other"] * 3
        assert [q for q in asked if not says(report.text, q.answers)] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plain_question_calls_the_event_what_the_report_calls_it(seed: int) -> None:
    for report in REPORTS[seed]:
        scenes = words_of(report.language)[report.template]["scenes"]
        asked = [question.text for question in report.questions if question.wording == "plain"]
        called = {scene["short"] for scene in scenes if any(scene["short"] in q for q in asked)}
        assert all(says(report.text, (name,)) for name in called), called


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_and_whatever_a_question_names_is_named_by_its_report(seed: int) -> None:
    for report in REPORTS[seed]:
        words = words_of(report.language)
        names, trades = words["names"], words[report.template]["trades"]
        heads = [("given", "surnames"), ("surnames", "given"), ("place_heads", "place_tails")]
        pairs = [f"({one_of(names[a])} ?{one_of(names[b])})" for a, b in heads]
        firms = f"({one_of(names['firm_heads'])} ?{one_of(trades)})"
        codes = "((?:[A-Z]{2}[ -]|班记|字第)[0-9/]+)"
        named = re.compile("|".join([*pairs, firms, codes]))
        for question in report.questions:
            if question.answers:
                found = {match.group() for match in named.finditer(question.text)}
                assert found
                assert all(name in report.text for name in found), question


def one_of(words: list[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


@pytest.mark.parametrize("seed", SEEDS)
def test_of_what_is_a_near_miss_the_report_says_nothing(seed: int) -> None:
    for report in REPORTS[seed]:
        near = [question for question in report.questions if not question.answers]
        assert near
        assert near[-1].wording == "swapped"
        assert [q for q in near if says(report.text, (q.absent,))] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_another_place_firm_or_person_stands_in_no_report(seed: int) -> None:
    texts = [report.text for report in REPORTS[seed]]
    for report in REPORTS[seed]:
        swapped = report.questions[-1]
        assert swapped.absent in swapped.text
        if not swapped.absent.isdecimal():
            assert not any(swapped.absent in text for text in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_each_kind_says_what_the_report_says(kind: str) -> None:
    for report in (PAPER, *REPORTS[1][::4]):
        text = text_of(kind, KINDS[kind](report))
        assert [q for q in report.questions if q.answers and not says(text, q.answers)] == []


def test_a_numbered_report_counts_through_its_headings() -> None:
    lines = (Line("number", "One."), Line("heading", "Next"), Line("number", "Two."))
    text = KINDS["txt"](Report("ruling", "en", lines, ())).decode()
    assert "1. One." in text
    assert "2. Two." in text


@pytest.mark.parametrize(
    ("text", "answer", "is_said"),
    [
        ("23 days", "3", False),
        ("3.5 days", "3", False),
        ("at 14:20", "2:20 pm", True),
        ("21.5万元", "215000元", True),
        ("on 14 March 2022", "2022-03-14", True),
        ("40 minutes", "40 min", True),
        ("40 people", "40 min", False),
        ("the fan belt snapped", "fan&belt", True),
        ("the fan stopped", "fan&belt", False),
        ("seventeen days", "seven", False),
        ("10时40分,岑立夏接班", "岑立夏", True),
    ],
)
def test_an_answer_says_whole_words_and_values_in_any_writing(
    text: str, answer: str, is_said: bool
) -> None:
    assert says(text, (answer,)) == is_said


def test_an_answer_is_right_with_the_words_and_the_right_document_alone() -> None:
    led = PAPER.questions[0]
    verdicts = [
        judged(PAPER, "a.txt", led, told).verdict
        for told in (
            reply("It was Ann Lee.", "a.txt"),
            reply("It was Ann Lee.", "b.txt"),
            reply("It was Ann Lee.", "a.txt", "b.txt"),
            reply("It was Bo Chan.", "a.txt"),
            reply("No document says.", status="refused"),
        )
    ]
    assert verdicts == ["right", "wrong", "wrong", "wrong", "refused"]


def test_a_near_miss_is_right_when_it_is_refused_or_told_apart() -> None:
    why = PAPER.questions[1]
    rows = [
        judged(PAPER, "a.txt", why, told)
        for told in (
            reply("Not said.", status="refused"),
            reply("It was rain. No document speaks of Ham.", "a.txt", missing=["Ham"]),
            reply("It was rain.", "a.txt"),
        )
    ]
    assert [row.verdict for row in rows] == ["refused", "told_apart", "wrong"]
    assert [row.is_right for row in rows] == [True, True, False]


def rows_with(template: str, right: int, wrong: int) -> list[Row]:
    report = Report(template, "en", PAPER.lines, ())
    told = [reply("Lee", "a.txt")] * right + [reply("Chan", "a.txt")] * wrong
    return [judged(report, "a.txt", PAPER.questions[0], answer) for answer in told]


def test_the_gap_is_the_share_of_the_seen_templates_less_that_of_the_others() -> None:
    rows = rows_with(SEEN[0], 9, 1) + rows_with("letter", 8, 2)
    found = gap(rows)
    assert found is not None
    assert found.value == pytest.approx(10)
    assert found.low < 10 < found.high
    assert gap(rows_with("letter", 8, 2)) is None
    assert any(line.startswith("gap of answers") for line in summary(rows))


def test_a_run_uploads_waits_for_the_vectors_and_asks_every_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.templates.time.sleep", lambda seconds: None)
    waiting = iter(("3", "0"))
    called: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        called.append(f"{request.method} {request.url.path}")
        if request.url.path == "/metrics":
            return httpx.Response(200, text=f'kb_chunks{{vector="waiting"}} {next(waiting)}\n')
        if request.url.path == "/kb/k/ask":
            assert json.loads(request.content)["question"] in ("Who led?", "Why?")
            return httpx.Response(200, json=reply("Ann Lee", "paper-001.txt"))
        totals = {"ready": 1, "partial": 0, "failed": 0}
        return httpx.Response(200, json={"id": "k", "totals": totals})

    with httpx.Client(transport=httpx.MockTransport(serve), base_url="http://kb") as client:
        rows = list(measured(client, [PAPER], needs_vectors=True))
    assert [row.verdict for row in rows] == ["right", "wrong"]
    assert called.count("GET /metrics") == 2
    assert called[-2:] == ["POST /kb/k/ask"] * 2
