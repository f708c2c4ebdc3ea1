"""What documents state: facts and incidents listed, facts and links set right."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from api.attachments import content_disposition
from api.dependencies import (
    DEFAULT_LIMIT,
    Base,
    Cursor,
    LabelNames,
    Limit,
    PrincipalParam,
    RevisionName,
    ServicesParam,
    ShownParam,
)
from api.inputs import CorrectionInput
from api.json_route import JsonRoute
from api.schema import Id, integer
from kb_service.domain.facts import Stretch
from kb_service.operations import Services
from kb_service.schemas.facts import (
    FactBody,
    FactListBody,
    IncidentListBody,
    SimilarListBody,
    WholeIncidentBody,
    csv_lines,
    fact_body,
    incident_body,
    similar_body,
    whole_incident_body,
)
from kb_service.services.similar import MAX_SIMILAR

router = APIRouter(route_class=JsonRoute, tags=["facts"])

MAX_NUMBER = 2**31 - 1
Number = Annotated[int, Path(ge=0, le=MAX_NUMBER), integer(0, MAX_NUMBER)]
NumSimilar = Annotated[
    int, integer(1, MAX_SIMILAR), Query(description=f"Most items, 1 to {MAX_SIMILAR}.")
]
FieldName = Annotated[Id | None, Query(description="A field, or the name of a column.")]
DocumentId = Annotated[Id | None, Query(description="Id of a document.")]


def within_of(
    document: DocumentId = None,
    revision: RevisionName = None,
    start: Annotated[int, integer(0, MAX_NUMBER), Query(ge=0, le=MAX_NUMBER)] = 0,
    end: Annotated[int | None, Query(ge=0, le=MAX_NUMBER)] = None,
) -> Stretch | None:
    """Return the words of a document to which a list is narrowed; None without a document."""
    return Stretch(document, revision, start, end) if document else None


Within = Annotated[Stretch | None, Depends(within_of)]


@router.get("/kb/{kb}/facts")
def list_facts(
    base: Base,
    services: ServicesParam,
    field: FieldName = None,
    document: DocumentId = None,
    label: LabelNames = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> FactListBody:
    """List what the documents state."""
    found = services.facts.listed(base.id, field, document, limit, cursor, tuple(label or ()))
    pages = services.facts.places(found.items)
    items = [fact_body(item, at) for item, at in zip(found.items, pages, strict=True)]
    return FactListBody(items=items, next_cursor=found.next_cursor)


@router.get("/kb/{kb}/facts.csv", response_class=Response)
def export_facts(
    base: Base,
    services: ServicesParam,
    shown: ShownParam,
    field: FieldName = None,
    document: DocumentId = None,
    label: LabelNames = None,
) -> StreamingResponse:
    """Return all of these facts as a CSV file."""
    found = services.facts.every(base.id, field, document, tuple(label or ()))
    lines = csv_lines(shown.facts(base.id, found))
    headers = {
        "Content-Disposition": content_disposition(f"{shown.file_name(base)} facts.csv"),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")


@router.patch("/kb/{kb}/facts/{fact}")
def correct_fact(
    base: Base, fact: Id, body: CorrectionInput, services: ServicesParam, who: PrincipalParam
) -> FactBody:
    """Set right what the words of a fact mean; null takes a correction back."""
    done = services.facts.correct(base.id, fact, body.value, who.name)
    return fact_body(done, services.facts.places([done])[0])


@router.get("/kb/{kb}/incidents")
def list_incidents(
    base: Base,
    services: ServicesParam,
    within: Within,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> IncidentListBody:
    """List what happened, each once, however many documents tell of it."""
    found = services.facts.incidents(base.id, limit, cursor, within)
    return IncidentListBody(
        items=[incident_body(item) for item in found.items], next_cursor=found.next_cursor
    )


@router.get("/kb/{kb}/incidents/{number}")
def show_incident(base: Base, number: Number, services: ServicesParam) -> WholeIncidentBody:
    """Show all that is stated of one incident, and in what its documents differ."""
    return _whole(services, base.id, number)


@router.get("/kb/{kb}/incidents/{number}/similar")
def list_similar(
    base: Base, number: Number, services: ServicesParam, limit: NumSimilar = 10
) -> SimilarListBody:
    """List incidents similar to one, with what is alike and what differs."""
    found = services.similar.similar(base.id, number, limit)
    return SimilarListBody(items=[*map(similar_body, found)])


@router.delete("/kb/{kb}/records/{document}/{record}/link", status_code=204)
def unlink_record(
    base: Base, document: Id, record: Number, services: ServicesParam, who: PrincipalParam
) -> None:
    """Say that a record tells of an incident of its own."""
    services.facts.unlink(base.id, document, record, who.name)


@router.post("/kb/{kb}/records/{document}/{record}/link", status_code=204)
def link_record_again(base: Base, document: Id, record: Number, services: ServicesParam) -> None:
    """Take back that a record tells of an incident of its own."""
    services.facts.link_again(base.id, document, record)


def _whole(services: Services, kb_id: str, number: int) -> WholeIncidentBody:
    incident = services.facts.incident(kb_id, number)
    return whole_incident_body(incident, services.facts.places(incident.facts))
