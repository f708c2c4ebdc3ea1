"""What is said about facts and incidents, made from domain values; as JSON and as CSV.

A local time is written without a zone: it is that of the place, as it was stated.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kb_service.domain.facts import Correction, FactField, Incident, StoredFact
from kb_service.domain.spans import PageRegion
from kb_service.schemas.documents import ListBody, Shape, SpanBody, Time
from kb_service.schemas.search import RegionBody
from kb_service.services.likeness import Compared, SimilarIncident

_COLUMNS = (
    *("document", "record", "incident", "field", "value", "text", "number", "number_to", "unit"),
    *("time_from", "time_to", "precision", "role", "start", "end", "confidence", "method"),
    *("corrected_by", "corrected_at"),
)
_ACTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell."""


class CorrectionBody(Shape):
    """Who set a fact right, and when."""

    by: str
    at: Time


class FactBody(Shape):
    """One stated value; `value` is `text[span]` of the stored text of that revision."""

    id: str
    document_id: str
    document_name: str
    revision: str
    record: int
    incident: int | None
    field: str
    value: str
    text: str
    number: float | None
    number_to: float | None
    unit: str
    time_from: str | None
    time_to: str | None
    precision: str | None
    role: str
    span: SpanBody
    pages: list[RegionBody]
    confidence: float
    method: str
    correction: CorrectionBody | None


class FactListBody(ListBody[FactBody]):
    """Facts in the order in which they were found."""


class RecordBody(Shape):
    """A document (`record` 0), or its row or entry, that tells of an incident.

    `apart`: who said that it tells of no other one, and when; null in lists.
    """

    document_id: str
    document_name: str
    record: int
    status: str | None
    apart: CorrectionBody | None


class IncidentBody(Shape):
    """What happened once: who tells of it, when, and in what they differ (ids of facts)."""

    number: int
    kind: str | None
    time_from: str | None
    place: str | None
    records: list[RecordBody]
    conflicts: dict[str, list[str]]


class IncidentListBody(ListBody[IncidentBody]):
    """Incidents by number."""


class WholeIncidentBody(IncidentBody):
    """An incident with its facts, and the ids of those that tell times, the earliest first."""

    facts: list[FactBody]
    timeline: list[str]


class ComparedBody(Shape):
    """A field that both state, with the words and the fact of each, and how alike (0 to 1)."""

    field: str
    value: str
    other: str
    fact: str
    other_fact: str
    share: float


class SimilarIncidentBody(Shape):
    """An incident similar to the asked one. `nearness`: of its words in meaning, 0 for not near."""

    incident: IncidentBody
    score: float
    nearness: float
    alike: list[ComparedBody]
    differs: list[ComparedBody]


class SimilarListBody(Shape):
    """Similar incidents, the most similar first."""

    items: list[SimilarIncidentBody]


def similar_body(found: SimilarIncident) -> SimilarIncidentBody:
    """Convert a similar incident."""
    return SimilarIncidentBody(
        incident=incident_body(found.incident),
        score=round(found.score, 4),
        nearness=round(found.nearness, 4),
        alike=[*map(_compared_body, found.alike)],
        differs=[*map(_compared_body, found.differs)],
    )


def _compared_body(pair: Compared) -> ComparedBody:
    return ComparedBody(
        field=str(pair.field),
        value=pair.mine.fact.value,
        other=pair.other.fact.value,
        fact=str(pair.mine.id),
        other_fact=str(pair.other.id),
        share=round(pair.share, 4),
    )


def fact_body(item: StoredFact, pages: Sequence[PageRegion]) -> FactBody:
    """Convert a fact."""
    fact = item.fact
    return FactBody.of(
        fact,
        id=str(item.id),
        document_id=item.document_id,
        document_name=item.document_name,
        revision=item.sha256,
        incident=item.incident,
        time_from=_local(fact.time_from),
        time_to=_local(fact.time_to),
        pages=pages,
        correction=item.correction,
    )


def incident_body(incident: Incident) -> IncidentBody:
    """Convert an incident without its facts."""
    return IncidentBody.model_validate(_summary(incident), from_attributes=True)


def whole_incident_body(
    incident: Incident, pages: Sequence[Sequence[PageRegion]]
) -> WholeIncidentBody:
    """Convert an incident; `pages`: of each of its facts."""
    facts = [fact_body(item, at) for item, at in zip(incident.facts, pages, strict=True)]
    timeline = [str(item.id) for item in incident.timeline]
    values = {**_summary(incident), "facts": facts, "timeline": timeline}
    return WholeIncidentBody.model_validate(values, from_attributes=True)


def csv_lines(facts: Iterable[StoredFact]) -> Iterator[str]:
    """Yield facts as lines of CSV under their names; no cell acts in a spreadsheet."""
    yield _line(_COLUMNS)
    for item in facts:
        fact, said = item.fact, item.correction
        cells = (
            *(item.document_name, fact.record, item.incident, fact.field, fact.value, fact.text),
            *(fact.number, fact.number_to, fact.unit, _local(fact.time_from)),
            *(_local(fact.time_to), fact.precision, fact.role, fact.span.start, fact.span.end),
            *(fact.confidence, fact.method, said and said.by, said and said.at.isoformat()),
        )
        yield _line(map(_inert, cells))


def _summary(incident: Incident) -> dict[str, object]:
    time = incident.surest(FactField.TIME) or incident.surest(FactField.REPORTED)
    kind, place = incident.surest(FactField.KIND), incident.surest(FactField.PLACE)
    names = {item.document_id: item.document_name for item in incident.facts}
    status = {
        (item.document_id, item.fact.record): item.fact.text
        for item in incident.facts
        if item.fact.field == FactField.STATUS
    }
    apart = dict(incident.apart)
    return {
        "number": incident.number,
        "kind": kind and kind.fact.text,
        "time_from": _local(time.fact.time_from) if time else None,
        "place": place and place.fact.value,
        "records": [
            RecordBody(
                document_id=document,
                document_name=names[document],
                record=record,
                status=status.get((document, record)),
                apart=_said(apart.get((document, record))),
            )
            for document, record in incident.records
        ],
        "conflicts": {
            field: [str(item.id) for item in items] for field, items in incident.conflicts.items()
        },
    }


def _said(correction: Correction | None) -> CorrectionBody | None:
    return CorrectionBody.of(correction) if correction else None


def _local(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")


def _inert(cell: object) -> str:
    words = "" if cell is None else str(cell)
    return f"'{words}" if words.startswith(_ACTS) else words


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
