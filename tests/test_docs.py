"""The docs name every setting and every command; what the code has, a reader can find."""

import re

import pytest
import typer

from kb_service.cli import app
from kb_service.settings import Settings, setting_names
from tests.conftest import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(setting_names(Settings)))
def test_every_setting_is_in_the_operations_guide(name: str) -> None:
    assert f"`{name}" in OPERATIONS


@pytest.mark.parametrize("name", sorted(typer.main.get_group(app).commands))
def test_every_command_is_in_the_operations_guide(name: str) -> None:
    assert f"`kb {name}" in OPERATIONS


def test_the_operations_guide_names_no_setting_that_does_not_exist() -> None:
    known = set(setting_names(Settings))
    named = set(re.findall(r"^\| `(KB_[A-Z_]+?)(?:__<NAME>)?`", OPERATIONS, flags=re.MULTILINE))
    assert named <= known


def test_readme_links_lead_to_files_of_the_repository() -> None:
    for readme in ("README.md", "README.zh.md"):
        text = (ROOT / readme).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / target).exists(), f"{readme} links to {target}"
