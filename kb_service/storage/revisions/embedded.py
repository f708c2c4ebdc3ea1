"""Which revisions have a vector for each of their chunks, and of which profile: one column says it.

Every name in it is that of the profile in force, which the last worker began with: a change of the
model empties it everywhere. It is written in the transaction that makes it true, and a list reads
it with the row. A replaced revision keeps its name: its past chunks keep their vectors, and while
every current one waits it alone tells which profile is in force. Called inside a write only.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from kb_service.storage.counts import count_embedded
from kb_service.storage.rows import batches
from kb_service.storage.tables import embeddings, revisions


def profile_of_all(connection: Connection, text_sha256s: Collection[str]) -> str:
    """Return the profile in force when each of the texts has its vector, "" when one lacks it."""
    in_force = connection.execute(select(func.max(revisions.c.embedded_by))).scalar_one()
    if not in_force or not text_sha256s:
        return ""
    found = select(func.count()).where(embeddings.c.profile_fingerprint == in_force)
    for batch in batches(sorted(text_sha256s)):
        having = found.where(embeddings.c.text_sha256.in_(batch))
        if connection.execute(having).scalar_one() < len(batch):
            return ""
    return str(in_force)


def note_embedded(connection: Connection, revision_ids: Collection[int], fingerprint: str) -> None:
    """Note that the revisions have all of their vectors of the profile; "": that they lack one."""
    for batch in batches(revision_ids):
        _note(connection, fingerprint, revisions.c.id.in_(batch))


def note_all_embedded(connection: Connection, fingerprint: str) -> None:
    """Note that every searchable chunk has its vector of the profile."""
    _note(connection, fingerprint, revisions.c.is_current, revisions.c.num_chunks > 0)


def forget_other_profiles(connection: Connection, fingerprint: str) -> None:
    """Put the profile in force: what another one embedded waits for its vectors."""
    _note(connection, "", revisions.c.embedded_by.not_in(("", fingerprint)))


def _note(connection: Connection, fingerprint: str, *which: ColumnElement[bool]) -> None:
    changing = and_(*which, revisions.c.embedded_by != fingerprint)
    count_embedded(connection, changing, fingerprint)
    connection.execute(update(revisions).where(changing).values(embedded_by=fingerprint))
