"""A real server on a free loopback port in a thread, with a clock that a test can push on."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.connections import ConnectionGate
from api.server import Server, bind, make_server
from tests.api.service import ApiService

BIG = 8 * 1024 * 1024


class Served:
    """The address of a server, its gate, and raw connections to it."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port
        self.skipped_s = 0.0
        self.gate.clock = lambda: time.monotonic() + self.skipped_s

    @property
    def gate(self) -> ConnectionGate:
        return self.server._gate

    def connect(self, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        made = socket.create_connection(
            ("127.0.0.1", self.port), timeout=20, source_address=(source, 0)
        )
        if sent:
            made.sendall(sent)
        return made

    def exchange(self, sent: bytes) -> bytes:
        """Send, and return all that comes until the server closes."""
        with self.connect(sent) as made:
            return read_all(made)

    def is_healthy(self) -> bool:
        sent = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        return self.exchange(sent).startswith(b"HTTP/1.1 200")

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let the server do nothing meanwhile: what comes waits in the kernel."""
        doorstep = self.server._doorstep
        assert doorstep is not None
        is_over = threading.Event()
        doorstep._loop.call_soon_threadsafe(is_over.wait, 20)
        try:
            yield
        finally:
            is_over.set()

    def skip(self, seconds: float) -> None:
        """Let the gate's time pass; the server looks around every second."""
        self.skipped_s += seconds


def read_all(made: socket.socket) -> bytes:
    """Return what comes until the end, however the connection ends."""
    pieces = []
    try:
        while piece := made.recv(65536):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def error_of(response: bytes) -> tuple[int, str]:
    """Return status and code of a whole response that is an error."""
    head, _, body = response.partition(b"\r\n\r\n")
    return int(head.split()[1]), str(json.loads(body)["error"]["code"])


@contextmanager
def serving(service: ApiService, most: int = 0, of_one: int = 0) -> Iterator[Served]:
    """Serve until the block ends; `most` and `of_one` bound the connections."""
    server = make_server(service.services)
    if most:
        server._gate.max_connections, server._gate.max_per_address = most, of_one or most
    sockets = bind(service.settings.model_copy(update={"port": 0}))
    thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
    thread.start()
    try:
        served = Served(server, int(sockets[0].getsockname()[1]))
        # `started` is said before the sockets listen.
        wait_until(lambda: sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        yield served
    finally:
        server._closing.set()
        server.should_exit = True
        thread.join(20)


def wait_until(holds: object, timeout_s: float = 20.0) -> None:
    """Wait for a condition; fail when it does not come true."""
    end = time.monotonic() + timeout_s
    while not holds():  # type: ignore[operator]  # a callable
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
