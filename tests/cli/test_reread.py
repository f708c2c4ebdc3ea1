"""`kb reread`: the encoding of one text, chosen by hand and kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app

WORDS = "Насос в зале 3 потёк."
LATER = "Клапан заменён."


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    yield
    structlog.reset_defaults()


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def kb_json(*arguments: str) -> Any:  # noqa: ANN401  JSON
    return json.loads(kb(*arguments, "--json").stdout)


def found(words: str) -> bool:
    return any(words in hit["text"] for hit in kb_json("search", words, "--kb", "r")["items"])


def test_a_text_is_read_again_as_chosen_and_so_are_later_versions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(WORDS.encode("cp1251"))
    assert kb("ingest", str(path), "--kb", "r", "--wait").exit_code == 0
    done = kb("reread", "a.txt", "--kb", "r", "--encoding", "windows-1252")
    assert (done.exit_code, found("Насос")) == (0, False)
    done = kb("reread", "a.txt", "--kb", "r", "--encoding", "windows-1251")
    assert (done.exit_code, found("Насос")) == (0, True)
    shown = kb_json("show", "a.txt", "--kb", "r")
    assert (shown["encoding"], shown["metadata"]["encoding"]) == ("cp1251", "cp1251")
    assert "encoding   cp1251, chosen by hand" in kb("show", "a.txt", "--kb", "r").output
    path.write_bytes(LATER.encode("cp1251"))
    assert kb("ingest", str(path), "--kb", "r", "--wait").exit_code == 0
    assert found("Клапан")
    assert len(kb_json("show", "a.txt", "--kb", "r")["versions"]) == 2
    assert kb("verify").exit_code == 0
    kb("reread", "a.txt", "--kb", "r")
    assert kb_json("show", "a.txt", "--kb", "r")["encoding"] == ""


def test_files_are_read_in_the_encoding_that_they_are_sent_in_with(tmp_path: Path) -> None:
    path, mail = tmp_path / "a.txt", tmp_path / "a.eml"
    path.write_bytes(WORDS.encode("cp1251"))
    mail.write_bytes(b"Message-ID: <1@x>\nFrom: a@example.org\nSubject: pump\n\nThe pump leaked.")
    options = ("--kb", "r", "--wait", "--encoding")
    assert kb("ingest", str(path), *options, "cp1252").exit_code == 0
    assert not found("Насос")
    assert kb("ingest", str(path), str(mail), *options, "windows-1251").exit_code == 0
    assert found("Насос")
    assert found("pump leaked")
    shown = kb_json("show", "a.txt", "--kb", "r")
    assert (shown["encoding"], len(shown["versions"])) == ("cp1251", 1)
    assert kb_json("show", "a.eml", "--kb", "r")["encoding"] == ""
    done = kb("ingest", str(path), "--kb", "other", "--encoding", "klingon")
    assert (done.exit_code, "unknown_encoding" in done.output) == (2, True)
    assert [base["name"] for base in kb_json("list")["items"]] == ["r"]


@pytest.mark.parametrize(
    ("name", "encoding", "code"),
    [("a.txt", "klingon", "unknown_encoding"), ("a.eml", "big5", "not_a_text")],
)
def test_what_cannot_be_chosen_is_wrong_usage(
    tmp_path: Path, name: str, encoding: str, code: str
) -> None:
    head = "Message-ID: <1@x>\nFrom: a@example.org\nSubject: pump\n\n"
    (tmp_path / name).write_text(f"{head if name == 'a.eml' else ''}The pump leaked.")
    kb("ingest", str(tmp_path / name), "--kb", "r", "--wait")
    done = kb("reread", name, "--kb", "r", "--encoding", encoding)
    assert (done.exit_code, code in done.output) == (2, True)
