"""Patterns that are compiled when they are first used: the same ones, and none that is wrong."""

import gc
import pkgutil
import re
import subprocess
import sys
from importlib import import_module

import pytest

import kb_service.language
from kb_service.language.regexes import regex
from tests.conftest import ROOT


def all_patterns() -> list[re.Pattern[str]]:
    for module in pkgutil.walk_packages(kb_service.language.__path__, "kb_service.language."):
        import_module(module.name)
    kind = type(regex(""))
    return [found for found in gc.get_objects() if type(found) is kind]


def test_every_pattern_of_the_languages_can_be_compiled() -> None:
    found = all_patterns()
    assert len(found) > 500
    for pattern in found:
        assert pattern.groups == re.compile(pattern.pattern, pattern.flags).groups


def test_it_does_what_the_compiled_pattern_does() -> None:
    late, known = regex(r"(?P<word>\w+)-", re.IGNORECASE), re.compile(r"(?P<word>\w+)-", re.I)
    for text in ("a-b-", "", "Über-x"):
        assert late.findall(text) == known.findall(text)
        assert late.sub(r"<\g<word>>", text) == known.sub(r"<\g<word>>", text)
        assert [m.span() for m in late.finditer(text)] == [m.span() for m in known.finditer(text)]
    assert (late.flags, late.pattern, late.groupindex) == (known.flags, known.pattern, {"word": 1})


def test_what_is_no_pattern_is_told_with_its_first_use() -> None:
    with pytest.raises(re.error):
        regex("(").search("")
    with pytest.raises(AttributeError):
        regex("a").wrong  # type: ignore[attr-defined]  # noqa: B018


def test_a_server_that_starts_compiles_next_to_none() -> None:
    told = """
import gc, api.server, kb_service.bootstrap
from kb_service.language.regexes import regex
found = [x for x in gc.get_objects() if type(x) is type(regex(""))]
print(len(found), sum("search" in x.__dict__ for x in found))
"""
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True
    )
    num_known, num_compiled = map(int, done.stdout.split())
    assert num_known > 400
    assert num_compiled <= 8
