"""`kb sync` with the folders of kb.toml, patterns and a plan that knows what will be refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from kb_service.cli import app

CONFIG = """
[[sync.folders]]
path = "north"
kb = "reports"
tags = ["north"]
labels = ["river", "open"]
exclude = ["drafts/"]
prune = true

[[sync.folders]]
path = "south"
kb = "reports"
tags = ["south"]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KB_SYNC__SETTLE_S", "0")
    for name in ("north/drafts/d.txt", "north/a.txt", "south/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"The pump of {name} leaked.")
    (tmp_path / "kb.toml").write_text(CONFIG)
    yield tmp_path
    structlog.reset_defaults()


def kb(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def kb_json(*arguments: str) -> Any:  # noqa: ANN401  JSON
    return json.loads(kb(*arguments, "--json").stdout)


def tags_by_name() -> dict[str, list[str]]:
    return {item["name"]: item["tags"] for item in kb_json("list", "--kb", "reports")["items"]}


def labels_by_name() -> dict[str, list[str]]:
    items = kb_json("list", "--kb", "reports")["items"]
    return {item["name"]: [one["name"] for one in item["labels"]] for item in items}


def test_sync_without_a_folder_follows_those_of_the_settings(place: Path) -> None:
    done = kb("sync")
    assert done.exit_code == 0, done.output
    assert "reports follows north" in done.output
    assert tags_by_name() == {"a.txt": ["north"], "b.txt": ["south"]}
    assert kb("sync").exit_code == 3
    for name in ("north/a.txt", "south/b.txt"):
        (place / name).unlink()
    (place / "north" / "c.txt").write_text("The valve of hall 4 broke.")
    assert kb("sync").exit_code == 0
    assert set(tags_by_name()) == {"b.txt", "c.txt"}  # only north is pruned


def test_documents_of_a_folder_get_its_labels_and_a_second_run_makes_no_others(
    place: Path,
) -> None:
    assert kb("sync", "--dry-run").exit_code == 0
    assert kb("labels", "list", "--kb", "reports").exit_code == 1  # there is no such base yet
    assert kb("sync").exit_code == 0
    assert labels_by_name() == {"a.txt": ["open", "river"], "b.txt": []}
    (place / "north" / "c.txt").write_text("The valve of hall 4 broke.")
    (place / "north" / "a.txt").write_text("The pump of hall 9 leaked.")
    kb("labels", "change", "open", "--kb", "reports", "--name", "Open")
    done = kb("sync", "north", "--kb", "reports", "--label", "OPEN", "--label", "new")
    assert done.exit_code == 0, done.output
    assert labels_by_name()["c.txt"] == ["Open", "new"]
    assert labels_by_name()["a.txt"] == ["Open", "new", "river"]
    made = kb_json("labels", "list", "--kb", "reports")["items"]
    assert sorted(one["name"] for one in made) == ["Open", "new", "river"]


@pytest.mark.parametrize("command", [("sync", "nowhere"), ("ingest", "nowhere")])
def test_a_place_that_is_not_there_leaves_no_base_and_no_label(command: tuple[str, ...]) -> None:
    assert kb(*command, "--kb", "new", "--label", "open").exit_code == 2
    assert kb_json("list")["items"] == []


def test_a_place_that_is_gone_makes_no_label_in_a_base_that_is_there(place: Path) -> None:
    assert kb("sync", "south", "--kb", "reports").exit_code == 0
    assert kb("sync", "nowhere", "--kb", "reports", "--label", "open").exit_code == 2
    assert kb_json("labels", "list", "--kb", "reports")["items"] == []


def test_a_label_that_cannot_be_stops_a_sync_before_anything_is_taken_in(place: Path) -> None:
    done = kb("sync", "north", "--kb", "reports", "--label", "x" * 51)
    assert (done.exit_code, "[invalid_label]" in done.output) == (2, True)
    assert kb_json("list", "--kb", "reports")["items"] == []


def test_a_folder_that_is_gone_does_not_stop_the_others(place: Path) -> None:
    (place / "north").rename(place / "elsewhere")
    rows = kb_json("sync")["folders"]
    assert rows[0]["error"]["code"] == "not_a_folder"
    assert [item["outcome"] for item in rows[1]["items"]] == ["created"]
    assert kb("sync").exit_code == 1


def test_the_dry_run_says_what_will_be_refused(place: Path) -> None:
    (place / "north" / "machine.bin").write_bytes(bytes(range(256)))
    plan = kb_json(
        "sync", "north", "--kb", "r", "--include", "*.bin", "--include", "a.*", "--dry-run"
    )
    assert plan["refusals"]["machine.bin"]["code"] == "unsupported_media_type"
    assert (plan["plan"]["added"], plan["plan"]["num_excluded"]) == (["a.txt"], 1)
    told = kb("sync", "north", "--kb", "r", "--dry-run")
    assert (told.exit_code, "refused    machine.bin: " in told.output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["sync", "north"], 2), (["sync", "--include", "*.pdf"], 2), (["sync", "--kb", "nobody"], 2)],
)
def test_what_is_missing_is_wrong_usage(arguments: list[str], code: int) -> None:
    assert kb(*arguments).exit_code == code


def test_a_folder_entry_with_an_unknown_word_is_named(place: Path) -> None:
    (place / "kb.toml").write_text('[[sync.folders]]\npath = "north"\nkb = "r"\nexcludes = ["x"]\n')
    done = kb("sync")
    assert done.exit_code == 1
    assert "EXCLUDES" in done.output


def test_a_wrong_account_is_named_without_its_password(place: Path) -> None:
    (place / "kb.toml").write_text('[sync.accounts.nas]\nuser = "u"\npasword = "hunter2"\n')
    done = kb("sync")
    assert (done.exit_code, "hunter2" in done.output, "PASWORD" in done.output) == (1, False, True)
