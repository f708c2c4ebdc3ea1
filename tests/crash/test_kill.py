"""kill -9 at random moments of real work: what was acknowledged is there, whole, and once."""

import sys
from pathlib import Path

import pytest

from benchmarks.crash import run

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]


def test_nothing_is_lost_doubled_or_half_visible_after_random_kills(tmp_path: Path) -> None:
    result = run(num_kills=6, seed=7, data_dir=tmp_path / "data")
    assert result["mismatches"] == []
    assert result["is_clean"], result["verify"]
