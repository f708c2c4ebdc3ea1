"""Commands over a folder that cannot be written, a full disk, and a database somebody holds."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app
from kb_service.storage.data_folder import RESERVE_FILE
from kb_service.storage.database import open_database
from kb_service.storage.reserve import Reserve
from tests.disks import fill, sealed, small_disk

QUESTION = "Where did the pump leak?"
READS = (
    ("list",),
    ("list", "--kb", "r"),
    ("show", "pump.txt", "--kb", "r"),
    ("search", "pump", "--kb", "r"),
    ("verify",),
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path / "data"
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "reports" / "pump.txt"
    path.parent.mkdir()
    path.write_text("The pump in hall 3 leaked at 14:20. Nobody was hurt.")
    return path


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def kb_json(*arguments: str) -> Any:  # noqa: ANN401  JSON
    return orjson.loads(kb(*arguments, "--json").stdout)


def reads() -> None:
    for arguments in READS:
        done = kb(*arguments)
        assert done.exit_code == 0, (arguments, done.output)


def answers_without_storing(code: str) -> None:
    answer = kb_json("ask", QUESTION, "--kb", "r")
    assert "hall 3" in answer["answer"]
    assert (answer["stored"], answer["not_stored"]["code"]) == (False, code)
    spoken = kb("ask", QUESTION, "--kb", "r")
    assert spoken.exit_code == 0
    assert "hall 3" in spoken.stdout
    assert f"[{code}]" in spoken.stderr


def test_a_sealed_folder_is_listed_searched_asked_and_verified(data: Path, report: Path) -> None:
    assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    with sealed(data):
        reads()
        answers_without_storing("storage_read_only")
        for arguments in (
            ("delete", "pump.txt", "--kb", "r"),
            ("delete", "--all", "--kb", "r"),
            ("ingest", str(report), "--kb", "other"),
            ("sync", str(report.parent), "--kb", "r"),
            ("worker",),
        ):
            done = kb(*arguments)
            assert done.exit_code == 1, arguments
            assert "storage_read_only" in done.output, arguments
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_full_disk_is_searched_and_asked_and_cleared_by_deleting(
    data: Path, report: Path
) -> None:
    with small_disk(data, 16):
        assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
        Reserve(data / RESERVE_FILE, 2**20).restore()
        fill(data)
        reads()
        answer = kb_json("ask", QUESTION, "--kb", "r")
        assert "hall 3" in answer["answer"]
        assert answer["stored"] or answer["not_stored"]["code"] == "disk_full"
        (report.parent / "big.txt").write_text("pump " * 200_000)
        assert "disk_full" in kb("ingest", str(report.parent), "--kb", "other").output
        done = kb("delete", "pump.txt", "--kb", "r")
        assert done.exit_code == 0, done.output
        assert kb_json("search", "pump", "--kb", "r")["items"] == []


@contextmanager
def somebody_writing(data: Path) -> Iterator[None]:
    other = open_database(f"sqlite:///{data / 'kb.sqlite3'}")
    with other.write():
        yield
    other.close()


def test_a_held_database_is_searched_and_asked_and_changed_only_later(
    data: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
    monkeypatch.setenv("KB_STORAGE__WRITE_WAIT_S", "0.2")
    monkeypatch.setattr("kb_service.storage.answers.buffered.ANSWER_WAIT_S", 0.2)
    with somebody_writing(data):
        reads()
        answers_without_storing("database_locked")
        done = kb("delete", "pump.txt", "--kb", "r")
        assert done.exit_code == 1
        assert "another process is writing" in done.output
    assert kb("delete", "pump.txt", "--kb", "r").exit_code == 0


def test_what_a_command_writes_is_its_owners_alone(data: Path, report: Path) -> None:
    before = os.umask(0o022)
    try:
        assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
        assert os.umask(0o022) == 0o022, "the rights of other files are the user's affair"
    finally:
        os.umask(before)
    open_paths = [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077]
    assert open_paths == []
    assert len(list(data.rglob("*"))) > 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: (data / "holiday.jpg").touch(), "holiday.jpg"),
        (lambda data: os.chown(data, 12345, -1), "belongs to user 12345"),
    ],
)
def test_doctor_tells_who_else_may_read_the_folder(
    data: Path, change: Callable[[Path], object], why: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives a folder to somebody else")
    found = {item["name"]: item for item in kb_json("doctor")}
    assert found["privacy"]["is_ok"]
    data.chmod(0o755)
    change(data)
    found = {item["name"]: item for item in kb_json("doctor")}
    assert not found["privacy"]["is_ok"]
    assert why in found["privacy"]["text"]
