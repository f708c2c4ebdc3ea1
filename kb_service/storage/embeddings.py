"""Vectors of texts by embedding profile: what is missing, what is added, what nobody needs.

A vector belongs to the words, not to a chunk: equal texts share one. Knows no model.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, delete, exists, insert, select

from kb_service.domain.errors import StorageError
from kb_service.domain.ports import EmbeddingProfile, Vector
from kb_service.storage.change_log import record_readded
from kb_service.storage.database import Database
from kb_service.storage.rows import batches
from kb_service.storage.tables import chunks, embeddings

BYTES_PER_FLOAT = 4


class Embeddings:
    """The vectors of all texts. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def missing(self, profile: EmbeddingProfile, text_sha256s: Collection[str]) -> set[str]:
        """Return those of the hashes of embedded texts that have no vector of the profile."""
        with self._database.read() as connection:
            return missing_embeddings(connection, profile, text_sha256s)

    def add(self, profile: EmbeddingProfile, vectors: Mapping[str, Vector]) -> int:
        """Store vectors of another profile for texts that chunks still have; return how many.

        For the change of an embedding model: vectors of texts that are gone are not stored.
        """
        check_vectors(vectors, profile)
        with self._database.write() as connection:
            found: set[str] = set()
            for batch in batches(vectors):
                statement = select(chunks.c.text_sha256).where(chunks.c.text_sha256.in_(batch))
                found |= set(connection.execute(statement).scalars())
            return add_embeddings(connection, profile, frozenset(found), vectors)

    def announce(self, kb_id: str) -> None:
        """Record every searchable revision of a base as added again, so that indexes read anew.

        For the change of an embedding model: an index that knows a revision takes its vectors in.
        """
        with self._database.write() as connection:
            searchable = select(chunks.c.revision_id).where(chunks.c.kb_id == kb_id).distinct()
            for revision_id in connection.execute(searchable).scalars().all():
                record_readded(connection, kb_id, revision_id)

    def drop_other_profiles(self, profile: EmbeddingProfile) -> int:
        """Delete the vectors of other profiles once every text has one of this; return how many.

        0 while a searchable text of any base still lacks its vector of this profile.
        """
        has_vector = exists().where(
            embeddings.c.profile_fingerprint == profile.fingerprint,
            embeddings.c.text_sha256 == chunks.c.text_sha256,
        )
        with self._database.write() as connection:
            if connection.execute(select(chunks.c.id).where(~has_vector).limit(1)).first():
                return 0
            statement = delete(embeddings).where(
                embeddings.c.profile_fingerprint != profile.fingerprint
            )
            return connection.execute(statement).rowcount


def remove_unused_embeddings(connection: Connection, text_sha256s: Iterable[str]) -> None:
    """Delete those of the embeddings that no chunk refers to any more."""
    for batch in batches(text_sha256s):
        connection.execute(
            delete(embeddings).where(
                embeddings.c.text_sha256.in_(batch),
                ~exists().where(chunks.c.text_sha256 == embeddings.c.text_sha256),
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


def missing_embeddings(
    connection: Connection, profile: EmbeddingProfile, text_sha256s: Collection[str]
) -> set[str]:
    missing = set(text_sha256s) if profile.dimension else set()
    for batch in batches(missing):
        statement = select(embeddings.c.text_sha256).where(
            embeddings.c.profile_fingerprint == profile.fingerprint,
            embeddings.c.text_sha256.in_(batch),
        )
        missing -= set(connection.execute(statement).scalars())
    return missing


def add_embeddings(
    connection: Connection,
    profile: EmbeddingProfile,
    text_sha256s: Collection[str],
    vectors: Mapping[str, Vector],
) -> int:
    missing = missing_embeddings(connection, profile, text_sha256s)
    unknown = missing - vectors.keys()
    if unknown:
        # Another document that had the text was deleted while this one was embedded: try again.
        raise StorageError(
            f"{len(unknown)} texts have no vector of profile {profile.name}",
            code="embedding_missing",
        )
    if missing:
        values = [
            {
                "profile_fingerprint": profile.fingerprint,
                "text_sha256": text_sha256,
                "vector": vectors[text_sha256],
            }
            for text_sha256 in sorted(missing)
        ]
        connection.execute(insert(embeddings), values)
    return len(missing)
