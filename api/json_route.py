"""A route that reads its JSON body strictly and within a limit, with a typed error for each fault.

Knows bytes and JSON; what the values mean is pydantic's. Refused: other content types (415), more
than MAX_BODY_BYTES (413), and what is not JSON by RFC 8259: NaN, lone surrogates, bad UTF-8 (422).
"""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.asked import hidden_in, hide_in_query
from api.errors import UnsupportedContentType
from api.veiling import veiling_of
from kb_service.domain.errors import InvalidRequest, PayloadTooLarge
from kb_service.services.ranges import shown

MAX_BODY_BYTES = 1024 * 1024


class ParsedRequest(Request):
    """A request whose JSON body was already read and parsed."""

    def __init__(self, request: Request, content: bytes, value: object) -> None:
        super().__init__(request.scope, request.receive)
        self._content = content
        self._value = value

    async def body(self) -> bytes:
        """Return the bytes of the body."""
        return self._content

    async def json(self) -> Any:  # noqa: ANN401  the signature of the base class
        """Return the parsed body."""
        return self._value


class JsonRoute(APIRoute):
    """An APIRoute with the strict reader in front of it where the route declares a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler FastAPI makes, fed by `read_json` where there is a body."""
        handle = super().get_route_handler()
        has_body = self.body_field is not None

        async def read_then_handle(request: Request) -> Response:
            if veiling_of(request.scope) is not None:
                await run_in_threadpool(hide_in_query, request)
            return await handle(await read_json(request) if has_body else request)

        return read_then_handle


async def read_json(request: Request) -> Request:
    """Return the request with its parsed body; an empty body is left to the validation."""
    content = await _limited_body(request)
    if not content:
        return ParsedRequest(request, content, None)
    _check_content_type(request.headers.get("content-type"))
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            code="invalid_json",
            details={"line": error.lineno, "column": error.colno, "problem": error.msg},
        ) from error
    return ParsedRequest(request, content, await run_in_threadpool(hidden_in, request, value))


async def _limited_body(request: Request) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_BODY_BYTES:
            raise PayloadTooLarge(
                f"the body has more than {MAX_BODY_BYTES} bytes",
                details={"size_bytes": len(content), "max_bytes": MAX_BODY_BYTES},
            )
    return bytes(content)


def _check_content_type(content_type: str | None) -> None:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return
    raise UnsupportedContentType(
        f"Content-Type is {shown(content_type)}; expected application/json",
        details={"content_type": shown(content_type), "accepted": ["application/json"]},
    )
