"""One name, several files, from the command line: nothing is lost, and each outcome is told."""

import hashlib
import json
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from docx import Document
from typer.testing import CliRunner

from kb_service.cli import app


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()  # a command sets up logs for its process, here for all tests


def kb(*arguments: str | Path) -> Any:  # noqa: ANN401  JSON
    return json.loads(CliRunner().invoke(app, [*map(str, arguments), "--json"]).stdout)


def written(path: Path, words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)
    return path


def ingest(*paths: str | Path, on_conflict: str = "revise") -> list[tuple[str, str | None]]:
    done = kb("ingest", *paths, "--kb", "r", "--on-conflict", on_conflict)
    return [(item["outcome"], item["document_name"]) for item in done["items"]]


def test_a_file_is_called_as_it_is_given(tmp_path: Path) -> None:
    file = written(tmp_path / "2024" / "a.txt", "one")
    assert ingest("2024/a.txt") == [("created", "2024/a.txt")]
    assert ingest("./2024/../2024/a.txt", "2024") == [("unchanged", "2024/a.txt")]
    assert ingest(".") == [("unchanged", "2024/a.txt")]
    assert ingest(file) == [("created", "a.txt")]


def test_files_of_one_name_in_one_command_are_called_by_their_folders(tmp_path: Path) -> None:
    for year in ("2023", "2024"):
        written(tmp_path / "x" / year / "a.txt", year)
    by_folder = [("created", "2023/a.txt"), ("created", "2024/a.txt")]
    files = [tmp_path / "x" / year / "a.txt" for year in ("2023", "2024")]
    assert ingest(*files) == by_folder
    folders = [file.parent for file in files]
    assert ingest(*folders) == [("unchanged", name) for _, name in by_folder]


def test_two_unicode_forms_of_one_name_are_two_files_and_two_documents(tmp_path: Path) -> None:
    name = "été.txt"
    written(tmp_path / "x" / unicodedata.normalize("NFD", name), "apart")
    written(tmp_path / "x" / name, "composed")
    first = ingest("x")
    assert sorted(first) == [("created", name), ("kept_both", "été (2).txt")]
    assert [outcome for outcome, _ in ingest("x")] == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("on_conflict", "other"),
    [
        ("revise", ("revised", "a.txt")),
        ("keep", ("kept_both", "a (2).txt")),
        ("reject", ("rejected", None)),
    ],
)
def test_other_content_of_a_known_name_becomes_what_is_said(
    tmp_path: Path, on_conflict: str, other: tuple[str, str | None]
) -> None:
    written(tmp_path / "a.txt", "one")
    assert ingest("a.txt", on_conflict=on_conflict) == [("created", "a.txt")]
    written(tmp_path / "a.txt", "two")
    assert ingest("a.txt", on_conflict=on_conflict) == [other]
    names = {item["name"] for item in kb("list", "--kb", "r")["items"]}
    assert names == {"a.txt"} | ({other[1]} if other[1] else set())


def test_the_versions_of_a_document_are_shown(tmp_path: Path) -> None:
    for words in ("one", "two"):
        written(tmp_path / "a.txt", words)
        ingest("a.txt")
    shown = CliRunner().invoke(app, ["show", "a.txt", "--kb", "r"]).stdout
    assert "version 2: " in shown and "version 1: " in shown


def commands_at_once(*folders: Path) -> list[tuple[str, str | None]]:
    """Ingest `a.txt` of each folder, all at once, each in a process of its own."""
    command = [sys.executable, "-m", "kb_service.cli", "ingest", "a.txt", "--kb", "r", "--json"]
    running = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        for folder in folders
    ]
    items = [json.loads(process.communicate(timeout=120)[0])["items"] for process in running]
    return [(item["outcome"], item["document_name"]) for found in items for item in found]


@pytest.mark.parametrize("is_same", [True, False], ids=["the same bytes", "other bytes"])
def test_commands_at_once_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_same: bool
) -> None:
    kb("ingest", written(tmp_path / "first.txt", "first"), "--kb", "r")
    words = ["one", "one", "one"] if is_same else ["one", "two", "three"]
    folders = [tmp_path / str(number) for number in range(3)]
    for folder, said in zip(folders, words, strict=True):
        written(folder / "a.txt", said)
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    others = ["unchanged"] * 2 if is_same else ["revised"] * 2
    done = commands_at_once(*folders)
    assert sorted(done) == sorted([("created", "a.txt")] + [(what, "a.txt") for what in others])
    kept = {item["sha256"] for item in kb("show", "a.txt", "--kb", "r")["versions"]}
    assert kept == {hashlib.sha256(said.encode()).hexdigest() for said in words}


def test_after_a_failure_both_contents_stay_and_the_same_bytes_are_tried_again(
    tmp_path: Path,
) -> None:
    made, file = Document(), tmp_path / "a.docx"
    made.add_paragraph("The pump leaked.")
    made.save(file)
    whole, cut = file.read_bytes(), file.read_bytes()[:-2000]
    for content, outcome in ((cut, "created"), (cut, "revised"), (whole, "revised")):
        file.write_bytes(content)
        done = kb("ingest", "a.docx", "--kb", "r", "--wait")
        assert [item["outcome"] for item in done["items"]] == [outcome]
        assert done["run"]["num_succeeded"] == int(content == whole)
    shown = kb("show", "a.docx", "--kb", "r")
    assert (shown["status"], [item["state"] for item in shown["versions"]]) == (
        "ready",
        ["searchable", "unread"],
    )
