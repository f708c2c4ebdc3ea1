"""One name, several files, from the command line: nothing is lost, and each outcome is told."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
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
