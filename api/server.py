"""The server process's edge to the network: sockets, bounds from the descriptors at hand, uvicorn.

Knows descriptors, sockets and the event loop; knows nothing of what is served.
"""

import errno
import os
import socket
import threading
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import cast

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import create_app
from api.connections import KEEP_ALIVE_S, MAX_HEAD_BYTES, ConnectionGate
from api.names import is_trusted
from api.ports import Service
from api.protocol import GatedProtocol
from api.security import check_bind
from api.seldom import Seldom
from kb_service.domain.errors import ConfigurationError
from kb_service.settings import Settings

OWN_DESCRIPTORS = 256
"""Kept from connections: database, indexes, uploads on their way."""
MAX_DESCRIPTORS = 65536
MAX_CONNECTIONS = 4096
QUEUED_CONNECTIONS = 2048
ACCEPTED_AT_ONCE = 64
"""Few, because the gate sees a connection only after the loop took all it takes at once."""
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = structlog.get_logger("server")


class Listener(socket.socket):
    """A listening socket that survives the end of descriptors.

    Then it takes each waiting connection with a descriptor kept for this, and closes it: nobody
    waits in vain, and the event loop does not turn over a socket that it cannot accept from.
    """

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._told = Seldom(log, "no descriptors left: connections are closed at once")

    def listen(self, backlog: int = QUEUED_CONNECTIONS, /) -> None:
        """Listen; the queue is the kernel's, whatever the loop takes at once."""
        super().listen(max(backlog, QUEUED_CONNECTIONS))

    def accept(self) -> tuple[socket.socket, object]:
        """Return the next connection; BlockingIOError when none is there that could be kept."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in OUT_OF_RESOURCES:
                raise
            self._turn_away()
            raise BlockingIOError(errno.EAGAIN, "no descriptor for a connection") from error

    def close(self) -> None:
        """Close the socket and the spare descriptor; safe to call twice."""
        super().close()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def _turn_away(self) -> None:
        self._told.warn()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        try:
            turned_away, _ = super().accept()
            turned_away.close()
        except OSError:
            pass
        try:
            self._spare = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            return


class Server(uvicorn.Server):
    """uvicorn's server that looks at its connections every second, and tells when it stops."""

    def __init__(
        self, config: uvicorn.Config, gate: ConnectionGate, closing: threading.Event
    ) -> None:
        super().__init__(config)
        self._gate = gate
        self._closing = closing
        self._refused = Seldom(log, "connections are refused: all are in use")
        self._gave_way = Seldom(log, "connections give way to newer ones: all are in use")

    async def on_tick(self, counter: int) -> bool:
        """Drop what is overdue, once a second."""
        if counter % 10 == 0:
            self.look_around()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Say first that streams end: open pages would hold the server for its grace time."""
        self._closing.set()
        super().handle_exit(sig, frame)

    def look_around(self) -> None:
        """Settle what every connection waits for, drop the overdue, tell of refusals."""
        for protocol in list(self.server_state.connections):
            if isinstance(protocol, GatedProtocol):
                protocol.settle()
        self._gate.drop_overdue()
        self._refused.count_to(self._gate.num_refused)
        self._gave_way.count_to(self._gate.num_gave_way)


def make_server(application: Service) -> Server:
    """Return a server whose connections are bounded by the settings and the descriptors."""
    app = create_app(application)
    gate = gate_of(application.settings, raise_descriptor_limit())
    protocol = partial(GatedProtocol, gate=gate)
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=cast(type[H11Protocol], protocol),
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=ACCEPTED_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    return Server(config, gate, app.state.closing)


def gate_of(settings: Settings, num_descriptors: int) -> ConnectionGate:
    """Return the gate: three quarters of what is left for connections, half of it for a client."""
    derived = max(16, min(MAX_CONNECTIONS, (num_descriptors - OWN_DESCRIPTORS) * 3 // 4))
    most = min(settings.max_connections or derived, derived)
    return ConnectionGate(most, max(1, most // 2), partial(is_trusted, settings.trusted_proxies))


def raise_descriptor_limit() -> int:
    """Raise the soft limit of descriptors as far as is useful and allowed; return what holds."""
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return MAX_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most


def bind(settings: Settings) -> Sequence[socket.socket]:
    """Return a bound socket for each address of the host, not yet listening.

    Raises ConfigurationError (address_unavailable, api_key_required).
    """
    check_bind(settings)
    host, port = settings.host, settings.port
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            listener = Listener(family, kind, protocol)
            bound.append(listener)
            if os.name == "posix":  # elsewhere it lets two programs have one address
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)  # noqa: FBT003  the name of the standard library
            listener.bind(address)
    except OSError as error:
        for started in bound:
            started.close()
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose others with "
            "--host and --port, or KB_HOST and KB_PORT",
            code="address_unavailable",
        ) from error
    return bound
