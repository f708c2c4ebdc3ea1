"""Turns by locks of PostgreSQL: one holder a base, whatever becomes of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from kb_service.domain.errors import StorageError
from kb_service.storage.database import Database, open_database
from kb_service.storage.turns import PostgresTurns

pytestmark = pytest.mark.postgres


@pytest.fixture
def databases(postgres_server: str) -> Iterator[list[Database]]:
    """The database as two processes see it."""
    opened = [open_database(postgres_server) for _ in range(2)]
    yield opened
    for database in opened:
        database.close()


def test_one_of_all_processes_has_the_turn_of_a_base(databases: list[Database]) -> None:
    ours, theirs = (PostgresTurns(database) for database in databases)
    with ours.take("kb_a") as first, theirs.take("kb_a") as second, theirs.take("kb_b") as other:
        assert (first is None, second is None, other is None) == (False, True, False)
    with theirs.take("kb_a") as again:
        assert again is not None


def test_the_turn_ends_with_an_error_and_with_its_connection(databases: list[Database]) -> None:
    ours, theirs = (PostgresTurns(database) for database in databases)
    with pytest.raises(RuntimeError), ours.take("kb_a"):
        raise RuntimeError("the work failed")
    with ours.take("kb_a") as first:
        assert first is not None
        first()
        with databases[1].engine.connect() as connection:
            # The second argument makes it wait until the connection is gone; in milliseconds.
            end = (
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            )
            assert list(connection.execute(text(end)).scalars()) == [True]
        with theirs.take("kb_a") as second:
            assert second is not None
            with pytest.raises(StorageError) as error:
                first()
            assert error.value.is_outage
            with pytest.raises(StorageError):
                first()  # and it does not come back with another connection
            second()


def test_a_turn_keeps_no_transaction_and_no_connection(databases: list[Database]) -> None:
    turns = PostgresTurns(databases[0])
    states = text(
        "SELECT state FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' "
        "AND pid <> pg_backend_pid()"
    )
    with turns.take("kb_a"), databases[1].engine.connect() as connection:
        assert list(connection.execute(states).scalars()) == ["idle"]
    for _ in range(300):
        with turns.take("kb_a") as check:
            assert check is not None
