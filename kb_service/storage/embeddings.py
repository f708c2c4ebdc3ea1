"""Vectors of texts by embedding profile: what waits for one, what is added, what nobody needs.

A vector belongs to the words, not to a chunk: equal texts share one. Knows no model.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, select, text

from kb_service.domain.documents import embedded_text
from kb_service.domain.errors import StorageError
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.storage.change_log import next_event, record_readded
from kb_service.storage.database import ANY_BASE, Database
from kb_service.storage.past_tables import past_chunks
from kb_service.storage.revisions.embedded import (
    forget_other_profiles,
    note_all_embedded,
    note_embedded,
)
from kb_service.storage.rows import batches
from kb_service.storage.tables import (
    chunks,
    documents,
    embeddings,
    knowledge_bases,
    revisions,
)

BYTES_PER_FLOAT = 4

_INSERT = text(
    "INSERT INTO embeddings (profile_fingerprint, text_sha256, vector)"
    " VALUES (:profile_fingerprint, :text_sha256, :vector) ON CONFLICT DO NOTHING"
)
"""Another base may bring the same text its vector at this moment."""


@dataclass(frozen=True, slots=True)
class WaitingText:
    """The embedded text of a searchable chunk that has no vector yet."""

    chunk_id: int
    text_sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class AddedVectors:
    """How many vectors are new, and the bases of the revisions that now have all of theirs."""

    num_texts: int
    kb_ids: frozenset[str] = frozenset()


class Embeddings:
    """The vectors of all texts. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def heads(self) -> dict[str, int]:
        """Return the number of the last change of every base: while it stays, so do the chunks."""
        statement = select(knowledge_bases.c.id, knowledge_bases.c.change_seq)
        with self._database.read() as connection:
            return {row.id: row.change_seq for row in connection.execute(statement)}

    def waiting(
        self, profile: EmbeddingProfile, after: int, limit: int, kb_id: str | None = None
    ) -> list[WaitingText]:
        """Return the first chunks past the id `after` whose texts have no vector of the profile.

        With `kb_id`: those of that base.
        """
        if not profile.dimension:
            return []
        statement = (
            select(chunks.c.id, chunks.c.text_sha256, chunks.c.prefix, chunks.c.text)
            .where(chunks.c.id > after, ~_has_vector(profile))
            .order_by(chunks.c.id)
            .limit(limit)
        )
        if kb_id is not None:
            statement = statement.where(chunks.c.kb_id == kb_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [
            WaitingText(row.id, row.text_sha256, embedded_text(row.prefix, row.text))
            for row in rows
        ]

    def num_waiting(self, profile: EmbeddingProfile) -> int:
        """Return how many searchable chunks have no vector of the profile."""
        if not profile.dimension:
            return 0
        statement = select(func.count()).select_from(chunks).where(~_has_vector(profile))
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def add(self, profile: EmbeddingProfile, vectors: Mapping[str, Vector]) -> AddedVectors:
        """Store the vectors of texts that chunks still have and that had none.

        A revision that has all of its vectors thereby is noted, and recorded as added again, in the
        same transaction, so that indexes take them in. One of another base that comes in with such
        a text at this moment is left to `settle`.
        """
        check_vectors(vectors, profile)
        with self._database.write(base=ANY_BASE) as connection:
            held = set(_having(connection, vectors).values())
            self._database.hold(connection, held)
            added = _insert_missing(connection, profile, vectors)
            found = _having(connection, added).items()
            having = {revision_id: kb_id for revision_id, kb_id in found if kb_id in held}
            lacking = _lacking(connection, profile, having.keys())
            note_embedded(connection, lacking, "")  # said to be whole until its vectors were lost
            completed = sorted(having.keys() - lacking)
            note_embedded(connection, completed, profile.fingerprint)
            kb_ids = _readd(connection, {which: having[which] for which in completed})
        return AddedVectors(len(added), kb_ids)

    def adopt(self, profile: EmbeddingProfile) -> None:
        """Put a profile in force: what another one embedded whole waits for its vectors again."""
        if not profile.dimension:
            return
        other = select(revisions.c.id).where(
            revisions.c.embedded_by.not_in(("", profile.fingerprint))
        )
        with self._database.read() as connection:
            has_other = connection.execute(other.limit(1)).first() is not None
        if has_other:
            with self._database.write() as connection:
                forget_other_profiles(connection, profile.fingerprint)

    def settle(self, profile: EmbeddingProfile) -> int:
        """Once every text has a vector of this profile, note that and delete those of others.

        Returns how many are deleted; 0 while a searchable text of any base still lacks its vector.
        """
        if not profile.dimension:
            return 0
        lacking = select(chunks.c.id).where(~_has_vector(profile)).limit(1)
        is_other = embeddings.c.profile_fingerprint != profile.fingerprint
        others = select(embeddings.c.text_sha256).where(is_other).limit(1)
        unnoted = _unnoted(profile.fingerprint)
        with self._database.read() as connection:
            if connection.execute(lacking).first():
                return 0
            if not any(connection.execute(found.limit(1)).first() for found in (unnoted, others)):
                return 0
        with self._database.write() as connection:
            if connection.execute(lacking).first():
                return 0
            _readd(connection, {row.id: row.kb_id for row in connection.execute(unnoted)})
            note_all_embedded(connection, profile.fingerprint)
            return connection.execute(delete(embeddings).where(is_other)).rowcount


def _readd(connection: Connection, whole: Mapping[int, str]) -> frozenset[str]:
    """Let indexes take in revisions with all of their vectors, and tell who watches their bases.

    `whole`: the base of each revision, in the order of their ids. Returns these bases.
    """
    for revision_id, kb_id in whole.items():
        record_readded(connection, kb_id, revision_id)
    kb_ids = frozenset(whole.values())
    for kb_id in sorted(kb_ids):
        next_event(connection, kb_id)
    return kb_ids


def _unnoted(fingerprint: str) -> Select[Any]:
    """Select searchable revisions with chunks that are not known to have all of their vectors."""
    return (
        select(revisions.c.id, documents.c.kb_id)
        .join(documents, documents.c.id == revisions.c.document_id)
        .where(revisions.c.is_current, revisions.c.num_chunks > 0)
        .where(revisions.c.embedded_by != fingerprint)
        .order_by(revisions.c.id)
    )


def remove_unused_embeddings(connection: Connection, text_sha256s: Iterable[str]) -> None:
    """Delete those of the embeddings that no chunk, searchable or past, has any more."""
    for batch in batches(text_sha256s):
        connection.execute(
            delete(embeddings).where(
                embeddings.c.text_sha256.in_(batch),
                ~exists().where(chunks.c.text_sha256 == embeddings.c.text_sha256),
                ~exists().where(past_chunks.c.text_sha256 == embeddings.c.text_sha256),
            )
        )


def check_vectors(vectors: Mapping[str, Vector], profile: EmbeddingProfile) -> None:
    expected = BYTES_PER_FLOAT * profile.dimension
    for text_sha256, vector in vectors.items():
        if len(vector) != expected:
            raise StorageError(
                f"the vector of {text_sha256} has {len(vector)} bytes; "
                f"profile {profile.name} needs {expected}",
                code="vector_mismatch",
            )


def _has_vector(profile: EmbeddingProfile) -> ColumnElement[bool]:
    return exists().where(
        embeddings.c.profile_fingerprint == profile.fingerprint,
        embeddings.c.text_sha256 == chunks.c.text_sha256,
    )


def _insert_missing(
    connection: Connection, profile: EmbeddingProfile, vectors: Mapping[str, Vector]
) -> list[str]:
    """Store those of the vectors whose texts are there and have none; return their hashes."""
    missing: list[str] = []
    for batch in batches(sorted(vectors)):
        statement = (
            select(chunks.c.text_sha256)
            .where(chunks.c.text_sha256.in_(batch), ~_has_vector(profile))
            .distinct()
        )
        missing += connection.execute(statement).scalars().all()
    if missing:
        fingerprint = profile.fingerprint
        values = [
            {"profile_fingerprint": fingerprint, "text_sha256": key, "vector": vectors[key]}
            for key in sorted(missing)
        ]
        connection.execute(_INSERT, values)
    return missing


def _having(connection: Connection, text_sha256s: Collection[str]) -> dict[int, str]:
    """Return the base of each revision that has one of the texts, by its id."""
    having: dict[int, str] = {}
    for batch in batches(text_sha256s):
        columns = select(chunks.c.kb_id, chunks.c.revision_id).distinct()
        rows = connection.execute(columns.where(chunks.c.text_sha256.in_(batch)))
        having |= {row.revision_id: row.kb_id for row in rows}
    return having


def _lacking(
    connection: Connection, profile: EmbeddingProfile, revision_ids: Collection[int]
) -> set[int]:
    """Return those of the revisions that lack a vector."""
    one = select(chunks.c.id).where(~_has_vector(profile)).limit(1)
    return {
        revision_id
        for revision_id in revision_ids
        if connection.execute(one.where(chunks.c.revision_id == revision_id)).first()
    }
