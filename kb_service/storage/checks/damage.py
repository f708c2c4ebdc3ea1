"""Whether the database itself is whole: its pages, its rows, and checks that survive damage.

Knows how SQLite and PostgreSQL tell of damage. Does not know what rows mean.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, Table, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from kb_service.domain.errors import KbError, StorageError
from kb_service.storage.database import Database
from kb_service.storage.tables import metadata

MAX_NAMED = 1000
"""Findings that one damaged table, or the structure of the whole file, may give."""

MAX_QUICK_BYTES = 1024**3
"""Up to this size a start reads the whole SQLite file; more would hold the disk for minutes."""

Result = TypeVar("Result")


class Flaw(StrEnum):
    """How an invariant is broken; `pending`: it is not, work that is known is still to be done."""

    LOST = "lost"
    DOUBLED = "doubled"
    ORPHANED = "orphaned"
    MISMATCHED = "mismatched"
    DAMAGED = "damaged"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class FlawFinding:
    """One broken invariant, in words that name the row or file."""

    flaw: Flaw
    message: str


class CarefulReader:
    """Reads one snapshot of a database that may be damaged.

    What cannot be read is a finding that names it, and the next read goes on. Only an outage (no
    connection, no lock) is raised, as StorageError.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self.findings: list[FlawFinding] = []

    def check(self, what: str, check: Callable[[Connection], Iterable[FlawFinding]]) -> bool:
        """Add what a check finds, and that it broke off when it did; True when it came through."""

        def collect(connection: Connection) -> bool:
            for finding in check(connection):
                self.findings.append(finding)
            return True

        return self.read(what, collect) or False

    def read(self, what: str, read: Callable[[Connection], Result]) -> Result | None:
        """Return what was read, None (and a finding) when it cannot be."""
        try:
            # PostgreSQL refuses everything after an error, up to the savepoint before it.
            with self._connection.begin_nested():
                return read(self._connection)
        except SQLAlchemyError as error:
            typed = self._database.typed(error)
            if typed.is_outage:
                raise typed from error
            reason = _words_of(error)
        except (KbError, ValueError, TypeError) as error:
            if isinstance(error, StorageError) and error.is_outage:
                raise
            reason = str(error)
        self.findings.append(FlawFinding(Flaw.DAMAGED, f"{what} cannot be read: {reason}"))
        return None


def _words_of(error: SQLAlchemyError) -> str:
    words = " ".join(str(getattr(error, "orig", None) or error).split())
    return words.partition(" with text ")[0]  # sqlite3 repeats a text that is not UTF-8


def structure_flaws(connection: Connection) -> Iterator[FlawFinding]:
    """Yield what SQLite's own check says of pages, indexes and constraints; nothing elsewhere.

    PostgreSQL checks the pages that it reads: `read_all_rows` reads them all.
    """
    if connection.dialect.name != "sqlite":
        return
    try:
        yield from _said(connection, MAX_NAMED)
    except DatabaseError:
        # It broke off at a page, and its last words went with it: one at a time, they are heard.
        yield from _said(connection, 1)
        for table in metadata.sorted_tables:
            yield from _said_of_table(connection, table)


def _said(connection: Connection, scope: int | str) -> Iterator[FlawFinding]:
    for row in connection.exec_driver_sql(f"PRAGMA integrity_check({scope})"):
        if row[0] != "ok":
            yield FlawFinding(Flaw.DAMAGED, f"database file: {' '.join(str(row[0]).split())}")


def _said_of_table(connection: Connection, table: Table) -> Iterator[FlawFinding]:
    try:
        yield from _said(connection, table.name)
    except DatabaseError as error:
        reason = _words_of(error)
        yield FlawFinding(Flaw.DAMAGED, f"table {table.name} and its indexes are damaged: {reason}")


def read_all_rows(reader: CarefulReader, table: Table) -> None:
    """Read every value of a table; where that fails, name the rows."""
    if reader.read(f"table {table.name}", lambda connection: _drain(connection, table)):
        return
    keys = reader.read(
        f"the list of rows of {table.name}",
        lambda connection: connection.execute(select(*table.primary_key.columns)).mappings().all(),
    )
    num_before = len(reader.findings)
    for key in keys or ():
        named = ", ".join(f"{name}={value!r}" for name, value in key.items())
        reader.read(f"{table.name} row {named}", _row_reader(table, key))
        if len(reader.findings) - num_before >= MAX_NAMED:
            return


def _drain(connection: Connection, table: Table) -> bool:
    for _ in connection.execute(select(table)).yield_per(MAX_NAMED):
        pass
    return True


def _row_reader(table: Table, key: RowMapping) -> Callable[[Connection], object]:
    is_it = [column == key[column.name] for column in table.primary_key.columns]
    return lambda connection: connection.execute(select(table).where(*is_it)).one()


def look_over(database: Database) -> str:
    """Look for damage as cheaply as it goes; return what was looked at, for people.

    Reads an SQLite file of up to MAX_QUICK_BYTES whole, without comparing indexes with their
    tables. Raises StorageError (database_damaged).
    """
    if not database.is_sqlite:
        return "postgresql"
    with database.read() as connection:
        pages, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "page_size")
        )
        if pages * size > MAX_QUICK_BYTES:
            return f"sqlite, {pages * size / 1024**3:.1f} GiB: only `kb verify` reads that much"
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        database.is_damaged = True
        raise StorageError(
            f"the database is damaged: {' '.join(found.split())}; `kb verify` names what is hit",
            code="database_damaged",
        )
    return "sqlite, its pages are whole"
