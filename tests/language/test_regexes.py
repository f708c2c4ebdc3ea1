"""Patterns that are compiled when they are first used: the same ones, and none that is wrong."""

import re
import subprocess
import sys

import pytest

from kb_service.language.regexes import regex
from tests.conftest import ROOT

# In a process of its own: what another test froze, the collector does not tell.
EVERY_PATTERN = """
import gc, pkgutil, re
from importlib import import_module
import kb_service.language
from kb_service.language.regexes import regex
for module in pkgutil.walk_packages(kb_service.language.__path__, "kb_service.language."):
    import_module(module.name)
found = [x for x in gc.get_objects() if type(x) is type(regex(""))]
for pattern in found:
    assert pattern.groups == re.compile(pattern.pattern, pattern.flags).groups, pattern.pattern
print(len(found))
"""


def printed_by(program: str) -> list[int]:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_every_pattern_of_the_languages_can_be_compiled() -> None:
    (num_found,) = printed_by(EVERY_PATTERN)
    assert num_found > 500


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
    num_known, num_compiled = printed_by(told)
    assert num_known > 400
    assert num_compiled <= 8
