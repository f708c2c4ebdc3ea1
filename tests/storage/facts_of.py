"""Short ways to say what a record states, for tests over facts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update

from kb_service.domain.facts import Fact, FactField, FactMethod, Precision
from kb_service.domain.spans import TextSpan
from kb_service.storage.facts import tables
from kb_service.storage.facts.store import Facts
from kb_service.storage.facts.tables import records
from tests.storage.world import World

_LENGTHS = {"day": timedelta(days=1), "minute": timedelta(minutes=1), "month": timedelta(days=28)}


def said(field: str, value: str, record: int = 0, **given: object) -> Fact:
    """A fact whose words are its value."""
    chosen = {"text": value, "method": FactMethod.FORM, "confidence": 0.9, **given}
    return Fact(record, field, value, TextSpan(0, len(value)), **chosen)  # type: ignore[arg-type]


def at(moment: str, precision: str = "day", record: int = 0, **given: object) -> Fact:
    """The time of an incident."""
    begins = datetime.fromisoformat(moment)
    ends = begins + _LENGTHS[precision]
    return said(
        FactField.TIME,
        moment,
        record,
        time_from=begins,
        time_to=ends,
        precision=Precision(precision),
        **given,
    )


def people(field: str, number: int, record: int = 0, **given: object) -> Fact:
    """A count of people."""
    return said(field, str(number), record, number=float(number), unit="persons", **given)


def incident_report(
    world: World, kb_id: str, name: str, facts: Sequence[Fact], incident: int | None = None
) -> str:
    """A document that states facts, and tells of an incident: its own unless another is given.

    Of several records each tells of one, numbered on from the first. Returns its id.
    """
    revision = world.ingest(kb_id, name, [name, " " * 40])
    Facts(world.database).put(revision.id, facts)
    first = incident or revision.id * 1000
    with world.database.write() as connection:
        for table in (records, tables.facts):
            mine = table.c.revision_id == revision.id
            connection.execute(update(table).where(mine).values(incident=first + table.c.record))
    return revision.document_id
