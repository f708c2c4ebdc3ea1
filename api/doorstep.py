"""Where a connection waits until it has sent a whole head: its socket and its bytes, and no more.

Knows sockets and the event loop, and of HTTP where a head ends. Cheap on purpose: ten thousand that
send half a head must not keep one that sends a whole one waiting. Survives the end of descriptors.
"""

import asyncio
import errno
import os
import re
import selectors
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from api.connections import MAX_HEAD_BYTES, Connection, ConnectionGate, ConnectionPhase
from api.errors import RequestTimeout, TooManyConnections
from api.refusals import refusal_bytes
from api.seldom import Seldom
from kb_service.domain.errors import KbError

QUEUED_CONNECTIONS = 16 * 1024
"""The system lowers it to its own bound; past it, a client tries again after a whole second."""
ACCEPTED_AT_ONCE = 64
RECEIVED_AT_ONCE = 16 * 1024
SPARED_AT_ONCE = 16
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
GONE_BEFORE_ACCEPTED = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EAGAIN, errno.EINTR})

_HEAD_END = re.compile(rb"\n\r?\n")
_FIRST_BYTES = frozenset(b"\r\n") | frozenset(range(0x21, 0x7F))
"""A request begins with one of these; what does not is refused without waiting for more."""

log = structlog.get_logger("server")
Enter = Callable[[socket.socket, Connection, bytes], Coroutine[Any, Any, None]]


class Visitor:
    """One accepted socket and what came over it."""

    __slots__ = ("connection", "received", "socket")

    def __init__(self, own: socket.socket) -> None:
        self.socket = own
        self.received = bytearray()
        self.connection: Connection | None = None

    def take(self, data: bytes) -> bool:
        """Add bytes; True when they hold a whole head, or what can be none."""
        searched = max(0, len(self.received) - len(b"\n\r"))
        self.received += data
        is_odd = self.received[0] not in _FIRST_BYTES
        is_long = len(self.received) > MAX_HEAD_BYTES
        return is_odd or is_long or _HEAD_END.search(self.received, searched) is not None


class Doorstep:
    """Accepts, waits for heads, and hands on to `enter`. Belongs to the running event loop.

    The loop watches one selector in place of every visitor: a handle and a context for each would
    cost more than all the rest of a connection that never sends its head.
    """

    def __init__(
        self, listeners: Sequence[socket.socket], gate: ConnectionGate, enter: Enter
    ) -> None:
        self._listeners = listeners
        self._gate = gate
        self._enter = enter
        self._loop = asyncio.get_running_loop()
        self._waiting: set[Visitor] = set()
        self._heads = selectors.DefaultSelector()
        self._entering: set[asyncio.Task[None]] = set()
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._told = Seldom(log, "no descriptors left: connections give way or are closed")

    def open(self) -> None:
        """Begin to accept."""
        self._loop.add_reader(self._heads, self._read_some)
        for listener in self._listeners:
            listener.setblocking(False)  # noqa: FBT003  the name of the standard library
            listener.listen(QUEUED_CONNECTIONS)
            self._loop.add_reader(listener, self._accept_some, listener)

    def close(self) -> None:
        """Accept no more, and close whoever still waits here; safe to call twice."""
        for listener in self._listeners:
            if listener.fileno() >= 0:
                self._loop.remove_reader(listener)
                listener.close()
        for visitor in list(self._waiting):
            self._send_away(visitor)
        if self._heads.get_map() is not None:
            self._loop.remove_reader(self._heads)
            self._heads.close()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def _accept_some(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, address = listener.accept()
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES:
                    self._find_descriptors(listener)
                elif error.errno not in GONE_BEFORE_ACCEPTED:
                    log.warning("a connection could not be accepted", error=str(error))
                return
            self._receive_visitor(accepted, str(address[0]))

    def _receive_visitor(self, accepted: socket.socket, address: str) -> None:
        accepted.setblocking(False)  # noqa: FBT003  the name of the standard library
        visitor = Visitor(accepted)
        visitor.connection = self._gate.admit(address, lambda way: self._drop(visitor, way))
        if visitor.connection is None:
            self._tell(visitor, TooManyConnections("all connections are in use; try again later"))
            accepted.close()
            return
        self._waiting.add(visitor)
        self._heads.register(accepted, selectors.EVENT_READ, visitor)
        self._read(visitor)  # at once: who sent a whole head gives no way to those behind

    def _read_some(self) -> None:
        for key, _ in self._heads.select(0):
            self._read(key.data)

    def _read(self, visitor: Visitor) -> None:
        try:
            data = visitor.socket.recv(RECEIVED_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        connection = visitor.connection
        if not data or connection is None:
            self._send_away(visitor)
            return
        self._gate.received(connection, len(data))
        if visitor.take(data):
            self._hand_on(visitor, connection)

    def _hand_on(self, visitor: Visitor, connection: Connection) -> None:
        self._waiting.discard(visitor)
        self._heads.unregister(visitor.socket)
        self._gate.enter(connection, ConnectionPhase.ANSWER)
        entering = self._enter(visitor.socket, connection, bytes(visitor.received))
        task = self._loop.create_task(entering)
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    def _drop(self, visitor: Visitor, gives_way: bool) -> None:
        if visitor.received and not gives_way:
            self._tell(visitor, RequestTimeout("the head of the request came too slowly"))
        self._send_away(visitor)

    def _send_away(self, visitor: Visitor) -> None:
        if visitor in self._waiting:
            self._waiting.discard(visitor)
            self._heads.unregister(visitor.socket)
            visitor.socket.close()
        if visitor.connection is not None:
            self._gate.leave(visitor.connection)

    def _tell(self, visitor: Visitor, error: KbError) -> None:
        try:
            visitor.socket.send(refusal_bytes(error))
        except OSError:
            return  # it left, or takes nothing: it is closed in any case

    def _find_descriptors(self, listener: socket.socket) -> None:
        """Let some give way, or else take one with the spare descriptor and close it.

        Either way the queue moves on: the loop does not turn over a socket it cannot accept from.
        """
        self._told.warn()
        num_spared = sum(self._gate.spare() for _ in range(SPARED_AT_ONCE))
        if num_spared or self._spare < 0:
            return
        os.close(self._spare)
        self._spare = -1
        try:
            listener.accept()[0].close()
        except OSError:
            pass
        finally:
            self._spare = _open_spare()


def _open_spare() -> int:
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return -1
