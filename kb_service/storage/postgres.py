"""PostgreSQL: how it is connected to, and who waits for whom while writing. Knows one table's name.

A write of one base holds that base's row, and a lock that others of its kind share: bases do not
wait for each other. A write of anything else has the lock alone, so that what is common to bases (a
file, a vector of equal words, a name) is never judged while somebody writes. The lock comes first,
then a base: nobody waits for the lock while holding a base.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL

from kb_service.storage import sqlite

CONNECT_WAIT_S = 10
WRITE_LOCK_KEY = 0x6B625F7365727669
"""PostgreSQL advisory lock of writers: the bytes of `kb_servi`."""

STANDSTILL_S = 60
"""A write whose process says nothing for so long loses its turn: others wait for it. What is done
meanwhile to more than the database must end sooner."""

_BEGIN = """SELECT set_config('lock_timeout', :wait, true),
 set_config('idle_in_transaction_session_timeout', :standstill, true),
 {lock}(:key)"""
_TOGETHER = text(_BEGIN.format(lock="pg_advisory_xact_lock_shared"))
_ALONE = text(_BEGIN.format(lock="pg_advisory_xact_lock"))
# No key update: rows that refer to the base may come in meanwhile.
_HOLD = text("SELECT id FROM knowledge_bases WHERE id = :id FOR NO KEY UPDATE")
_HOLD_FREE = text("SELECT id FROM knowledge_bases WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED")


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections of one process: `size` are kept, `extra` more opened while these are in use.

    `wait_s`: how long a request waits for one.
    """

    size: int = 5
    extra: int = 15
    wait_s: float = 10.0


def engine(url: URL, pool: Pool) -> Engine:
    """Return an engine that connects later. What the URL says wins."""
    options = {
        # Reads wait for nobody but one who changes the schema.
        "lock_timeout": f"{round(sqlite.READ_WAIT_S)}s",
        # A machine that is gone holds a base no longer than a minute.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    told = {
        "connect_timeout": str(CONNECT_WAIT_S),
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }
    return create_engine(
        url,
        connect_args={name: value for name, value in told.items() if name not in url.query},
        pool_pre_ping=True,
        pool_size=pool.size,
        max_overflow=pool.extra,
        pool_timeout=pool.wait_s,
    )


def begin_write(connection: Connection, wait_s: float, *, is_alone: bool) -> None:
    """Take the lock of writers, alone or with those who write in one base each."""
    values = {
        "wait": f"{max(round(1000 * wait_s), 1)}ms",
        "standstill": f"{STANDSTILL_S}s",
        "key": WRITE_LOCK_KEY,
    }
    connection.execute(_ALONE if is_alone else _TOGETHER, values)


def hold(connection: Connection, kb_id: str) -> None:
    """Wait until nobody else writes in a base; a base that is gone is held by nobody."""
    connection.execute(_HOLD, {"id": kb_id})


def hold_free(connection: Connection, kb_id: str) -> bool:
    """Hold a base that nobody writes in; False where somebody does, or it is gone."""
    return connection.execute(_HOLD_FREE, {"id": kb_id}).first() is not None
