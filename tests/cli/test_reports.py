"""`kb report` and `kb verify-report`: a file to hand over, checked against the base later."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app

FIRE = "Report N-1\nOn 3 May 2024 at 14:20 a fire broke out at Mill Lane 7. Nobody was hurt."
QUERY = '{"op": "count", "filters": {"kind": ["fire"]}}'


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "fire.txt").write_text(FIRE)
    monkeypatch.chdir(tmp_path)
    kb("ingest", "fire.txt", "--kb", "reports", "--wait")
    yield tmp_path / "data"
    structlog.reset_defaults()


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def checked(file: str) -> tuple[int, Any]:
    done = kb("verify-report", file, "--json")
    return done.exit_code, json.loads(done.stdout)


def test_an_answer_is_written_with_its_quotes_and_holds() -> None:
    asked = json.loads(
        kb("ask", "When did the fire break out?", "--kb", "reports", "--json").stdout
    )
    assert kb("report", asked["id"], "r.html").exit_code == 0
    page = Path("r.html").read_text("utf-8")
    assert asked["citations"][0]["cited_text"] in page and asked["citations"][0]["revision"] in page
    code, told = checked("r.html")
    assert code == 0 and told["holds"] and len(told["quotes"]) == len(asked["citations"]) > 0
    assert kb("report", asked["id"], "r.html").exit_code == 2
    Path("r.html").write_text(page.replace("Mill Lane", "Oak Lane"), "utf-8")
    code, told = checked("r.html")
    assert code == 1 and not told["as_made"]
    assert {quote["problem"] for quote in told["quotes"]} == {"words_differ"}


def test_what_was_deleted_or_damaged_since_is_named(data_folder: Path) -> None:
    assert kb("query", QUERY, "--kb", "reports", "--report", "q.html").exit_code == 0
    assert checked("q.html")[0] == 0
    (blob,) = (path for path in (data_folder / "blobs").rglob("*") if path.is_file())
    blob.chmod(0o600)
    blob.write_text(FIRE.replace("Mill", "Oak"))
    code, told = checked("q.html")
    assert code == 1 and told["as_made"]
    assert {quote["problem"] for quote in told["quotes"]} == {"file_differs"}
    kb("delete", "fire.txt", "--kb", "reports")
    spoken = kb("verify-report", "q.html")
    assert spoken.exit_code == 1 and "document_gone" in spoken.stdout


def test_a_file_that_is_no_report_is_refused() -> None:
    assert "invalid_report" in kb("verify-report", "fire.txt").output
    assert "invalid_report" in kb("verify-report", "absent.html").output
