"""A typed query over what the documents of a base state. Checked by the domain, which says why."""

from fastapi import APIRouter
from starlette.responses import Response

from api.attachments import page_attachment
from api.dependencies import Base, ServicesParam, ShownParam
from api.inputs import RecordQueryInput
from api.json_route import JsonRoute
from kb_service.schemas.answers import QueryAnswerBody, query_answer_body

router = APIRouter(route_class=JsonRoute, tags=["facts"])


@router.post("/kb/{kb}/query")
def run_query(base: Base, body: RecordQueryInput, services: ServicesParam) -> QueryAnswerBody:
    """Select records by filters and count, list, group or measure them, each unit cited."""
    told = services.querying.told_of(base.id, body.to_domain(), body.language)
    return query_answer_body(told.text, told.citations, told.tabled)


@router.post("/kb/{kb}/query/report", response_class=Response)
def report_query(
    base: Base, body: RecordQueryInput, services: ServicesParam, shown: ShownParam
) -> Response:
    """Run a typed query and return its answer as one HTML file to hand over."""
    told = services.querying.told_of(base.id, body.to_domain(), body.language)
    page = services.reports.of_query(base.id, told, body.language, shown.report(base.id))
    return page_attachment(page, f"{shown.file_name(base)} report.html")
