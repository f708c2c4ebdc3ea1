"""Search: ranked chunks with the rank and score of each leg. Ranges are checked by the service."""

from fastapi import APIRouter

from api.dependencies import Base, ServicesParam
from api.inputs import SearchInput, filters_of
from api.json_route import JsonRoute
from kb_service.schemas.search import SearchBody, search_body
from kb_service.services.searching import SearchRequest

router = APIRouter(route_class=JsonRoute, tags=["search"])


@router.post("/kb/{kb}/search")
def search(base: Base, body: SearchInput, services: ServicesParam) -> SearchBody:
    """Return the best chunks for a query."""
    filters = filters_of(body.filters)
    request = SearchRequest(base.id, body.query, body.top_k, filters, body.as_of, base)
    return search_body(services.searching.search(request))
