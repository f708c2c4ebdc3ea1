"""The docs name every setting and every command; what the code has, a reader can find."""

import re
from collections.abc import Iterator

import pytest
import typer
from pydantic import BaseModel

from kb_service.cli import app
from kb_service.settings import Settings
from tests.conftest import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def setting_names(model: type[BaseModel], prefix: str = "KB_") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


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
