"""Files on their way into a store elsewhere: what somebody sends is not removed meanwhile.

So the transaction that refers to them asks no network. Knows one table of hashes.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Table, delete, insert, select

from kb_service.storage.identity import new_id
from kb_service.storage.tables import ID, SHA256, UtcTime, metadata

HELD_FOR = timedelta(hours=1)
"""So long nobody removes what is being sent; a sender that died has no other end."""

sendings = Table(
    "sendings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sha256", SHA256, primary_key=True, index=True),
    Column("begun_at", UtcTime, nullable=False, index=True),
)


def begin(connection: Connection, hashes: Iterable[str], now: datetime) -> str:
    """Keep files from being removed; return the id of this sending."""
    sending_id = new_id("sending")
    rows = [{"id": sending_id, "sha256": each, "begun_at": now} for each in sorted(set(hashes))]
    connection.execute(insert(sendings), rows)
    return sending_id


def end(connection: Connection, sending_id: str, now: datetime) -> bool:
    """Let the files of a sending go; True when certainly none was removed since it began.

    Half of the time counts: clocks of two machines may differ.
    """
    mine = delete(sendings).where(sendings.c.id == sending_id).returning(sendings.c.begun_at)
    begun = connection.execute(mine).scalars().all()
    return bool(begun) and now - min(begun) < HELD_FOR / 2


def being_sent(connection: Connection, hashes: Sequence[str], now: datetime) -> set[str]:
    """Return those of the files that somebody sends; forgets senders that died."""
    connection.execute(delete(sendings).where(sendings.c.begun_at < now - HELD_FOR))
    mine = select(sendings.c.sha256).where(sendings.c.sha256.in_(hashes))
    return set(connection.execute(mine).scalars())
