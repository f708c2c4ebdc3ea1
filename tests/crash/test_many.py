"""Two servers and three workers over one PostgreSQL, killed at random: nothing lost, none twice."""

import sys
from pathlib import Path

import pytest

from benchmarks.many_processes import Course, run
from tests.postgres import administer, with_database

pytestmark = [
    pytest.mark.crash,
    pytest.mark.postgres,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]


def test_processes_that_share_a_database_lose_and_double_nothing(
    postgres_server: str, tmp_path: Path
) -> None:
    administer(postgres_server, "CREATE DATABASE kb_many TEMPLATE kb_template")
    url = with_database(postgres_server, "kb_many")
    result = run(tmp_path, url, Course(seconds=10, pause_s=2, seed=3, num_bases=2))
    assert result["lost"] == result["doubled"] == []
    assert result["is_clean"], result["verify"]
    assert result["acknowledged"]
    assert result["searches"]
