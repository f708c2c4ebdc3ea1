"""Facts of all bases: put for a revision, listed by field and document, counted by field."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Connection, func, select, tuple_, update

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.facts import (
    Correction,
    Fact,
    Record,
    RecordName,
    StoredFact,
    Stretch,
    records_of,
)
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.language.stated.fields import meaning_of
from kb_service.language.stated.reading import FactReader
from kb_service.language.units import marked
from kb_service.storage.bases import require_kb
from kb_service.storage.database import Database
from kb_service.storage.documents.rows import require_document_row
from kb_service.storage.documents.versions import came_on
from kb_service.storage.facts.columns import fields_of_columns
from kb_service.storage.facts.corrections import (
    TextOf,
    forget_correction,
    keep_correction,
    key_of,
)
from kb_service.storage.facts.links import mark_split
from kb_service.storage.facts.rows import fact_rows, rewrite_facts, stored_fact_of
from kb_service.storage.facts.tables import facts, record_splits, records
from kb_service.storage.facts.values import fact_of
from kb_service.storage.identity import (
    Clock,
    Listing,
    check_limit,
    decode_number,
    encode_cursor,
    utc_now,
)
from kb_service.storage.labels.tables import carrying_all, ids_of_labels
from kb_service.storage.pages import read_regions
from kb_service.storage.revisions.pieces import read_text
from kb_service.storage.rows import batches
from kb_service.storage.tables import documents, revisions


class Facts:
    """The facts of searchable revisions. Every method raises StorageError when storage fails."""

    def __init__(
        self, database: Database, clock: Clock = utc_now, reader: FactReader | None = None
    ) -> None:
        """`reader`: finds facts; without one labels are told by lists of words."""
        self._database = database
        self._clock = clock
        self._reader = reader or FactReader()

    def put(self, revision_id: int, found: Sequence[Fact]) -> None:
        """Put facts in the place of those that a revision has, in one transaction."""
        with self._database.write() as connection:
            rewrite_facts(connection, revision_id, found)

    def waiting(self, limit: int, kb_id: str | None = None) -> list[int]:
        """Return searchable revisions whose facts were found by other rules than today's."""
        statement = (
            select(revisions.c.id)
            .where(revisions.c.fact_rules != self._reader.rules, revisions.c.is_current)
            .order_by(revisions.c.id)
            .limit(limit)
        )
        if kb_id is not None:
            of_base = select(documents.c.id).where(documents.c.kb_id == kb_id)
            statement = statement.where(revisions.c.document_id.in_(of_base))
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def forget_rules(self, kb_id: str) -> None:
        """Let all facts of a base be found anew. Raises NotFound."""
        of_base = select(documents.c.id).where(documents.c.kb_id == kb_id)
        with self._database.write(base=kb_id) as connection:
            require_kb(connection, kb_id)
            connection.execute(
                update(revisions)
                .where(revisions.c.document_id.in_(of_base), revisions.c.is_current)
                .values(fact_rules="")
            )

    def find_anew(self, revision_id: int) -> None:
        """Find the facts of a revision by today's rules, in the place of those that it has.

        A revision that is gone meanwhile, or no longer searchable, has none.
        """
        with self._database.read() as connection:
            text = read_text(connection, revision_id)
            columns, kb_id = _columns_of(connection, revision_id), _base_of(connection, revision_id)
            title, came = _title_of(connection, revision_id), _came_on(connection, revision_id)
        found = self._reader.facts_in(marked(text.text), columns, title, came) if text else ()
        with self._database.write(base=kb_id) as connection:
            is_by_these = _columns_of(connection, revision_id) == columns
            statement = (
                update(revisions)
                .where(revisions.c.id == revision_id, revisions.c.is_current)
                .values(fact_rules=self._reader.rules if is_by_these else "")
            )
            if connection.execute(statement).rowcount:
                rewrite_facts(connection, revision_id, found)

    def give_up(self, revision_id: int) -> None:
        """Note that the facts of a revision cannot be found: its text is damaged."""
        with self._database.write() as connection:
            mine = revisions.c.id == revision_id
            connection.execute(update(revisions).where(mine).values(fact_rules=self._reader.rules))

    def records(self, kb_id: str, document_id: str) -> tuple[Record, ...]:
        """Return what a document states, record by record, in their order.

        Raises NotFound (kb_not_found, document_not_found).
        """
        statement = (
            select(facts)
            .join(revisions, revisions.c.id == facts.c.revision_id)
            .where(revisions.c.document_id == document_id, revisions.c.is_current)
            .order_by(facts.c.record, facts.c.id)
        )
        with self._database.read() as connection:
            require_document_row(connection, kb_id, document_id)
            return records_of(map(fact_of, connection.execute(statement)))

    def listed(
        self,
        kb_id: str,
        field: str | None = None,
        document_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
        labels: Sequence[str] = (),
    ) -> Listing[StoredFact]:
        """Return facts of a base in the order in which they were found, page by page.

        `labels`: only of documents that carry all of them, by id or name. Raises NotFound
        (kb_not_found, document_not_found), InvalidRequest (limit_out_of_range, invalid_cursor).
        """
        after = decode_number(cursor) if cursor else 0
        statement = fact_rows().where(facts.c.kb_id == kb_id, facts.c.id > after)
        if field is not None:
            statement = statement.where(facts.c.field == field)
        if document_id is not None:
            statement = statement.where(revisions.c.document_id == document_id)
        statement = statement.order_by(facts.c.id).limit(check_limit(limit) + 1)
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            if wanted := ids_of_labels(connection, kb_id, labels):
                carrying = carrying_all(kb_id, wanted)
                statement = statement.where(revisions.c.document_id.in_(carrying))
            if document_id is not None:
                require_document_row(connection, kb_id, document_id)
            found = tuple(map(stored_fact_of, connection.execute(statement)))
        more = len(found) > limit
        return Listing(found[:limit], encode_cursor(str(found[limit - 1].id)) if more else None)

    def incidents(
        self,
        kb_id: str,
        limit: int = 100,
        cursor: str | None = None,
        within: Stretch | None = None,
    ) -> Listing[int]:
        """Return the numbers of the incidents of a base, page by page.

        `within`: those that records in these words tell of. Raises NotFound, InvalidRequest.
        """
        after = decode_number(cursor) if cursor else 0
        number = records.c.incident
        statement = (
            select(number)
            .where(records.c.kb_id == kb_id, number > after)
            .distinct()
            .order_by(number)
            .limit(check_limit(limit) + 1)
        )
        if within is not None:
            statement = statement.where(*_standing_in(within))
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            if within is not None:
                require_document_row(connection, kb_id, within.document_id)
            found = tuple(connection.execute(statement).scalars())
        return Listing(
            found[:limit], encode_cursor(str(found[limit - 1])) if found[limit:] else None
        )

    def of_incidents(self, kb_id: str, incidents: Sequence[int]) -> list[StoredFact]:
        """Return all facts of these incidents, document by document."""
        found: list[StoredFact] = []
        with self._database.read() as connection:
            for batch in batches(incidents):
                telling = select(records.c.revision_id, records.c.record).where(
                    records.c.kb_id == kb_id, records.c.incident.in_(batch)
                )
                here = tuple_(facts.c.revision_id, facts.c.record)
                statement = fact_rows().where(here.in_(telling))
                rows = connection.execute(statement.order_by(facts.c.incident, facts.c.id))
                found += map(stored_fact_of, rows)
        return found

    def apart(self, names: Sequence[RecordName]) -> dict[RecordName, Correction]:
        """Return which of these records a person said to be of no other incident, and who."""
        said = record_splits.c
        is_now = (
            (revisions.c.document_id == said.document_id)
            & (revisions.c.text_sha256 == said.text_sha256)
            & revisions.c.is_current
        )
        statement = select(said.document_id, said.record, said.by, said.at).join(revisions, is_now)
        found: dict[RecordName, Correction] = {}
        with self._database.read() as connection:
            for batch in batches(sorted({document_id for document_id, _ in names})):
                rows = connection.execute(statement.where(said.document_id.in_(batch)))
                found |= {(r.document_id, r.record): Correction(r.by, r.at) for r in rows}
        return {name: found[name] for name in names if name in found}

    def sharing(self, kb_id: str, field: str, texts: Sequence[str], limit: int) -> list[int]:
        """Return incidents of which a field is stated so, those found last first."""
        if not texts:
            return []
        of_record = (records.c.revision_id == facts.c.revision_id) & (
            records.c.record == facts.c.record
        )
        statement = (
            select(records.c.incident)
            .join(facts, of_record)
            .where(facts.c.kb_id == kb_id, facts.c.field == field, facts.c.text.in_(texts))
            .where(records.c.incident.is_not(None))
            .order_by(facts.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(dict.fromkeys(connection.execute(statement).scalars()))

    def told_in(self, document_id: str, span: TextSpan, limit: int = 20) -> list[int]:
        """Return the incidents that the records in a stretch of a document tell of."""
        mine = records.c
        statement = (
            select(mine.incident)
            .where(mine.document_id == document_id, mine.incident.is_not(None))
            .where(mine.start < span.end, mine.end > span.start)
            .order_by(mine.record)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(dict.fromkeys(connection.execute(statement).scalars()))

    def places(self, found: Sequence[StoredFact]) -> list[tuple[PageRegion, ...]]:
        """Return where the words of each fact stand on their pages."""
        with self._database.read() as connection:
            return read_regions(connection, [(i.revision_id, i.fact.span) for i in found])

    def correct(self, kb_id: str, fact_id: int, typed: str | None, by: str) -> StoredFact:
        """Set right what the words of a fact mean; None: as they were read, again.

        Raises NotFound (fact_not_found), InvalidRequest (value_not_understood).
        """
        with self._database.write(base=kb_id) as connection:
            known = _require_fact(connection, kb_id, fact_id)
            if typed is not None and meaning_of(known.fact.field, typed) is None:
                raise InvalidRequest(
                    f"{typed[:100]!r} says nothing in the field {known.fact.field!r}",
                    code="value_not_understood",
                )
            text = _text_of(connection, known)
            if typed is None:
                forget_correction(connection, text, known.fact)
            else:
                keep_correction(connection, text, known.fact, typed, by, self._clock())
            _find_again(connection, known.revision_id, self._reader)
            return _same_fact(connection, known)

    def split(self, kb_id: str, document_id: str, record: int, by: str) -> None:
        """Say that a record tells of another incident than the links say. Raises NotFound."""
        self._split(kb_id, document_id, record, by)

    def rejoin(self, kb_id: str, document_id: str, record: int) -> None:
        """Take back that a record tells of another incident. Raises NotFound."""
        self._split(kb_id, document_id, record, None)

    def _split(self, kb_id: str, document_id: str, record: int, by: str | None) -> None:
        with self._database.write(base=kb_id) as connection:
            require_document_row(connection, kb_id, document_id)
            statement = (
                select(revisions.c.id, revisions.c.text_sha256)
                .join(records, records.c.revision_id == revisions.c.id)
                .where(
                    revisions.c.document_id == document_id,
                    revisions.c.is_current,
                    records.c.record == record,
                )
            )
            row = connection.execute(statement).first()
            if row is None:
                raise NotFound(
                    f"document {document_id} has no record {record}", code="record_not_found"
                )
            mark_split(connection, TextOf(document_id, row.text_sha256), record, by, self._clock())
            _find_again(connection, row.id, self._reader)

    def fields(self, kb_id: str) -> dict[str, int]:
        """Return how many facts each field of a base has, the most frequent first."""
        number = func.count()
        statement = (
            select(facts.c.field, number)
            .where(facts.c.kb_id == kb_id)
            .group_by(facts.c.field)
            .order_by(number.desc(), facts.c.field)
        )
        with self._database.read() as connection:
            require_kb(connection, kb_id)
            return {row[0]: row[1] for row in connection.execute(statement)}


def _find_again(connection: Connection, revision_id: int, reader: FactReader) -> None:
    """Find the facts of a text anew where people have said something else of it."""
    stored = read_text(connection, revision_id)
    columns, title = _columns_of(connection, revision_id), _title_of(connection, revision_id)
    came = _came_on(connection, revision_id)
    found = reader.facts_in(marked(stored.text), columns, title, came) if stored else ()
    rewrite_facts(connection, revision_id, found)


def _columns_of(connection: Connection, revision_id: int) -> dict[str, str]:
    kb_id = _base_of(connection, revision_id)
    return fields_of_columns(connection, kb_id) if kb_id else {}


def _base_of(connection: Connection, revision_id: int) -> str | None:
    owner = (
        select(documents.c.kb_id)
        .join(revisions, revisions.c.document_id == documents.c.id)
        .where(revisions.c.id == revision_id)
    )
    return connection.execute(owner).scalar_one_or_none()


def _title_of(connection: Connection, revision_id: int) -> str:
    mine = select(revisions.c.title).where(revisions.c.id == revision_id)
    return connection.execute(mine).scalar_one_or_none() or ""


def _came_on(connection: Connection, revision_id: int) -> date | None:
    mine = select(revisions.c.document_id, revisions.c.sha256).where(revisions.c.id == revision_id)
    row = connection.execute(mine).first()
    return came_on(connection, row.document_id, row.sha256) if row else None


def _standing_in(within: Stretch) -> list[ColumnElement[bool]]:
    """Conditions of records whose words lie in a stretch; of a text of before there are none."""
    mine = [records.c.document_id == within.document_id, records.c.end > within.start]
    if within.end is not None:
        mine.append(records.c.start < within.end)
    if within.sha256 is not None:
        named = select(revisions.c.id).where(revisions.c.sha256 == within.sha256)
        mine.append(records.c.revision_id.in_(named))
    return mine


def _require_fact(connection: Connection, kb_id: str, fact_id: int) -> StoredFact:
    statement = fact_rows().where(facts.c.kb_id == kb_id, facts.c.id == fact_id)
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(f"no fact {fact_id}", code="fact_not_found")
    return stored_fact_of(row)


def _text_of(connection: Connection, known: StoredFact) -> TextOf:
    statement = select(revisions.c.text_sha256).where(revisions.c.id == known.revision_id)
    return TextOf(known.document_id, connection.execute(statement).scalar_one())


def _same_fact(connection: Connection, known: StoredFact) -> StoredFact:
    """Return the fact of the same words after the facts of its text were written again."""
    record, field, start, end = key_of(known.fact)
    statement = fact_rows().where(
        facts.c.revision_id == known.revision_id,
        facts.c.record == record,
        facts.c.field == field,
        facts.c.start == start,
        facts.c.end == end,
    )
    return stored_fact_of(connection.execute(statement).one())
