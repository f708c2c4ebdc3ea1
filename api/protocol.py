"""HTTP/1.1 on one connection: uvicorn's h11 protocol, watched by the gate of connections.

Knows phases of the protocol and bytes on the wire. How long a phase may last, and who gives way,
is the gate's. A refusal below the application has the shape of every other error.
"""

import asyncio
import socket
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.connections import MAX_HEAD_BYTES, Connection, ConnectionGate, ConnectionPhase
from api.errors import (
    MalformedHttp,
    RequestTimeout,
    head_too_large,
)
from api.refusals import refusal_bytes
from kb_service.domain.errors import KbError

UNSENT_BYTES = 128 * 1024
"""What the kernel holds back of an answer; more would hide that a client takes nothing."""


class GatedProtocol(H11Protocol):
    """One connection that sent a whole head: watched and, when its time is over, dropped."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        gate: ConnectionGate,
        connection: Connection,
        received: bytes,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._gate = gate
        self._connection = connection
        self._received = received
        connection.drop = self._drop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Go on with what came on the doorstep."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"expected a stream transport, not {type(transport).__name__}")
        _limit_unsent(transport)
        super().connection_made(transport)
        received, self._received = self._received, b""
        self._pass_on(received)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on and note what the connection waits for after them."""
        if not self.transport.is_closing():
            self._gate.received(self._connection, len(data))
            self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        super().data_received(data)
        self.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._gate.leave(self._connection)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Go on with the next request; what is left of this one's body has little time."""
        super().on_response_complete()
        self.settle()

    def pause_writing(self) -> None:
        """Note since when the client takes nothing."""
        super().pause_writing()
        self._connection.stalled_since = self._gate.clock()

    def resume_writing(self) -> None:
        """Note that the client takes again."""
        super().resume_writing()
        self._connection.stalled_since = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the one shape of errors."""
        num_buffered = len(self.conn.trailing_data[0])
        if num_buffered > MAX_HEAD_BYTES:
            self._refuse(head_too_large(num_buffered, MAX_HEAD_BYTES))
        else:
            self._refuse(MalformedHttp("what came is not an HTTP/1.1 request"))

    def settle(self) -> None:
        """Tell the gate what the connection waits for now."""
        self._gate.enter(self._connection, self._phase())
        is_waiting = self.cycle is not None and self.cycle.waiting_for_100_continue
        if self.flow.read_paused or is_waiting:
            self._connection.was_held_up = True

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request that offers another protocol is answered in this one."""

    def _phase(self) -> ConnectionPhase:
        if self.transport.is_closing():
            return ConnectionPhase.CLOSING
        if self.cycle is not None and not self.cycle.response_complete:
            return ConnectionPhase.BODY if self.cycle.more_body else ConnectionPhase.ANSWER
        if self.conn.our_state is not h11.IDLE:
            return ConnectionPhase.DRAIN
        is_between = self.cycle is not None and not self.conn.trailing_data[0]
        return ConnectionPhase.IDLE if is_between else ConnectionPhase.HEAD

    def _drop(self, gives_way: bool) -> None:
        phase = self._connection.phase
        is_silent = phase is ConnectionPhase.HEAD and not self._connection.num_bytes
        if gives_way or is_silent or phase not in (ConnectionPhase.HEAD, ConnectionPhase.BODY):
            self.transport.abort()
            return
        self._refuse(RequestTimeout(f"the {phase.value} of the request came too slowly"))
        self.settle()

    def _refuse(self, error: KbError) -> None:
        """Answer with an error unless an answer has begun, and close the connection."""
        cycle = self.cycle
        has_begun = cycle is not None and cycle.response_started and not cycle.response_complete
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if has_begun:
            self.transport.abort()
            return
        self.transport.write(refusal_bytes(error))
        self.transport.close()


def _limit_unsent(transport: asyncio.Transport) -> None:
    own = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if own is not None and option is not None and own.family != getattr(socket, "AF_UNIX", None):
        own.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
