"""Databases for the storage tests: SQLite always, PostgreSQL when a server can be started here."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from kb_service.storage.database import Database, open_database
from kb_service.storage.tables import metadata
from tests.postgres import administer, with_database
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


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty migrated database of either kind; its schema stays as it is."""
    if request.param == "sqlite":
        return _sqlite_copy(request, tmp_path)
    url = with_database(request.getfixturevalue("postgres_server"), "kb_shared")
    tables = ", ".join(metadata.tables)
    administer(url, f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture(params=KINDS)
def own_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database whose schema the test may change."""
    if request.param == "sqlite":
        yield _sqlite_copy(request, tmp_path)
        return
    with copied_database(request.getfixturevalue("postgres_server"), "kb_template") as url:
        yield url


@contextmanager
def copied_database(server: str, template: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that begins as a copy of that one and is dropped again."""
    name = f"kb_test_{next(_numbers)}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield with_database(server, name)
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


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
