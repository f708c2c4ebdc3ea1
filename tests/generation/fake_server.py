"""An OpenAI-compatible server on a loopback port that plays back what a test tells it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Play = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FakeServer:
    """`plays`: one for each chat, the last one again and again. `bodies`, `keys`: what came in.

    `listing` is sent instead of the `models`, if given.
    """

    plays: list[Play] = field(default_factory=list)
    listing: object = None
    models: list[str] = field(default_factory=lambda: ["qwen"])
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    is_gone: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def running(server: FakeServer) -> Iterator[FakeServer]:
    """Serve on a free port until the end of the block."""

    class Edge(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None: ...

        def do_GET(self) -> None:
            server.keys.append(self.headers["Authorization"])
            listing = {"data": [{"id": name} for name in server.models]}
            reply(200, listing if server.listing is None else server.listing)(self)

        def do_POST(self) -> None:
            server.keys.append(self.headers["Authorization"])
            length = int(self.headers["Content-Length"])
            server.bodies.append(json.loads(self.rfile.read(length)))
            play = server.plays[min(len(server.bodies), len(server.plays)) - 1]
            try:
                play(self)
            except OSError:
                server.is_gone.set()

    http = ThreadingHTTPServer(("127.0.0.1", 0), Edge)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def reply(status: int, body: object, **headers: str) -> Play:
    """Answer with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def play(edge: BaseHTTPRequestHandler) -> None:
        edge.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            edge.send_header(name.replace("_", "-"), value)
        edge.end_headers()
        edge.wfile.write(content)

    return play


def stream(*events: object, waits: threading.Event | None = None, endless: bool = False) -> Play:
    """Answer with server-sent events; text as it is, anything else as JSON.

    `waits`: only after it is set. `endless`: sends comments until the client leaves.
    """

    def play(edge: BaseHTTPRequestHandler) -> None:
        edge.send_response(200)
        edge.send_header("Content-Type", "text/event-stream")
        edge.end_headers()
        edge.wfile.flush()
        if waits is not None:
            waits.wait(10)
        for event in events:
            data = event if isinstance(event, str) else json.dumps(event)
            edge.wfile.write(f"data: {data}\n\n".encode())
        while endless:
            edge.wfile.write(b": still here\n\n")
            threading.Event().wait(0.01)

    return play


def framed(content: bytes, *, is_cut: bool = False) -> Play:
    """Answer with a stream in chunks, as servers of HTTP/1.1 do; `is_cut`: without its end."""

    def play(edge: BaseHTTPRequestHandler) -> None:
        edge.protocol_version = "HTTP/1.1"
        edge.send_response(200)
        edge.send_header("Content-Type", "text/event-stream")
        edge.send_header("Transfer-Encoding", "chunked")
        edge.send_header("Connection", "close")
        edge.end_headers()
        edge.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        if not is_cut:
            edge.wfile.write(b"0\r\n\r\n")

    return play


def drop(edge: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    edge.close_connection = True
    edge.connection.close()


def chunk(content: str | None = None, *, end: str | None = None, **more: object) -> dict[str, Any]:
    """A chunk of a reply; `more` goes into its choice."""
    delta = {} if content is None else {"content": content}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": end} | more]}


USAGE = {
    "choices": [],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}
HELLO = stream(chunk("Hel"), chunk("lo"), chunk(end="stop"), USAGE, "[DONE]")
