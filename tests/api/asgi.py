"""Calling the application as a server does, so that a test decides when the client leaves."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass
class Call:
    """One request and what came back. `leaves_after`: body pieces after which the client goes;
    `leaves_when`: what it waits for before it goes. It `is_open` once `opens_after` pieces came."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    leaves_after: int | None = None
    leaves_after_s: float | None = None
    opens_after: int = 1
    leaves_when: threading.Event | None = None
    status: int = 0
    pieces: list[bytes] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, app: FastAPI, timeout_s: float = 10.0) -> "Call":
        """Run to the end of the response, or of the application's work after the client left."""
        self._gone = asyncio.Event()
        self._is_sent = False
        if self.leaves_after_s is not None:
            asyncio.get_running_loop().call_later(self.leaves_after_s, self._gone.set)
        if self.leaves_when is not None:
            waiting = asyncio.ensure_future(asyncio.to_thread(self.leaves_when.wait, timeout_s))
            waiting.add_done_callback(lambda _: self._gone.set())
        await asyncio.wait_for(app(self._scope(), self._receive, self._send), timeout_s)
        return self

    def _scope(self) -> dict[str, Any]:
        headers = {"host": "127.0.0.1:8000", "content-type": "application/json", **self.headers}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8000),
        }

    async def _receive(self) -> dict[str, Any]:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if message.get("body"):
            self.pieces.append(message["body"])
            if len(self.pieces) >= self.opens_after:
                self.is_open.set()
        if self.leaves_after is not None and len(self.pieces) >= self.leaves_after:
            self._gone.set()


def events_of(text: str) -> list[tuple[str, str]]:
    """Return (event, data) of a stream of server-sent events, comments left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if fields:
            found.append((fields["event"], fields["data"]))
    return found
