"""What every route needs: the one place that says so, and the guard that holds each request to it.

A base reaches a route by the guard alone, which has looked whether it is there for who asks. What a
body asks for beyond that (a base's name, conversations in an export) the route itself requires.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Mount

from api.names import SLASH_IN_SEGMENT
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.people import STRANGER, Principal, Right
from kb_service.operations import Services


@dataclass(frozen=True, slots=True)
class Need:
    """`of`: of what a `right` is needed, `base` or `job`; else `admin`, `key` (any), `nothing`."""

    of: str
    right: Right | None = None


NOTHING, KEY, ADMIN = Need("nothing"), Need("key"), Need("admin")
READ, WRITE, MANAGE = (Need("base", right) for right in Right)
JOB_READ, JOB_WRITE = Need("job", Right.READ), Need("job", Right.WRITE)

NEEDS: Mapping[str, Need] = {
    "GET /": NOTHING,
    "GET /static": NOTHING,
    "GET /healthz": NOTHING,
    "GET /readyz": NOTHING,
    "GET /openapi.json": KEY,
    "GET /limits": KEY,
    "GET /me": KEY,
    "GET /setup": ADMIN,
    "GET /metrics": ADMIN,
    "GET /queue": ADMIN,
    "POST /queue/pause": ADMIN,
    "POST /queue/resume": ADMIN,
    "GET /keys": ADMIN,
    "POST /keys": ADMIN,
    "PATCH /keys/{key}": ADMIN,
    "POST /keys/{key}/revoke": ADMIN,
    # Making a base tells of a name that is taken.
    "POST /kb": ADMIN,
    "POST /kb/import": ADMIN,
    # Lists what is there for who asks.
    "GET /kb": KEY,
    "GET /kb/{kb}": READ,
    "PATCH /kb/{kb}": MANAGE,
    "DELETE /kb/{kb}": MANAGE,
    "POST /kb/{kb}/export": MANAGE,
    "POST /kb/{kb}/documents": WRITE,
    "GET /kb/{kb}/documents": READ,
    "GET /kb/{kb}/folders": READ,
    "GET /kb/{kb}/tags": READ,
    "POST /kb/{kb}/documents/labels": WRITE,
    "POST /kb/{kb}/documents/tags": WRITE,
    "POST /kb/{kb}/documents/delete": WRITE,
    "GET /kb/{kb}/labels": READ,
    "POST /kb/{kb}/labels": MANAGE,
    "PATCH /kb/{kb}/labels/{label}": MANAGE,
    "DELETE /kb/{kb}/labels/{label}": MANAGE,
    "GET /kb/{kb}/documents/{document}": READ,
    "PATCH /kb/{kb}/documents/{document}": WRITE,
    "DELETE /kb/{kb}/documents/{document}": WRITE,
    "POST /kb/{kb}/documents/{document}/read": WRITE,
    "GET /kb/{kb}/documents/{document}/text": READ,
    "GET /kb/{kb}/documents/{document}/content": READ,
    "GET /kb/{kb}/documents/{document}/changes": READ,
    "POST /kb/{kb}/documents/{document}/restore": WRITE,
    "GET /kb/{kb}/documents/{document}/pages/{page_number}.png": READ,
    "GET /kb/{kb}/documents/{document}/pages/{page_number}/words": READ,
    "GET /kb/{kb}/documents/{document}/columns": READ,
    # A receipt tells whether another document, of any base, has the same bytes.
    "GET /kb/{kb}/deletions/{document}": ADMIN,
    "GET /kb/{kb}/columns": READ,
    "PUT /kb/{kb}/columns": WRITE,
    "GET /kb/{kb}/queue": READ,
    "POST /kb/{kb}/queue/pause": MANAGE,
    "POST /kb/{kb}/queue/resume": MANAGE,
    "GET /kb/{kb}/events": READ,
    "GET /kb/{kb}/suggestions": READ,
    "POST /kb/{kb}/ask": READ,
    "POST /kb/{kb}/search": READ,
    "POST /kb/{kb}/query": READ,
    "POST /kb/{kb}/query/report": READ,
    "GET /kb/{kb}/facts": READ,
    "GET /kb/{kb}/facts.csv": READ,
    "PATCH /kb/{kb}/facts/{fact}": WRITE,
    "GET /kb/{kb}/incidents": READ,
    "GET /kb/{kb}/incidents/{number}": READ,
    "GET /kb/{kb}/incidents/{number}/similar": READ,
    "POST /kb/{kb}/records/{document}/{record}/link": WRITE,
    "DELETE /kb/{kb}/records/{document}/{record}/link": WRITE,
    "GET /kb/{kb}/watches": READ,
    "POST /kb/{kb}/watches": WRITE,
    "GET /kb/{kb}/watches/{watch}": READ,
    "PATCH /kb/{kb}/watches/{watch}": WRITE,
    "DELETE /kb/{kb}/watches/{watch}": WRITE,
    "GET /kb/{kb}/watches/{watch}/changes": READ,
    "GET /jobs/{job}": JOB_READ,
    "POST /jobs/{job}/retry": JOB_WRITE,
    "POST /jobs/{job}/cancel": JOB_WRITE,
    # One's own, which the service of history looks at.
    "GET /answers/{answer}": KEY,
    "GET /answers/{answer}/report": KEY,
    "GET /answers/{answer}/report.docx": KEY,
    "POST /answers/{answer}/feedback": KEY,
    "GET /conversations": KEY,
    "GET /conversations/{conversation}": KEY,
    "PATCH /conversations/{conversation}": KEY,
    "DELETE /conversations/{conversation}": KEY,
    # A base is named in the body, and there for who may read it.
    "POST /v1/chat/completions": KEY,
    "GET /v1/models": KEY,
    "GET /v1/models/{model}": KEY,
    "POST /v1/embeddings": KEY,
}


def calls_of(routes: Iterable[BaseRoute]) -> set[str]:
    """Return every call that routes answer, as `NEEDS` names it."""
    found = set[str]()
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            found |= calls_of(included.routes)
            continue
        methods = {"GET"} if isinstance(route, Mount) else getattr(route, "methods", None) or {"?"}
        path = getattr(route, "path", repr(route))
        # HEAD goes by GET.
        found |= {f"{method} {path}" for method in methods - {"HEAD"}}
    return found


def principal_of(request: Request) -> Principal:
    """Return who asks, as the gate found; a stranger where no key is asked for."""
    who: Principal = request.scope.get("state", {}).get("principal", STRANGER)
    return who


async def guard(request: Request) -> None:
    """Hold a request to what its route needs. Raises NotFound, RightMissing, StorageError."""
    need = NEEDS[f"{request.method} {request.scope['route'].path}"]
    who, services = principal_of(request), request.app.state.services
    if need.of == "admin":
        who.require_admin()
    if "kb" in request.path_params:
        request.state.base = await run_in_threadpool(_base, services, who, request, need)
    elif need.of == "job" and need.right:
        job = request.path_params["job"]
        await run_in_threadpool(services.jobs.show_to, who, job, need.right)


def _base(services: Services, who: Principal, request: Request, need: Need) -> KnowledgeBase:
    named = str(request.path_params["kb"]).replace(SLASH_IN_SEGMENT, "/")
    return services.bases.show_to(who, named, need.right or Right.MANAGE)
