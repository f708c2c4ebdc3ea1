"""The server process's edge to the network: sockets, bounds from the descriptors at hand, uvicorn.

Knows descriptors, sockets and the event loop; knows nothing of what is served.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from types import FrameType

import structlog
import uvicorn

from api.app import create_app
from api.connections import KEEP_ALIVE_S, MAX_HEAD_BYTES, Connection, ConnectionGate
from api.doorstep import Doorstep
from api.names import is_trusted
from api.protocol import GatedProtocol
from api.security import check_bind
from api.seldom import Seldom
from kb_service.domain.errors import ConfigurationError
from kb_service.operations import Services
from kb_service.settings import Settings

OWN_DESCRIPTORS = 256
"""Kept from connections: database, indexes, uploads on their way."""
MAX_DESCRIPTORS = 65536
MAX_CONNECTIONS = 4096

log = structlog.get_logger("server")


class Server(uvicorn.Server):
    """uvicorn's server that looks at its connections every second, and tells when it stops."""

    def __init__(
        self, config: uvicorn.Config, gate: ConnectionGate, closing: threading.Event
    ) -> None:
        super().__init__(config)
        self._gate = gate
        self._doorstep: Doorstep | None = None
        self._closing = closing
        self._refused = Seldom(log, "connections are refused: all are in use")
        self._gave_way = Seldom(log, "connections give way to newer ones: all are in use")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the doorstep over sockets that are bound; uvicorn itself listens on none."""
        await super().startup(sockets=[])
        self._doorstep = Doorstep(sockets or [], self._gate, self._enter)
        self._doorstep.open()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the doorstep, then let what is under way end."""
        if self._doorstep is not None:
            self._doorstep.close()
        await super().shutdown(sockets=[])

    async def _enter(self, own: socket.socket, connection: Connection, received: bytes) -> None:
        loop = asyncio.get_running_loop()
        state = self.server_state, self.lifespan.state, loop
        try:
            await loop.connect_accepted_socket(
                lambda: GatedProtocol(
                    self.config, *state, gate=self._gate, connection=connection, received=received
                ),
                own,
            )
        except OSError as error:  # the client left in between
            log.debug("a connection was lost at once", error=str(error))
            self._gate.leave(connection)
            own.close()

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


def make_server(services: Services) -> Server:
    """Return a server whose connections are bounded by the settings and the descriptors."""
    app = create_app(services)
    gate = gate_of(services.settings, raise_descriptor_limit())
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    return Server(config, gate, app.state.closing)


def gate_of(settings: Settings, num_descriptors: int) -> ConnectionGate:
    """Return the gate: three quarters of what is left for connections, half of it for a client."""
    derived = max(16, min(MAX_CONNECTIONS, (num_descriptors - OWN_DESCRIPTORS) * 3 // 4))
    most = min(settings.max_connections or derived, derived)
    is_shared = lru_cache(maxsize=1024)(partial(is_trusted, settings.trusted_proxies))
    return ConnectionGate(most, max(1, most // 2), is_shared)


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


def bind(
    settings: Settings, were_keys_made: Callable[[], bool] = lambda: False
) -> list[socket.socket]:
    """Return a bound socket for each address of the host, not yet listening.

    Raises ConfigurationError (address_unavailable, api_key_required).
    """
    check_bind(settings, were_keys_made)
    host, port = settings.host, settings.port
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            listener = socket.socket(family, kind, protocol)
            bound.append(listener)
            if os.name == "posix":  # elsewhere it lets two programs have one address
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
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
