"""What routes take as parameters: the services, a base by id or name, a list cursor.

Knows where a request keeps them; decides nothing.
"""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.errors import request_id_of
from api.metrics import Metrics
from api.middleware import SLASH_IN_SEGMENT
from api.schema import Id, integer
from kb_service.domain.documents import KnowledgeBase
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


def key_name(request: Request) -> str:
    """Return the name of the API key that was presented, "" where none is needed."""
    return str(request.scope.get("state", {}).get("key_name", ""))


ServicesParam = Annotated[Services, Depends(services_of)]
MetricsParam = Annotated[Metrics, Depends(metrics_of)]
RequestIdParam = Annotated[str, Depends(request_id)]
KeyNameParam = Annotated[str, Depends(key_name)]


def base_of(
    services: ServicesParam,
    kb: Annotated[Id, Path(description="Id or exact name of a knowledge base.")],
) -> KnowledgeBase:
    """Return the knowledge base that the path names. Raises NotFound (kb_not_found)."""
    return services.bases.show(kb.replace(SLASH_IN_SEGMENT, "/"))


Base = Annotated[KnowledgeBase, Depends(base_of)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the part before.")]
Limit = Annotated[int, integer(1, 1000), Query(description="Most items of one answer, 1 to 1000.")]
RevisionName = Annotated[Id | None, Query(description="SHA-256 of a revision; default: current.")]
