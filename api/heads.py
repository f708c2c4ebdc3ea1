"""HEAD for every route that answers GET: the same status and headers, and no body.

Knows ASGI; no route needs to know of it.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Runs the GET route of a HEAD request up to its headers; what goes on after them is ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answer = _HeadOnly(receive, send)
        scope["method"] = "GET"
        try:
            await self._app(scope, answer.receive, answer.send)
        finally:
            scope["method"] = "HEAD"


class _HeadOnly:
    """Sends the headers and an empty body; then the route sees a client that left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_sent = asyncio.Event()

    async def receive(self) -> Message:
        """Return what the client sent, or that it left once it has the headers."""
        if self._is_sent.is_set():
            return {"type": "http.disconnect"}
        came = asyncio.ensure_future(self._receive())
        sent = asyncio.ensure_future(self._is_sent.wait())
        try:
            await asyncio.wait({came, sent}, return_when=asyncio.FIRST_COMPLETED)
            return came.result() if came.done() else {"type": "http.disconnect"}
        finally:
            for waiting in (came, sent):
                waiting.cancel()

    async def send(self, message: Message) -> None:
        """Pass the headers on and end the response; drop every body."""
        if message["type"] == "http.response.start" and not self._is_sent.is_set():
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._is_sent.set()
