"""Question files: the formats that are read, and errors that name line and field."""

import gzip
import json
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.evaluation.questions import (
    LabelledQuestion,
    RelevantPlace,
    question_of,
    read_questions,
    sample,
)
from tests.conftest import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def write(file: Path, *rows: object) -> Path:
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    return file


def test_a_row_of_our_own_format_is_read(file: Path) -> None:
    relevant = ["a.pdf", {"document": "b.pdf", "page": 2}]
    row = {"question": "Why?", "answers": ["rust"], "relevant": relevant, "kind": "cause"}
    [found] = read_questions(write(file, row))
    places = (RelevantPlace("a.pdf"), RelevantPlace("b.pdf", 2))
    assert found == LabelledQuestion("line 1", "Why?", ("rust",), relevant=places, kind="cause")


def test_what_is_asked_before_a_question_is_read(file: Path) -> None:
    [found] = read_questions(write(file, {"question": "And who?", "after": ["When?", "Where?"]}))
    assert found.after == ("When?", "Where?")


def test_demo_and_reading_rows_are_read_too(file: Path) -> None:
    demo = {
        "id": "q", "question": "死亡人数？", "answer": 3, "docs": ["ntsb/1"],
        "refs": [{"doc": "ntsb/1", "text": "3人"}, {"doc": "ntsb/2", "text": "3人"}],
        "qtype": "dead", "answerable": True,
    }  # fmt: skip
    reading = {"question": "Who?", "answers": [{"text": "Ann", "start": 3}], "answerable": True}
    first, second = read_questions(write(file, demo, reading))
    assert first.answers == ("3",)
    assert first.kind == "dead"
    assert first.relevant == (RelevantPlace("ntsb/1"), RelevantPlace("ntsb/2"))
    assert second.answers == ("Ann",)


def test_a_question_without_answers_is_unanswerable_and_has_nothing_relevant(file: Path) -> None:
    said = {"question": "Why?", "answers": ["x"], "docs": ["d"], "answerable": False}
    for row in ({"question": "Why?"}, said):
        [found] = read_questions(write(file, row))
        assert not found.is_answerable
        assert found.answers == ()
        assert found.relevant == ()


def test_a_packed_file_with_blank_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"question": "Why?"}\n\n{"question": "Who?"}\n'))
    assert [question.id for question in read_questions(path)] == ["line 1", "line 3"]


def test_an_empty_file_has_no_questions(file: Path) -> None:
    file.write_text("\n \n")
    assert read_questions(file) == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "question"),
        ({"question": " "}, "question"),
        ({"question": "q", "answers": "yes"}, "answers"),
        ({"question": "q", "answers": [3]}, "answers"),
        ({"question": "q", "answerable": True}, "answers"),
        ({"question": "q", "answer": ["a"]}, "answer"),
        ({"question": "q", "answerable": "yes"}, "answerable"),
        ({"question": "q", "answers": ["a"], "relevant": "a.pdf"}, "relevant"),
        (
            {"question": "q", "answers": ["a"], "relevant": [{"document": "d", "page": 0}]},
            "relevant",
        ),
        ({"question": "q", "answers": ["a"], "docs": [1]}, "docs"),
        ({"question": "q", "evidence": "words"}, "evidence"),
        ({"question": "q", "after": "before"}, "after"),
        ({"question": "q", "after": ["why?", " "]}, "after"),
        ({"question": "q", "kind": ["x"]}, "kind"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(file: Path, row: object, field: str) -> None:
    write(file, {"question": "fine"}, row)
    with pytest.raises(InvalidRequest, match=f"line 2: field '{field}' must be") as caught:
        read_questions(file)
    assert caught.value.code == "invalid_question_file"
    assert caught.value.details == {"line": 2, "field": field}


@pytest.mark.parametrize(("line", "said"), [("{broken", "is not JSON"), ("[1]", "JSON object")])
def test_a_line_that_is_no_object_is_named(file: Path, line: str, said: str) -> None:
    file.write_text(f'{{"question": "fine"}}\n\n{line}\n')
    with pytest.raises(InvalidRequest, match=f"line 3: the line .*{said}"):
        read_questions(file)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x1f\x8b broken"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ("q.jsonl.gz" if content.startswith(b"\x1f") else "q.jsonl")
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match="cannot be read as UTF-8"):
        read_questions(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is not a file") as caught:
        read_questions(tmp_path / "none.jsonl")
    assert caught.value.code == "no_such_path"


def test_a_row_by_itself_names_its_wrong_field_too() -> None:
    with pytest.raises(ValueError, match="field 'question'"):
        question_of({"question": 1})


def test_a_sample_is_seeded_and_keeps_the_order() -> None:
    questions = [question_of({"question": str(n)}) for n in range(20)]
    chosen = sample(questions, 5, seed=1)
    assert chosen == sample(questions, 5, seed=1)
    assert chosen != sample(questions, 5, seed=2)
    assert chosen == sorted(chosen, key=questions.index)
    assert sample(questions, 50, seed=1) == questions


def test_the_questions_of_the_demo_base_name_files_that_are_there() -> None:
    folder = ROOT / "kb_service" / "demo"
    questions = read_questions(folder / "questions.jsonl")
    named = {place.document for question in questions for place in question.relevant}
    assert named <= {path.name for path in folder.glob("*.pdf")}
    assert len(named) == 14
    assert sum(not question.is_answerable for question in questions) == 10
