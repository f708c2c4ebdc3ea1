"""What the commands write: on consoles of every encoding, into pipes, with hostile names."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from kb_service.cli import main
from llm.__main__ import main as llm_main

NAME = "emo😀 泵 é.txt"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    place.mkdir()
    (place / NAME).write_text("The pump 😀 in hall 3 \x1b[31mleaked\x1b[0m at 14:20. 泵漏了。")
    return place


def written(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> tuple[int, str]:
    """Run `kb` on a console of that encoding; return the exit code and what it shows."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    monkeypatch.setattr(sys, "argv", ["kb", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    sys.stdout.flush()
    structlog.reset_defaults()
    return int(left.value.code or 0), raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "cp437", "utf-16"])
def test_a_console_that_lacks_a_character_shows_its_number(
    monkeypatch: pytest.MonkeyPatch, folder: Path, encoding: str
) -> None:
    code, text = written(monkeypatch, encoding, "sync", str(folder), "--kb", "s")
    assert code == 0
    shown = NAME.encode(encoding, "backslashreplace").decode(encoding)
    assert f"created    {shown}" in text
    code, text = written(monkeypatch, encoding, "list", "--kb", "s")
    assert (code, shown in text) == (0, True)
    code, text = written(monkeypatch, encoding, "ask", "When did the pump leak?", "--kb", "s")
    assert (code, "14:20" in text) == (0, True)
    assert "\x1b" not in text


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "utf-16", "utf-8", "utf_8"])
def test_json_is_json_on_every_console(
    monkeypatch: pytest.MonkeyPatch, folder: Path, encoding: str
) -> None:
    code, text = written(monkeypatch, encoding, "sync", str(folder), "--kb", "s", "--json")
    assert (code, json.loads(text)["plan"]["added"]) == (0, [NAME])
    assert text.isascii() == (not encoding.startswith("utf") or encoding == "utf-16")
    code, text = written(monkeypatch, encoding, "list", "--kb", "no 泵", "--json")
    assert "泵" in json.loads(text)["error"]["message"]


def test_a_reader_that_leaves_ends_the_command_without_a_trace(folder: Path) -> None:
    for arguments in (["sync", str(folder), "--kb", "s"], ["list", "--kb", "s", "--json"]):
        reads, writes = os.pipe()
        os.close(reads)
        with os.fdopen(writes, "wb") as gone:
            done = subprocess.run(
                [sys.executable, "-m", "kb_service.cli", *arguments],
                stdout=gone, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
                env=os.environ | {"PYTHONIOENCODING": "gbk"},
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, "")


def test_the_model_alone_shows_what_the_console_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="gbk"))
    monkeypatch.setattr("llm.__main__.generate", lambda options: print("泵 😀") or 0)
    arguments = ["generate", "--model", str(tmp_path), "--prompt", "hi"]
    assert llm_main(arguments) == 0
    sys.stdout.flush()
    assert raw.getvalue() == "泵 \\U0001f600\n".encode("gbk")
