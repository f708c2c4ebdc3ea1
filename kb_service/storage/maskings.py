"""What each base hides from those who may not see personal data, and what is known of its people.

Knows rows only; what is personal in a text is the language's business.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Row, Table, delete, func, insert, select

from kb_service.domain.errors import StorageError
from kb_service.domain.facts import Fact, FactField
from kb_service.domain.masking import NO_MASKING, Masking, PersonalKind, PersonRole
from kb_service.storage.database import Database
from kb_service.storage.facts.tables import fact_corrections, facts
from kb_service.storage.facts.values import fact_of
from kb_service.storage.revisions.pieces import read_text
from kb_service.storage.rows import batches, one_of
from kb_service.storage.tables import ID, JsonText, documents, metadata, revisions

maskings = Table(
    "maskings",
    metadata,
    Column("kb_id", ID, ForeignKey("knowledge_bases.id", ondelete="CASCADE"), primary_key=True),
    Column("kinds", JsonText, nullable=False),
    Column("roles", JsonText, nullable=False),
)

_PERSONAL_FIELDS = (FactField.PERSON, FactField.PHONE, FactField.EMAIL, FactField.VEHICLE)
Stated = tuple[str, str]
"""A name as it is written, and the label or title beside it, "" for none."""


@dataclass(frozen=True, slots=True)
class KeptText:
    """A revision with what its facts name of people, phones and vehicles."""

    revision_id: int
    document_id: str
    sha256: str
    is_current: bool
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said that words mean, as it was typed. `labels`: what stands beside the words;
    none where the text is not searchable now."""

    field: str
    typed: str
    labels: frozenset[str]


class Maskings:
    """The maskings of all bases. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> dict[str, Masking]:
        """Return the maskings of the bases that hide anything, by id."""
        with self._database.read() as connection:
            rows = connection.execute(select(maskings)).all()
        found = {row.kb_id: masking_of(row.kinds, row.roles) for row in rows}
        return {kb_id: masking for kb_id, masking in found.items() if masking}

    def texts(self, kb_id: str, places: Iterable[tuple[str, str | None]]) -> list[KeptText]:
        """Return kept revisions of (document id, SHA-256; None: the searchable one) of a base."""
        wanted = set(places)
        named = [place for place in wanted if place[1] is not None]
        current = [document for document, sha256 in wanted if sha256 is None]
        columns = (revisions.c.id, revisions.c.document_id, revisions.c.sha256)
        key = (revisions.c.document_id, revisions.c.sha256)
        mine = select(*columns, revisions.c.is_current).join(
            documents, documents.c.id == revisions.c.document_id
        )
        mine = mine.where(documents.c.kb_id == kb_id)
        rows: list[Row[Any]] = []
        with self._database.read() as connection:
            for pairs in batches(sorted(named)):
                rows += connection.execute(mine.where(one_of(key, pairs)))
            for ids in batches(sorted(current)):
                is_now = revisions.c.document_id.in_(ids) & revisions.c.is_current
                rows += connection.execute(mine.where(is_now))
            stated = _personal_facts(connection, {row.id for row in rows})
        return [
            KeptText(row.id, row.document_id, row.sha256, row.is_current, stated.get(row.id, ()))
            for row in rows
        ]

    def text(self, revision_id: int) -> str:
        """Return the stored text of a revision, "" when it is gone."""
        with self._database.read() as connection:
            found = read_text(connection, revision_id)
        return found.text if found else ""

    def newest_person(self, kb_id: str) -> int:
        """Return a number that grows with each person that facts of a base name anew."""
        newest = select(func.max(facts.c.id)).where(_people_of(kb_id))
        with self._database.read() as connection:
            return connection.execute(newest).scalar_one() or 0

    def people(self, kb_id: str) -> Sequence[Stated]:
        """Return the people that facts of a base name, each with what stands beside the name."""
        statement = select(facts.c.value, facts.c.role).where(_people_of(kb_id)).distinct()
        with self._database.read() as connection:
            return [(row.value, row.role) for row in connection.execute(statement)]

    def newest_correction(self, kb_id: str) -> tuple[int, int]:
        """Return two numbers that change with each correction of a base."""
        said = fact_corrections.c
        statement = select(func.coalesce(func.max(said.id), 0), func.count(said.id)).join(
            documents, documents.c.id == said.document_id
        )
        with self._database.read() as connection:
            newest, number = connection.execute(statement.where(documents.c.kb_id == kb_id)).one()
        return newest, number

    def corrections(self, kb_id: str) -> list[Said]:
        """Return what people said that words of a base mean, also of texts before the last."""
        said = fact_corrections.c
        same_text = (revisions.c.document_id == said.document_id) & (
            revisions.c.text_sha256 == said.text_sha256
        )
        same_words = (
            (facts.c.revision_id == revisions.c.id)
            & (facts.c.record == said.record)
            & (facts.c.field == said.field)
            & (facts.c.start == said.start)
            & (facts.c.end == said.end)
        )
        statement = (
            select(said.id, said.field, said.corrected, facts.c.role)
            .join(documents, documents.c.id == said.document_id)
            .outerjoin(revisions, same_text & revisions.c.is_current)
            .outerjoin(facts, same_words)
            .where(documents.c.kb_id == kb_id, said.corrected.is_not(None))
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        labels: dict[int, set[str]] = {}
        for row in rows:
            labels.setdefault(row.id, set()).update([] if row.role is None else [row.role])
        return [
            Said(row.field, row.corrected["value"], frozenset(labels[row.id]))
            for row in {row.id: row for row in rows}.values()
        ]


def put_masking(connection: Connection, kb_id: str, masking: Masking) -> None:
    """Put a masking in the place of that of a base."""
    connection.execute(delete(maskings).where(maskings.c.kb_id == kb_id))
    if masking:
        values = {
            "kinds": [kind for kind in PersonalKind if kind in masking.kinds],
            "roles": [role for role in PersonRole if role in masking.roles],
        }
        connection.execute(insert(maskings).values(kb_id=kb_id, **values))


def masking_of(kinds: Any, roles: Any) -> Masking:  # noqa: ANN401  JSON
    """Return the masking of stored words. Raises StorageError (text_damaged)."""
    if kinds is None or roles is None:
        return NO_MASKING
    try:
        return Masking(frozenset(map(PersonalKind, kinds)), frozenset(map(PersonRole, roles)))
    except (ValueError, TypeError) as error:
        raise StorageError(f"a stored masking is damaged: {error}", code="text_damaged") from error


def _people_of(kb_id: str) -> Any:  # noqa: ANN401  a condition
    return (facts.c.kb_id == kb_id) & (facts.c.field == FactField.PERSON)


def _personal_facts(
    connection: Connection, revision_ids: Collection[int]
) -> dict[int, tuple[Fact, ...]]:
    found: dict[int, list[Fact]] = {}
    for ids in batches(sorted(revision_ids)):
        here = facts.c.revision_id.in_(ids) & facts.c.field.in_(_PERSONAL_FIELDS)
        for row in connection.execute(select(facts).where(here)):
            found.setdefault(row.revision_id, []).append(fact_of(row))
    return {revision_id: tuple(stated) for revision_id, stated in found.items()}
