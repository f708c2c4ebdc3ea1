"""Putting the HTTP edge together: routes, error handlers, the layers around them.

Builds no service: it takes them as they are.
"""

import threading
from collections.abc import Awaitable, Callable

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.errors import from_http_exception, from_validation_error
from api.forwarding import Forwarding
from api.heads import HeadAsGet
from api.metrics import Metrics
from api.middleware import Gate, RequestEdge
from api.needs import NEEDS, calls_of, guard
from api.openai.errors import error_response_to
from api.picture_turns import PictureTurns
from api.routes import (
    answers,
    asking,
    bases,
    chat_completions,
    columns,
    deletions,
    documents,
    documents_at_once,
    events,
    facts,
    jobs,
    keys,
    labels,
    limits,
    models,
    operations,
    pages,
    query,
    queues,
    search,
    transfers,
    versions,
    watches,
)
from api.schema import publish_settings
from api.security import Keyring, check_bind
from api.slots import AskSlots
from api.static_page import add_page
from api.veiling import VeilDoor
from kb_service.domain.errors import KbError
from kb_service.operations import Services
from kb_service.schemas.documents import ErrorBody
from kb_service.services.news import NewsService

__all__ = ["check_bind", "create_app"]

ROUTERS = (
    transfers.router,
    bases.router,
    documents.router,
    documents_at_once.router,
    deletions.router,
    pages.router,
    jobs.router,
    queues.router,
    events.router,
    query.router,
    search.router,
    versions.router,
    columns.router,
    facts.router,
    watches.router,
    asking.router,
    answers.router,
    chat_completions.router,
    models.router,
    operations.router,
    limits.router,
    keys.router,
    labels.router,
)


def create_app(services: Services) -> FastAPI:
    """Return the ASGI application that serves the API and the page.

    Set `app.state.closing` when the server is told to stop: it ends the event streams, which would
    otherwise stay open for as long as their pages do.
    """
    public_url = services.settings.public_url
    app = FastAPI(
        title="kb-service",
        description="Answers from your own documents, every sentence tied to its source.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": public_url}] if public_url else None,
        responses={
            422: {"model": ErrorBody, "description": "Malformed input"},
            "default": {"model": ErrorBody, "description": "Any other error"},
        },
    )
    metrics = Metrics(lambda: _gauges(services))
    app.state.services = services
    app.state.news = NewsService(
        *(services.bases, services.keys, services.history),
        *(services.suggesting, services.watching, services.readiness),
    )
    app.state.metrics = metrics
    app.state.ask_slots = AskSlots()
    app.state.picture_turns = PictureTurns()
    app.state.closing = threading.Event()
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(guard)])
    add_page(app)
    _require_needs(app)
    publish_settings(app, services.settings)
    _handle_errors(app)
    # The last one added is the outermost.
    app.add_middleware(VeilDoor, services=services)
    app.add_middleware(HeadAsGet)
    app.add_middleware(
        Gate, settings=services.settings, keyring=Keyring(services.settings, services.keys)
    )
    app.add_middleware(Forwarding, settings=services.settings)
    app.add_middleware(RequestEdge, metrics=metrics)
    return app


def _require_needs(app: FastAPI) -> None:
    """Raise RuntimeError for a call of which nobody said what it needs."""
    if undeclared := calls_of(app.routes) - NEEDS.keys():
        raise RuntimeError(f"api/needs.py does not say what is needed by {sorted(undeclared)}")


def _gauges(services: Services) -> dict[str, dict[str, int]]:
    statistics = services.statistics
    return {
        "kb_jobs": statistics.jobs_by_status(),
        "kb_chunks": statistics.chunks_by_vector(),
        "kb_ingest_pages": statistics.pages_by_kind(),
        "kb_paused": services.jobs.num_paused(),
    }


def _handle_errors(app: FastAPI) -> None:
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        KbError: _answer_kb_error,
        RequestValidationError: _answer_validation_error,
        HTTPException: _answer_http_exception,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _answer_kb_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, KbError):
        raise error
    return error_response_to(request.scope, error)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return error_response_to(request.scope, from_validation_error(error))


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allow(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    typed = from_http_exception(error, request.url.path, request.method)
    return error_response_to(request.scope, typed, headers)


def _allow(request: Request) -> str:
    """Return every method that some route knows for this path; HEAD and OPTIONS are all routes'."""
    routes = [route for router in ROUTERS for route in router.routes]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    known = {method for route in matching for method in getattr(route, "methods", ())} or {"GET"}
    return ", ".join(sorted({*known, "OPTIONS", *(["HEAD"] if "GET" in known else [])}))
