"""`kb eval` on a real base in a temporary data folder: figures, files, exit codes, bad files."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app, evaluating
from kb_service.evaluation.report_html import NO_PLOTS

QUESTIONS: list[dict[str, object]] = [
    {
        "question": "When did the pump in hall 3 leak?",
        "answers": ["14:20"],
        "relevant": ["pump.txt"],
    },
    {
        "question": "When was the valve SG-7 replaced?",
        "answer": "2024-05-01",
        "docs": ["reports/valve"],
        "refs": [{"doc": "reports/valve", "text": "2024-05-01"}],
    },
    {"question": "Who flew the aeroplane N5921D to Tallahassee?", "answerable": False},
]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a base of two small reports; no test changes it."""
    folder = tmp_path_factory.mktemp("eval")
    place = folder / "reports"
    place.mkdir()
    (place / "pump.txt").write_text("The pump in hall 3 leaked at 14:20. Nobody was hurt.")
    (place / "valve.md").write_text("# Valve\n\nThe valve SG-7 was replaced on 2024-05-01.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KB_DATA_DIR", str(folder / "data"))
        assert kb("ingest", str(place), "--kb", "r", "--wait").exit_code == 0
    return folder / "data"


@pytest.fixture(autouse=True)
def in_data_dir(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(data_dir))
    yield
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def kb_json(*arguments: str) -> Any:  # noqa: ANN401  JSON
    return json.loads(kb(*arguments, "--json").stdout)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    return path


def row_of(report: Any, part: str, system: str) -> Any:  # noqa: ANN401  JSON
    [row] = [row for row in report["sets"][0][part] if row["system"] == system]
    return row


def test_the_reader_in_force_is_measured_beside_the_simple_ones(file: Path) -> None:
    report = kb_json("eval", str(file), "--kb", "r")
    assert report["sets"][0]["facts"]["unanswerable"] == 1
    ours = row_of(report, "answers", "extractive-reader")
    assert ours["estimates"]["contains"] == {"value": 1.0, "low": 1.0, "high": 1.0, "num": 2}
    assert ours["estimates"]["f1"]["value"] > 0.5
    assert ours["estimates"]["quotes_hold"] == {"value": 1.0, "low": 1.0, "high": 1.0, "num": 2}
    assert ours["estimates"]["refusal_macro_f1"]["value"] == 1.0
    lexical = row_of(report, "answers", "lexical sentence")
    assert lexical["estimates"]["contains"]["value"] == 1.0
    assert 0 < lexical["estimates"]["f1"]["value"] < 1
    found = row_of(report, "rankings", "retrieval")
    assert found["estimates"]["ndcg@10"]["value"] == 1.0
    assert row_of(report, "rankings", "random order")["estimates"]["hit@1"]["value"] == 0.5
    pairs = {(c["metric"], c["first"]) for c in report["sets"][0]["comparisons"]}
    assert ("f1", "lexical sentence") in pairs


def test_what_is_asked_is_not_kept(file: Path) -> None:
    from kb_service.bootstrap import open_services
    from kb_service.domain.people import OPERATOR

    assert kb("eval", str(file), "--kb", "r").exit_code == 0
    services = open_services()
    assert services.history.conversations(OPERATOR, None, None, 10).items == ()
    services.close()


def test_the_same_seed_gives_the_same_figures(file: Path) -> None:
    first, second = (kb_json("eval", str(file), "--kb", "r") for _ in range(2))
    for part in ("rankings", "answers"):
        pairs = zip(first["sets"][0][part], second["sets"][0][part], strict=True)
        for one, other in pairs:
            assert one["estimates"] == other["estimates"]
    assert first["sets"][0]["comparisons"] == second["sets"][0]["comparisons"]


def test_a_sample_without_the_simple_readers_asks_the_reader_in_force_only(file: Path) -> None:
    report = kb_json("eval", str(file), "--kb", "r", "--limit", "2", "--no-baselines")
    [row] = report["sets"][0]["answers"]
    assert (row["system"], row["num_questions"]) == ("extractive-reader", 2)


def test_the_table_and_the_three_files_are_written(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "report"
    done = kb("eval", str(file), "--kb", "r", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "F1" in done.output
    assert "written" in done.output
    assert json.loads((out / "report.json").read_text())["title"] == "Evaluation of r"
    assert "| extractive-reader | 3 |" in (out / "report.md").read_text()
    page = (out / "report.html").read_text()
    assert ("data:image/svg+xml" in page) == bool(find_spec("matplotlib"))
    assert (NO_PLOTS in page) != bool(find_spec("matplotlib"))
    assert "<script" not in page
    assert "http" not in page


def test_a_follow_up_is_asked_in_its_conversation_and_kinds_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    row = {
        "question": "And was anybody hurt by it?",
        "answers": ["Nobody&hurt"],
        "after": ["When did the pump in hall 3 leak?"],
        "relevant": ["pump.txt"],
        "kind": "follow-up",
    }
    missing = QUESTIONS[2] | {"kind": "near miss"}
    path.write_text("\n".join(json.dumps(row) for row in (*QUESTIONS[:2], row, missing)))
    report = kb_json("eval", str(path), "--kb", "r", "--no-baselines")["sets"][0]
    [rows] = report["kinds"].values()
    assert [(row["kind"], row["num"], row["right"]) for row in rows] == [
        ("follow-up", 1, 1),
        ("near miss", 1, 1),
        ("all", 4, 4),
    ]
    [retrieval] = [row for row in report["rankings"] if row["system"] == "retrieval"]
    assert retrieval["num_questions"] == 2


def test_documents_that_the_base_has_not_are_told_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    row = QUESTIONS[0] | {"relevant": ["elsewhere.pdf"]}
    path.write_text(json.dumps(row))
    report = kb_json("eval", str(path), "--kb", "r")
    assert "elsewhere.pdf" in report["notes"][0]
    assert "ndcg@10" not in row_of(report, "rankings", "retrieval")["estimates"]


def test_a_question_that_ends_in_an_error_is_counted_and_fails_the_command(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    long = {"question": "why " * 600, "answer": "x"}
    path.write_text("\n".join(json.dumps(row) for row in (*QUESTIONS, long)))
    done = kb("eval", str(path), "--kb", "r", "--no-baselines", "--json")
    assert done.exit_code == 1
    row = row_of(json.loads(done.stdout), "answers", "extractive-reader")
    assert row["num_failed"] == 1
    assert row["estimates"]["contains"]["value"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("content", "exit_code", "said"),
    [
        ("", 3, "holds no questions"),
        ('{"question": 3}', 2, "line 1: field 'question' must be a text, found 3"),
        ("{", 2, "line 1: the line is not JSON"),
    ],
)
def test_a_file_without_good_questions_ends_with_its_exit_code(
    tmp_path: Path, content: str, exit_code: int, said: str
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(content)
    done = kb("eval", str(path), "--kb", "r")
    assert done.exit_code == exit_code
    assert said in done.output


def test_a_missing_file_base_or_folder_is_named(file: Path, tmp_path: Path) -> None:
    assert kb("eval", "/no/such/file", "--kb", "r").exit_code == 2
    assert kb_json("eval", str(file), "--kb", "none")["error"]["code"] == "kb_not_found"
    refused = kb("eval", str(file), "--kb", "r", "--out", str(file))
    assert refused.exit_code == 2
    assert "folder_not_writable" in refused.output


def test_a_base_without_documents_cannot_be_measured(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "empty").mkdir()
    assert kb("sync", str(tmp_path / "empty"), "--kb", "r").exit_code == 3
    done = kb("eval", str(file), "--kb", "r")
    assert done.exit_code == 1
    assert "knowledge_base_empty" in done.output


def test_long_work_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluating, "PAUSE_S", 0.0)
    progress = evaluating.ProgressLine(2)
    progress.step()
    progress.step()
    progress.end()
    assert capsys.readouterr().err == "1 of 2 steps\n2 of 2 steps\n"


def test_days_are_told_from_the_day_that_is_given(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    question = {"question": "Which valve was replaced yesterday?", "answers": ["SG-7"]}
    file.write_text(json.dumps(question))
    for day, has_found in (("2024-05-02", True), ("2024-05-09", False)):
        report = kb_json("eval", str(file), "--kb", "r", "--today", day, "--no-baselines")
        assert report["run"]["asked on"] == day
        ours = row_of(report, "answers", "extractive-reader")
        assert ours["estimates"]["contains"]["value"] == has_found
    refused = kb("eval", str(file), "--kb", "r", "--today", "2 May")
    assert refused.exit_code == 2
    assert "2 May" in refused.output
