"""Which connections stay: how many, how long in each phase, and who gives way when all are taken.

Knows addresses, phases, bytes and seconds. Knows no sockets and no HTTP; `drop` is told by others.
"""

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers together."""
HEAD_TIMEOUT_S = 10.0
"""For a whole head, from the connection or from the first byte after another request."""
KEEP_ALIVE_S = 75
"""Longer than the 60 s that proxies keep a connection: who closes first must not be the server."""
BODY_WINDOW_S = 20.0
MIN_WINDOW_BYTES = 10 * 1024
"""A body brings so many bytes in each window, or its end."""
DRAIN_S = 5.0
"""For the rest of a body that was answered already; its client may not have read the answer yet."""
CLOSING_S = 15.0
STALL_S = 60.0
"""For a client that takes nothing of what is being sent to it."""
GIVES_WAY_AFTER_S = 5.0
GIVES_WAY_BELOW_BYTES_PER_S = 64 * 1024


class ConnectionPhase(Enum):
    """What a connection is waiting for."""

    HEAD = "head"
    IDLE = "idle"
    BODY = "body"
    ANSWER = "answer"
    DRAIN = "drain"
    CLOSING = "closing"

    __hash__ = object.__hash__
    """Enum's own is written in Python, and a crowd of connections asks for it very often."""


GIVING_WAY = (
    ConnectionPhase.HEAD,
    ConnectionPhase.IDLE,
    ConnectionPhase.DRAIN,
    ConnectionPhase.CLOSING,
)
"""The oldest of the first of these gives way to a new connection; nobody waits for its answer."""

TIME_LIMITS = {
    ConnectionPhase.HEAD: HEAD_TIMEOUT_S,
    ConnectionPhase.DRAIN: DRAIN_S,
    ConnectionPhase.CLOSING: CLOSING_S,
}


@dataclass(slots=True, eq=False)
class Connection:
    """One connection; `drop` is called once, with True when it gives way to another."""

    address: str
    drop: Callable[[bool], None]
    since: float
    phase: ConnectionPhase = ConnectionPhase.HEAD
    window_began: float = 0.0
    window_bytes: int = 0
    num_bytes: int = 0
    was_held_up: bool = False
    stalled_since: float | None = None

    def is_overdue(self, now: float) -> bool:
        """True when its phase lasts too long, or its client sends or takes too little."""
        if self.stalled_since is not None and now - self.stalled_since > STALL_S:
            return True
        limit_s = TIME_LIMITS.get(self.phase)
        if limit_s is not None:
            return now - self.since > limit_s
        return self.phase is ConnectionPhase.BODY and self._is_starved(now)

    def is_slow(self, now: float) -> bool:
        """True when it may give way though its request is under way."""
        if self.stalled_since is not None:
            return now - self.stalled_since > GIVES_WAY_AFTER_S
        seconds = now - self.since
        is_waiting = self.phase is ConnectionPhase.BODY and not self.was_held_up
        is_below = self.num_bytes < GIVES_WAY_BELOW_BYTES_PER_S * seconds
        return is_waiting and seconds > GIVES_WAY_AFTER_S and is_below

    def _is_starved(self, now: float) -> bool:
        if now - self.window_began <= BODY_WINDOW_S:
            return False
        is_starved = self.window_bytes < MIN_WINDOW_BYTES and not self.was_held_up
        self.window_began, self.window_bytes, self.was_held_up = now, 0, False
        return is_starved


Line = OrderedDict[Connection, None]
"""Connections in the order they came into their phase."""


@dataclass
class ConnectionGate:
    """Admits connections within bounds. Belongs to one event loop.

    `max_per_address`: of one client; `is_shared` says which addresses stand for many clients.
    """

    max_connections: int
    max_per_address: int
    is_shared: Callable[[str], bool] = lambda address: False
    clock: Callable[[], float] = time.monotonic
    num_refused: int = 0
    num_gave_way: int = 0
    _lines: dict[ConnectionPhase, Line] = field(
        default_factory=lambda: {p: OrderedDict() for p in ConnectionPhase}
    )
    _lines_of: dict[tuple[str, ConnectionPhase], Line] = field(default_factory=dict)
    _num_of: Counter[str] = field(default_factory=Counter)
    _num: int = 0

    def __len__(self) -> int:
        return self._num

    def __iter__(self) -> Iterator[Connection]:
        for line in self._lines.values():
            yield from list(line)

    def admit(self, address: str, drop: Callable[[bool], None]) -> Connection | None:
        """Return the new connection, None when no other gives way to it."""
        client = client_of(address)
        is_bound = self._num_of[client] >= self.max_per_address and not self.is_shared(address)
        is_full = len(self) >= self.max_connections
        if (is_bound or is_full) and not self._make_room(client if is_bound else None):
            self.num_refused += 1
            return None
        connection = Connection(client, drop, self.clock())
        self._num += 1
        self._num_of[client] += 1
        self._join(connection)
        return connection

    def enter(self, connection: Connection, phase: ConnectionPhase) -> None:
        """Put a connection into a phase; its time there begins now unless it is there already."""
        if connection.phase is phase or connection not in self._lines[connection.phase]:
            return
        self._part(connection)
        now = self.clock()
        connection.phase, connection.since, connection.window_began = phase, now, now
        connection.num_bytes = connection.window_bytes = 0
        connection.was_held_up = False
        self._join(connection)

    def received(self, connection: Connection, num_bytes: int) -> None:
        """Count bytes that came in."""
        connection.num_bytes += num_bytes
        connection.window_bytes += num_bytes

    def leave(self, connection: Connection) -> None:
        """Forget a connection; safe to call twice."""
        if connection not in self._lines[connection.phase]:
            return
        self._part(connection)
        self._num -= 1
        self._num_of[connection.address] -= 1
        if not self._num_of[connection.address]:
            del self._num_of[connection.address]

    def spare(self) -> bool:
        """Drop the connection that can best be spared; False when there is none."""
        return self._make_room(None)

    def drop_overdue(self) -> int:
        """Drop every connection whose time is over; return how many."""
        now = self.clock()
        overdue = [connection for connection in self if connection.is_overdue(now)]
        for connection in overdue:
            connection.drop(False)  # noqa: FBT003  a callback has no names
        return len(overdue)

    def _make_room(self, client: str | None) -> bool:
        """Drop the connection that can best be spared: of one client, or of all."""
        spared = self._oldest_waiting(client) or self._slowest(client)
        if spared is None:
            return False
        self.leave(spared)
        self.num_gave_way += 1
        spared.drop(True)  # noqa: FBT003  a callback has no names
        return True

    def _oldest_waiting(self, client: str | None) -> Connection | None:
        for phase in GIVING_WAY:
            line = self._lines[phase] if client is None else self._lines_of.get((client, phase))
            if line:
                return next(iter(line))
        return None

    def _slowest(self, client: str | None) -> Connection | None:
        now = self.clock()
        under_way = (*self._lines[ConnectionPhase.BODY], *self._lines[ConnectionPhase.ANSWER])
        slow = (c for c in under_way if client in (None, c.address) and c.is_slow(now))
        return min(slow, key=lambda c: c.num_bytes / (now - c.since), default=None)

    def _join(self, connection: Connection) -> None:
        self._lines[connection.phase][connection] = None
        key = (connection.address, connection.phase)
        self._lines_of.setdefault(key, OrderedDict())[connection] = None

    def _part(self, connection: Connection) -> None:
        del self._lines[connection.phase][connection]
        key = (connection.address, connection.phase)
        del self._lines_of[key][connection]
        if not self._lines_of[key]:
            del self._lines_of[key]


@lru_cache(maxsize=1024)
def client_of(address: str) -> str:
    """Return what stands for one client: an IPv4 address, or the /64 that one IPv6 client has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
