"""Responses to requests that reach no application, as bytes, in the shape of every other error."""

import uuid
from http import HTTPStatus

from api.errors import error_response
from api.security import SECURITY_HEADERS
from kb_service.domain.errors import KbError


def refusal_bytes(error: KbError) -> bytes:
    """Return a whole response, after which the connection is closed."""
    request_id = uuid.uuid4().hex
    response = error_response(error, request_id)
    status = HTTPStatus(response.status_code)
    headers = {
        **SECURITY_HEADERS,
        **response.headers,
        "x-request-id": request_id,
        "connection": "close",
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(response.body)
