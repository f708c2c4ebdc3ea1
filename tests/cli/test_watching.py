"""`kb watch`: what changed since it was last told, for people and for mail from cron."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    yield
    structlog.reset_defaults()


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_it_prints_what_changed_once_and_nothing_when_nothing_did(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.txt").write_text("The pump in hall 3 leaked at 14:20 on 3 May 2024.")
    assert kb("sync", str(folder), "--kb", "reports").exit_code == 0
    assert kb("watch", "add", "pump", "--kb", "reports", "--question", "When did the pump leak?")
    query = ("--query", '{"op": "count", "filters": {"kind": ["fire"]}}')
    assert kb("watch", "add", "fires", "--kb", "reports", *query).exit_code == 0
    first = kb("watch", "--kb", "reports", "--json")
    assert (first.exit_code, first.stdout) == (3, "")
    assert "14:20" in kb("watch", "list", "--kb", "reports").stdout

    (folder / "a.txt").write_text("The pump in hall 3 leaked at 15:40 on 3 May 2024.")
    (folder / "b.txt").write_text("On 4 May 2024 a fire broke out at Mill Lane 7.")
    assert kb("sync", str(folder), "--kb", "reports").exit_code == 0
    told = kb("watch", "--kb", "reports", "--json")
    assert told.exit_code == 0
    changes = {change["watch_name"]: change for change in json.loads(told.stdout)["changes"]}
    assert "14:20" in changes["pump"]["old"]["answer"]
    assert "15:40" in changes["pump"]["new"]["answer"]
    assert changes["pump"]["new"]["citations"][0]["document_name"] == "a.txt"
    assert changes["fires"]["new"]["citations"][0]["document_name"] == "b.txt"
    again = kb("watch", "run", "--kb", "reports")
    assert (again.exit_code, again.stdout) == (3, "")

    kb("delete", "b.txt", "--kb", "reports")
    gone = kb("watch", "run", "--kb", "reports")
    assert gone.exit_code == 0 and "- (what it quoted was deleted)" in gone.stdout
    assert kb("watch", "remove", "fires", "--kb", "reports").exit_code == 0
    assert kb("watch", "remove", "fires", "--kb", "reports").exit_code == 1
    assert kb("verify").exit_code == 0


def test_a_paused_question_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The pump in hall 3 leaked at 14:20 on 3 May 2024.")
    assert kb("sync", str(tmp_path), "--kb", "reports", "--include", "*.txt").exit_code == 0
    kb("watch", "add", "pump", "--kb", "reports", "--question", "When did the pump leak?")
    assert kb("watch", "pause", "pump", "--kb", "reports").stdout == "pump  paused\n"
    assert kb("watch", "--kb", "reports").exit_code == 3
    assert kb("watch", "list", "--kb", "reports").stdout == "pump  paused\n"
    assert "after changes" in kb("watch", "pause", "pump", "--kb", "reports", "--off").stdout
    kb("watch", "--kb", "reports")
    assert "14:20" in kb("watch", "list", "--kb", "reports").stdout


def test_without_a_base_it_says_what_is_missing() -> None:
    refused = kb("watch")
    assert refused.exit_code == 2 and "--kb" in refused.output
