"""A typed query over what the documents of a base state. Checked by the domain, which says why."""

from fastapi import APIRouter

from api.dependencies import Base, ServicesParam
from api.inputs import RecordQueryInput
from api.json_route import JsonRoute
from kb_service.schemas.answers import QueryAnswerBody, query_answer_body

router = APIRouter(route_class=JsonRoute, tags=["facts"])


@router.post("/kb/{kb}/query")
def run_query(base: Base, body: RecordQueryInput, services: ServicesParam) -> QueryAnswerBody:
    """Select records by filters and count, list, group or measure them, each unit cited."""
    told = services.querying.told_of(base.id, body.to_domain(), body.language)
    return query_answer_body(told.text, told.citations, told.tabled)
