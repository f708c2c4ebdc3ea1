"""What people set right: kept of a text, and applied whenever a document has that text.

A correction changes what words mean, never the words. Called inside a write only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from kb_service.domain.facts import Fact, FactMethod
from kb_service.domain.spans import TextSpan
from kb_service.domain.time_roles import OF_ARRIVAL, without_mark
from kb_service.language.stated.fields import meaning_of
from kb_service.storage.facts.tables import fact_corrections as corrections

Key = tuple[int, str, int, int]
"""Record, field, start and end."""


@dataclass(frozen=True, slots=True)
class TextOf:
    """A text that a document has, by its hash."""

    document_id: str
    sha256: str


def corrected(connection: Connection, text: TextOf, found: Sequence[Fact]) -> list[Fact]:
    """Return the facts of a text with what people said of it in their place."""
    statement = select(corrections).where(
        corrections.c.document_id == text.document_id, corrections.c.text_sha256 == text.sha256
    )
    said = {
        (row.record, row.field, row.start, row.end): row.corrected
        for row in connection.execute(statement)
    }
    if not said:
        return list(found)
    known = {key_of(fact): fact for fact in found}
    given = {key: _given(key, value, known.get(key)) for key, value in said.items()}
    kept = [given.get(key_of(fact)) or fact for fact in found]
    return [*kept, *(fact for key, fact in given.items() if fact and key not in known)]


def keep_correction(
    connection: Connection, text: TextOf, fact: Fact, typed: str, by: str, at: datetime
) -> None:
    """Keep what a person says that the words of a fact mean."""
    forget_correction(connection, text, fact)
    record, field, start, end = key_of(fact)
    connection.execute(
        insert(corrections).values(
            document_id=text.document_id,
            text_sha256=text.sha256,
            record=record,
            field=field,
            start=start,
            end=end,
            corrected={"value": typed, "words": fact.value},
            by=by,
            at=at,
        )
    )


def forget_correction(connection: Connection, text: TextOf, fact: Fact) -> None:
    """Take a correction back."""
    record, field, start, end = key_of(fact)
    connection.execute(
        delete(corrections).where(
            corrections.c.document_id == text.document_id,
            corrections.c.text_sha256 == text.sha256,
            corrections.c.record == record,
            corrections.c.field == field,
            corrections.c.start == start,
            corrections.c.end == end,
        )
    )


def key_of(fact: Fact) -> Key:
    """Return by what a fact of a text is known."""
    return fact.record, str(fact.field), fact.span.start, fact.span.end


def _given(key: Key, value: dict[str, str], known: Fact | None) -> Fact | None:
    record, field, start, end = key
    meant = meaning_of(field, value["value"])
    if meant is None:
        return None
    # A person who gives a time says its year.
    words, role = value["words"], without_mark(known.role, OF_ARRIVAL) if known else ""
    unit = meant.unit or (known.unit if known else "")
    span = TextSpan(start, end)
    return replace(
        meant,
        record=record,
        value=words,
        span=span,
        method=FactMethod.PERSON,
        confidence=1.0,
        role=role,
        unit=unit,
    )
