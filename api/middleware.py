"""What happens around every request: its id, its log line, the checks at the gate, the last catch.

Knows ASGI. Logs the route's template, status and seconds; never a question, a name or a text.
"""

import re
import time
import uuid
from urllib.parse import unquote

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.connections import MAX_HEAD_BYTES
from api.errors import head_too_large
from api.forwarding import site_of
from api.metrics import Metrics
from api.names import SLASH_IN_SEGMENT, check_host, check_origin
from api.openai.errors import error_response_to
from api.security import (
    SECURITY_HEADERS,
    Keyring,
    is_open,
    presented_key,
)
from kb_service.domain.errors import KbError
from kb_service.settings import Settings

REQUEST_ID_HEADER = "x-request-id"
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_LEFT = 499

log = structlog.get_logger("api")


class RequestEdge:
    """The outermost layer: request id, security headers, one log line, typed 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID_HEADER))
        scope.setdefault("state", {})["request_id"] = request_id
        scope["path"] = _path_keeping_slashes(scope)
        response = ObservedSend(send, request_id)
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._run(scope, receive, response)
            finally:
                self._record(scope, response.status, time.perf_counter() - started)

    async def _run(self, scope: Scope, receive: Receive, response: "ObservedSend") -> None:
        try:
            await self._app(scope, receive, response)
        except ClientDisconnect:
            response.status = _CLIENT_LEFT
        except Exception as error:  # outer edge: logged with its trace, answered as a typed 500
            log.exception("unexpected error", route=_route_of(scope))
            if response.status:
                raise
            unexpected = KbError(f"unexpected {type(error).__name__}; the log has its trace")
            await error_response_to(scope, unexpected)(scope, receive, response)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route_of(scope), _method_of(scope)
        status = status or _CLIENT_LEFT
        self._metrics.observe_request(method, route, status, seconds)
        log.info("request", method=method, route=route, status=status, seconds=round(seconds, 4))


class ObservedSend:
    """Remembers the status and adds the headers that every response carries."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


class Gate:
    """Refuses a foreign Host, a foreign page and a missing key before any route is looked up."""

    def __init__(self, app: ASGIApp, settings: Settings, keyring: Keyring) -> None:
        self._app = app
        self._settings = settings
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._check(scope)
            except KbError as error:
                await error_response_to(scope, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        num_bytes = head_bytes(scope)
        if num_bytes > MAX_HEAD_BYTES:
            raise head_too_large(num_bytes, MAX_HEAD_BYTES)
        site = site_of(scope)
        check_host(self._settings, site.host)
        check_origin(self._settings, site, scope["method"], headers)
        if is_open(scope["path"]):
            return
        who = await run_in_threadpool(self._keyring.authenticate, presented_key(headers))
        scope.setdefault("state", {})["principal"] = who


def head_bytes(scope: Scope) -> int:
    """Return how long the head of a request is: what the parser took in one piece may be longer."""
    target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return target + sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])


def _request_id(inbound: str | None) -> str:
    if inbound is not None and _SANE_REQUEST_ID.fullmatch(inbound):
        return inbound
    return uuid.uuid4().hex


def _path_keeping_slashes(scope: Scope) -> str:
    """Return the decoded path; a slash that was sent as %2F stays inside its segment."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        return str(scope["path"])
    segments = raw.decode("ascii", "replace").split("/")
    return "/".join(unquote(segment).replace("/", SLASH_IN_SEGMENT) for segment in segments)


def _route_of(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    if path:
        return str(path)
    return "/static" if scope["path"].startswith("/static/") else "unmatched"


_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method_of(scope: Scope) -> str:
    # A label per invented method would let a client grow the metrics without end.
    return scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
