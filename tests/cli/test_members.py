"""Files inside files from the command line: read, found, told, and gone with their container."""

import io
import json
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from kb_service.cli import app


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KB_RETRIEVAL__DENSE_WEIGHT", "0")
    monkeypatch.setenv("KB_RERANK__MODEL", "")
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


def said(*arguments: str | Path) -> str:
    return CliRunner().invoke(app, [*map(str, arguments), "--kb", "r"]).stdout


def kb(*arguments: str | Path) -> Any:  # noqa: ANN401  JSON
    return json.loads(said(*arguments, "--json"))


def names() -> list[str]:
    return [item["name"] for item in kb("list")["items"]]


def mail(inside: bytes) -> bytes:
    message = EmailMessage()
    message["Subject"] = "Crane"
    message["From"] = "a@example.org"
    message.set_content("See the report.")
    message.add_attachment(inside, "application", "zip", filename="reports.zip")
    message.add_attachment(b"\x00\x01\x02", "video", "mp4", filename="crane.mp4")
    return message.as_bytes()


def zipped(**texts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, data in texts.items():
            package.writestr(f"{name}.txt", data)
    return target.getvalue()


def test_a_file_in_an_archive_in_a_mail_in_an_archive_is_read_and_goes_with_it(
    tmp_path: Path,
) -> None:
    archive = tmp_path / "a.zip"
    inner = mail(zipped(rope=b"The rope of crane seven broke at nine."))
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("crane.eml", inner)
    run = kb("ingest", "a.zip", "--wait")["run"]
    assert (run["num_jobs"], run["num_succeeded"], run["failures"]) == (4, 4, [])
    deepest = "a.zip/crane.eml/reports.zip/rope.txt"
    assert names() == ["a.zip", "a.zip/crane.eml", "a.zip/crane.eml/reports.zip", deepest]
    assert kb("search", "crane seven")["items"][0]["title"] == "rope"
    container = kb("show", deepest)["container"]
    assert (container["name"], container["path"]) == ("a.zip/crane.eml/reports.zip", "rope.txt")
    assert "out of a.zip/crane.eml/reports.zip: rope.txt" in said("show", deepest)
    told = said("show", "a.zip/crane.eml")
    assert told.startswith("partial")
    assert "not read: crane.mp4 (unsupported_media_type: a.zip/crane.eml/crane.mp4 is" in told
    kb("delete", "a.zip")
    assert names() == []
    assert kb("search", "crane seven")["items"] == []
