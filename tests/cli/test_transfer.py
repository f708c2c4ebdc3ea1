"""`kb export` and `kb import` on real files: one base in one file, and back."""

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


def test_a_base_goes_into_one_file_and_comes_back_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, archive = tmp_path / "pump.txt", tmp_path / "r.kb.zip"
    report.write_text("The pump in hall three leaked.")
    assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
    change = json.loads(kb("list", "--json").stdout)["items"][0]["change"]
    report.write_text("The pump in hall three was repaired.")
    assert kb("ingest", str(report), "--kb", "r", "--wait").exit_code == 0
    done = kb("export", "r", str(archive))
    assert done.exit_code == 0, done.output
    assert kb("export", "r", str(archive)).exit_code == 1
    assert kb("import", str(archive)).exit_code == 1  # the name is taken
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "elsewhere"))
    done = kb("import", str(archive), "--name", "s")
    assert done.exit_code == 0, done.output
    for options, words in (((), "repaired"), (("--as-of", str(change)), "leaked")):
        found = json.loads(kb("search", "pump hall", "--kb", "s", *options, "--json").stdout)
        assert [words in item["text"] for item in found["items"]] == [True]
    assert kb("verify").exit_code == 0
    archive.write_bytes(archive.read_bytes()[:-100])
    assert kb("import", str(archive)).exit_code == 2
