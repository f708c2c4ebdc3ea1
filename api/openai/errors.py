"""Errors on `/v1` routes: OpenAI's shape, with our details and request id beside it.

One table more than the other routes have: what is malformed is a 400 there.
"""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from api.errors import error_response, request_id_of, status_of, typed_response, waits_of
from kb_service.domain.errors import KbError

PREFIX = "/v1/"
_OWN_NAMES: Mapping[str, str] = {"prompt_too_long": "context_length_exceeded"}
"""Codes that clients of the protocol know by another name."""

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def openai_status(error: KbError) -> int:
    """Return the HTTP status: as elsewhere, but 400 for what is malformed."""
    status = status_of(error)
    return 400 if status == 422 else status


def openai_error_body(error: KbError, request_id: str) -> dict[str, object]:
    """Return `{"error": {message, type, param, code, details, request_id}}`."""
    status = openai_status(error)
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": error.message,
            "type": _TYPES.get(status, kind),
            "param": _param(error.details or {}),
            "code": _OWN_NAMES.get(error.code, error.code),
            "details": error.details,
            "request_id": request_id,
        }
    }


def error_response_to(
    scope: Scope, error: KbError, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response for an error in the shape that the clients of the path read."""
    request_id = request_id_of(scope)
    if not str(scope["path"]).startswith(PREFIX):
        return error_response(error, request_id, headers)
    body = openai_error_body(error, request_id)
    return typed_response(body, openai_status(error), {**waits_of(error), **(headers or {})})


def _param(details: Mapping[str, object]) -> str | None:
    """Return the parameter that is at fault, as far as an error tells."""
    if "name" in details:
        return str(details["name"])
    fields = details.get("fields")
    if isinstance(fields, list) and fields:
        return str(fields[0]["field"]).removeprefix("body.")
    return None
