"""Bringing a database to the schema of this version, and telling when that cannot be done.

Knows Alembic. Gets the two ways to use the database; knows no table.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection

from kb_service.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
Transaction = Callable[[], AbstractContextManager[Connection]]


def upgrade(read: Transaction, write: Transaction, *, can_write: bool) -> None:
    """Take the steps that are missing, in one transaction; none is taken when none is missing.

    Raises ConfigurationError: database_version_unknown for one of a newer version,
    database_needs_migration where a step is missing and nothing can be written.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == script.get_current_head():
        return
    try:
        if found is not None:
            script.get_revision(found)
        if not can_write:
            raise _needs_step(found, script.get_current_head())
        with write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"the database was not made by this version: {error}", code="database_version_unknown"
        ) from error


def _needs_step(found: str | None, head: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"the database has schema {found or 'none'}, this version needs {head}, and the data "
        "folder cannot be written: start the service once where it can",
        code="database_needs_migration",
    )
