"""What routes take as parameters: the services, who asks, a base, a list cursor.

Knows where a request keeps them; decides nothing.
"""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.errors import request_id_of
from api.metrics import Metrics
from api.needs import principal_of
from api.schema import Id, integer
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.people import Principal
from kb_service.operations import Services

DEFAULT_LIMIT = 100


def services_of(request: Request) -> Services:
    """Return the services that this server was made with."""
    services: Services = request.app.state.services
    return services


def metrics_of(request: Request) -> Metrics:
    """Return the metrics of this server."""
    metrics: Metrics = request.app.state.metrics
    return metrics


def request_id(request: Request) -> str:
    """Return the id of the request."""
    return request_id_of(request.scope)


ServicesParam = Annotated[Services, Depends(services_of)]
MetricsParam = Annotated[Metrics, Depends(metrics_of)]
RequestIdParam = Annotated[str, Depends(request_id)]
PrincipalParam = Annotated[Principal, Depends(principal_of)]


async def base_of(
    request: Request,
    kb: Annotated[Id, Path(description="Id or exact name of a knowledge base.")],
) -> KnowledgeBase:
    """Return the base that the path names, from the guard, which looked whether it may be seen."""
    base: KnowledgeBase = request.state.base
    return base


Base = Annotated[KnowledgeBase, Depends(base_of)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the part before.")]
Limit = Annotated[int, integer(1, 1000), Query(description="Most items of one answer, 1 to 1000.")]
RevisionName = Annotated[Id | None, Query(description="SHA-256 of a revision; default: current.")]
