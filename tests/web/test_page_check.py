"""The check of the page's scripts says what it lacks, and knows an outdated tool."""

import json
from pathlib import Path

import pytest

from tests.web import page_check


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tools that pins one, `lint` 2.0.0; node is there."""
    monkeypatch.setattr(page_check, "TOOLS", tmp_path)
    monkeypatch.setattr(page_check.shutil, "which", lambda name: f"/usr/bin/{name}")
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": {"lint": "2.0.0"}}))
    return tmp_path


@pytest.mark.parametrize("installed", [None, "1.9.0"])
def test_without_the_pinned_tools_nothing_is_checked_and_that_is_said(
    tools: Path, installed: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if installed:
        (tools / "node_modules" / "lint").mkdir(parents=True)
        found = tools / "node_modules" / "lint" / "package.json"
        found.write_text(json.dumps({"version": installed}))
    assert page_check.main() == 0
    assert "not checked, lint 2.0.0 is not installed: make tools" in capsys.readouterr().out


def test_without_node_that_is_said(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_check.shutil, "which", lambda _: None)
    assert "node" in page_check.absent()


def test_a_tool_that_finds_something_fails_the_check(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools / "package.json").write_text(json.dumps({"devDependencies": {}}))
    ran: list[str] = []

    def tool(name: str, *_: str) -> bool:
        ran.append(name)
        return name != "tsc"

    monkeypatch.setattr(page_check, "tool", tool)
    assert page_check.main() == 1
    assert ran == ["openapi-typescript", "tsc"]
    published = json.loads((tools / "build" / "openapi.json").read_text())
    assert "DocumentBody" in published["components"]["schemas"]


def test_what_is_pinned_is_locked() -> None:
    folder = Path(page_check.__file__).parent / "tools"
    pinned = json.loads((folder / "package.json").read_text())["devDependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in pinned} == pinned
    assert all(package["integrity"] for path, package in locked.items() if path)
