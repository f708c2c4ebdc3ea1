"""What goes between a server and a process that answers for it: messages of one kind and a value.

Knows bytes and how values become JSON; knows neither processes nor what answering does.
"""

import socket
import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from kb_service.domain import errors
from kb_service.domain.errors import KbError
from kb_service.domain.queries import RetrievalResult
from kb_service.services.asking import Drafted, DraftEvent, Inquiry
from kb_service.services.searching import SearchRequest

_HEAD = struct.Struct("!IB")
"""Length of the value in bytes, and its kind."""


class Kind(IntEnum):
    """What a message holds. The first two are requests; one of the last three ends the replies."""

    ASK = 1
    SEARCH = 2
    EVENT = 3
    DRAFTED = 4
    FOUND = 5
    FAILED = 6


@dataclass(frozen=True, slots=True)
class Failure:
    """A KbError: the name of its class, and what it tells."""

    kind: str
    code: str
    message: str
    details: dict[str, Any] | None

    @classmethod
    def of(cls, error: KbError) -> "Failure":
        """Return what carries an error."""
        known = next(kind for kind in type(error).__mro__ if _classes().get(kind.__name__) is kind)
        return cls(known.__name__, error.code, error.message, error.details)

    def error(self) -> KbError:
        """Return the error that was carried."""
        return _classes()[self.kind](self.message, code=self.code, details=self.details)


_VALUES: dict[Kind, TypeAdapter[Any]] = {
    Kind.ASK: TypeAdapter(Inquiry),
    Kind.SEARCH: TypeAdapter(SearchRequest),
    Kind.EVENT: TypeAdapter(DraftEvent),
    Kind.DRAFTED: TypeAdapter(Drafted),
    Kind.FOUND: TypeAdapter(RetrievalResult),
    Kind.FAILED: TypeAdapter(Failure),
}
_LEFT_OUT = {Kind.ASK: {"request": {"cancelled", "base"}}}
"""What means nothing to another process, or is told beside."""


def send(connection: socket.socket, kind: Kind, value: object) -> None:
    """Send one message. Raises OSError when nobody is there."""
    if isinstance(value, Drafted):
        value = _as_kept(value)
    content = _VALUES[kind].dump_json(value, exclude=_LEFT_OUT.get(kind))
    connection.sendall(_HEAD.pack(len(content), kind) + content)


def receive(connection: socket.socket) -> tuple[Kind, Any]:
    """Return the next message: its kind and value. Raises EOFError when none comes any more."""
    length, number = _HEAD.unpack(_exactly(connection, _HEAD.size))
    kind = Kind(number)
    return kind, _VALUES[kind].validate_json(_exactly(connection, length))


def _exactly(connection: socket.socket, num_bytes: int) -> bytes:
    received = bytearray()
    while len(received) < num_bytes:
        try:
            piece = connection.recv(num_bytes - len(received))
        except OSError as error:
            raise EOFError("the connection broke off") from error
        if not piece:
            raise EOFError("the connection was closed")
        received += piece
    return bytes(received)


def _as_kept(drafted: Drafted) -> Drafted:
    """Leave out of passages what is not kept with an answer: it is most of their bytes."""
    passages = tuple(replace(one, units=(), found=()) for one in drafted.answer.passages)
    return replace(drafted, answer=replace(drafted.answer, passages=passages))


@cache
def _classes() -> dict[str, type[KbError]]:
    """Return every class of the error tree by name."""
    found = (value for value in vars(errors).values() if isinstance(value, type))
    return {kind.__name__: kind for kind in found if issubclass(kind, KbError)}
