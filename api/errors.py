"""Errors on the wire: one table from class to status, one JSON shape with the request id.

Knows the error tree and HTTP. Every failure, from an unknown route to an unexpected exception,
leaves the service through `error_response`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from kb_service.domain.errors import (
    Busy,
    ComputeError,
    ConfigurationError,
    Conflict,
    DocumentError,
    GenerationError,
    InvalidRequest,
    KbError,
    LeaseLost,
    NotFound,
    ParseInterrupted,
    PayloadTooLarge,
    RemoteError,
    RequestError,
    RightMissing,
    StorageError,
    Unauthorized,
)
from kb_service.services.ranges import shown

RETRY_AFTER_S = 5


class UnsupportedContentType(RequestError):
    """The body is of another kind than the route reads."""

    default_code = "unsupported_content_type"


class ForbiddenOrigin(RequestError):
    """A browser sent this on behalf of another site."""

    default_code = "forbidden_origin"


class ForbiddenHost(RequestError):
    """The Host header names another machine than the one the service listens on."""

    default_code = "forbidden_host"


class MalformedHttp(RequestError):
    """What came is not a request of HTTP/1.1."""

    default_code = "invalid_http"


class HeadTooLarge(RequestError):
    """Request line and headers are longer than is read."""

    default_code = "head_too_large"


def head_too_large(num_bytes: int, max_bytes: int) -> HeadTooLarge:
    """Return the error for a head of so many bytes, or of more."""
    return HeadTooLarge(
        f"the head of the request has at least {num_bytes} bytes; at most {max_bytes} are read",
        details={"size_bytes": num_bytes, "max_bytes": max_bytes},
    )


class RequestTimeout(RequestError):
    """The client sends too slowly."""

    default_code = "request_timeout"


class TooManyConnections(Busy):
    """Every connection is in use."""

    default_code = "too_many_connections"


class RouteNotFound(RequestError):
    """No route has this path."""

    default_code = "route_not_found"


class MethodNotAllowed(RequestError):
    """The route exists and does not know this method."""

    default_code = "method_not_allowed"


STATUS_OF: tuple[tuple[type[KbError], int], ...] = (
    (NotFound, 404),
    (RouteNotFound, 404),
    (MethodNotAllowed, 405),
    (RequestTimeout, 408),
    (Conflict, 409),
    (PayloadTooLarge, 413),
    (UnsupportedContentType, 415),
    (ForbiddenHost, 421),
    (HeadTooLarge, 431),
    (InvalidRequest, 422),
    (DocumentError, 422),
    (ParseInterrupted, 422),
    (Unauthorized, 401),
    (ForbiddenOrigin, 403),
    (RightMissing, 403),
    (Busy, 503),
    (RequestError, 400),
    (LeaseLost, 409),
    (StorageError, 503),
    (ConfigurationError, 503),
    (ComputeError, 503),
    (RemoteError, 502),
    (GenerationError, 500),
    (KbError, 500),
)
"""The first class that an error is an instance of decides; KbError ends the table."""

STATUS_OF_CODE: Mapping[str, int] = {
    "prompt_too_long": 422,
    "invalid_prompt": 422,
    "remote_refused": 422,
}
"""Codes whose fault lies elsewhere than their class says."""


def request_id_of(scope: Scope) -> str:
    """Return the id that the outermost layer gave this request."""
    return str(scope.get("state", {}).get("request_id", ""))


def status_of(error: KbError) -> int:
    """Return the HTTP status of an error."""
    by_class = next(status for kind, status in STATUS_OF if isinstance(error, kind))
    return STATUS_OF_CODE.get(error.code, by_class)


def error_body(error: KbError, request_id: str) -> dict[str, object]:
    """Return the one shape of every error."""
    return {"error": {**error.as_dict(), "request_id": request_id}}


def error_response(
    error: KbError,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Response:
    """Return the response for an error; `extra` stands beside `error` in the body."""
    body = {**error_body(error, request_id), **(extra or {})}
    return typed_response(body, status_of(error), {**waits_of(error), **(headers or {})})


def waits_of(error: KbError) -> dict[str, str]:
    """Return the header that says when to come back, of an error that knows it."""
    seconds = (error.details or {}).get("retry_after_s")
    return {"Retry-After": str(seconds)} if isinstance(seconds, int) else {}


def typed_response(
    body: Mapping[str, object], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error's body with the headers that its status asks for."""
    all_headers = dict(headers or {})
    if status == 503:
        all_headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    if status == 401:
        all_headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(safe_json(body), status, all_headers, "application/json")


def safe_json(value: object) -> bytes:
    """Return JSON for anything: a message must reach the client whatever it quotes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace")


def from_http_exception(error: HTTPException, path: str, method: str) -> KbError:
    """Return the typed error of a refusal by the framework."""
    if error.status_code == 404:
        return RouteNotFound(f"no route {shown(path)}", details={"path": shown(path, quoted=False)})
    if error.status_code == 405:
        return MethodNotAllowed(
            f"{shown(path)} does not accept {shown(method)}",
            details={"method": shown(method, quoted=False)},
        )
    if error.status_code == 413:
        return PayloadTooLarge(str(error.detail))
    if error.status_code < 500:
        return RequestError(str(error.detail))
    return KbError(str(error.detail))


def from_validation_error(error: RequestValidationError) -> InvalidRequest:
    """Return one InvalidRequest whose details name each field, its value and what is accepted."""
    fields = [_field(item) for item in error.errors()[:20]]
    first = fields[0]
    return InvalidRequest(
        f"{first['field']} is {first['value']}: {first['problem']}", details={"fields": fields}
    )


def _field(item: Mapping[str, Any]) -> dict[str, object]:
    context = item.get("ctx") or {}
    accepted = {
        key: value for key, value in context.items() if isinstance(value, str | int | float)
    }
    is_missing = item["type"] == "missing"
    return {
        "field": field_name(item["loc"]),
        "value": "missing" if is_missing else shown(item.get("input")),
        "problem": item["msg"],
        "accepted": accepted or None,
    }


def field_name(location: Sequence[int | str]) -> str:
    """Return `body.filters.tags.0` for a location; long or odd keys are shortened."""
    return ".".join(shown(str(part), quoted=False) for part in location)
