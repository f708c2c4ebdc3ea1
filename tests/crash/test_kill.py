"""kill -9 at random moments of real work: what was acknowledged is there, whole, and once."""

import sys
from pathlib import Path

import pytest

from benchmarks.crash import run
from tests.postgres import administer, with_database

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]


def test_nothing_is_lost_doubled_or_half_visible_after_random_kills(tmp_path: Path) -> None:
    result = run(num_kills=6, seed=7, data_dir=tmp_path / "data")
    assert result["mismatches"] == []
    assert result["is_clean"], result["verify"]


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    administer(postgres_server, "CREATE DATABASE kb_kills TEMPLATE kb_template")
    url = with_database(postgres_server, "kb_kills")
    result = run(num_kills=4, seed=11, data_dir=tmp_path / "data", database_url=url)
    assert result["mismatches"] == []
    assert result["is_clean"], result["verify"]
