"""Askers, ingesters, a deleter and a second process that reindexes, on a real service at once."""

import sys
from pathlib import Path

import pytest

from benchmarks.race import run

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


def test_nothing_fails_or_is_left_over_while_others_reindex(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = run(8, tmp_path / "data", scratch, num_askers=2)
    assert result["wrong"] == []
    assert result["left_over"] == []
    assert result["is_clean"], result["verify"]
    answers = result["answers"]
    assert isinstance(answers, dict)
    assert answers["ask 200"] and answers["kb reindex 0"]
