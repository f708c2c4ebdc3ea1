"""Bringing a database to the schema of this version, and telling when that cannot be done.

Knows Alembic, which is slow to import and left alone where no step is missing. Gets the two ways to
use the database; knows no table but Alembic's.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from kb_service.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
APPLIED = table("alembic_version", column("version_num"))
Transaction = Callable[[], AbstractContextManager[Connection]]


def upgrade(read: Transaction, write: Transaction, *, can_write: bool) -> None:
    """Take the steps that are missing, in one transaction; none is taken when none is missing.

    Raises ConfigurationError: database_version_unknown for one of a newer version,
    database_needs_migration where a step is missing and nothing can be written.
    """
    with read() as connection:
        found = _version_of(connection)
    if found != newest_version():
        _take_steps(found, write, can_write=can_write)


def newest_version() -> str:
    """Return the number in the name of the last step's file; a test compares it with Alembic's."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("v*.py"))[1:5]


def _version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table(APPLIED.name):
        return None
    return connection.execute(select(APPLIED.c.version_num)).scalar()


def _take_steps(found: str | None, write: Transaction, *, can_write: bool) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        if found is not None:
            ScriptDirectory.from_config(config).get_revision(found)
        if not can_write:
            raise _needs_step(found)
        with write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"the database was not made by this version: {error}", code="database_version_unknown"
        ) from error


def _needs_step(found: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"the database has schema {found or 'none'}, this version needs {newest_version()}, and "
        "the data folder cannot be written: start the service once where it can",
        code="database_needs_migration",
    )
