"""What goes between processes arrives as it was sent: values of every kind, and errors."""

import socket
from collections.abc import Iterator
from dataclasses import fields

import pytest

from kb_service.answerers.wire import Failure, Kind, receive, send
from kb_service.domain import errors
from kb_service.domain.errors import GenerationError, KbError, NotFound
from kb_service.domain.spans import TextSpan
from kb_service.services.asking import (
    CitationEvent,
    Drafted,
    Phase,
    PhaseEvent,
    TokenEvent,
)
from tests.answerers.values import ANSWER, DRAFTED, FOUND, INQUIRY, SEARCH

TREE = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KbError)
]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.ASK, INQUIRY),
        (Kind.SEARCH, SEARCH),
        (Kind.FOUND, FOUND),
        (Kind.DRAFTED, DRAFTED),
        (Kind.EVENT, PhaseEvent(Phase.READING)),
        (Kind.EVENT, TokenEvent("\x00 第 1 名\n")),
        (Kind.EVENT, CitationEvent(ANSWER.citations[0])),
    ],
    ids=lambda of: of.name if isinstance(of, Kind) else type(of).__name__,
)
def test_a_value_arrives_as_it_was_sent(
    pair: tuple[socket.socket, socket.socket], kind: Kind, value: object
) -> None:
    send(pair[0], kind, value)
    arrived = receive(pair[1])
    assert arrived == (kind, value)
    assert type(arrived[1]) is type(value)


def test_numbers_keep_their_kind(pair: tuple[socket.socket, socket.socket]) -> None:
    send(pair[0], Kind.DRAFTED, DRAFTED)
    arrived: Drafted = receive(pair[1])[1]
    assert arrived.answer.tabled is not None
    values = [cell.value for row in arrived.answer.tabled.rows for cell in row]
    assert [type(value) for value in values] == [str, int, type(None), float]
    assert [type(of) for of in arrived.audit.sampling.values()] == [int, float, type(None)]


def test_no_field_of_a_request_is_forgotten_but_what_means_nothing_elsewhere(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    send(pair[0], Kind.ASK, INQUIRY)
    sent, arrived = INQUIRY.request, receive(pair[1])[1].request
    lost = {
        one.name for one in fields(sent) if getattr(sent, one.name) != getattr(arrived, one.name)
    }
    assert lost == set()
    assert not arrived.cancelled()


def test_what_is_not_kept_of_passages_does_not_travel(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    from dataclasses import replace

    found = replace(ANSWER.passages[0], found=(TextSpan(0, 3),))
    send(pair[0], Kind.DRAFTED, replace(DRAFTED, answer=replace(ANSWER, passages=(found,))))
    arrived: Drafted = receive(pair[1])[1]
    assert arrived.answer.passages[0].found == ()


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_arrives_as_the_class_it_was(
    pair: tuple[socket.socket, socket.socket], kind: type[KbError]
) -> None:
    send(pair[0], Kind.FAILED, Failure.of(kind("why", code="a_code", details={"n": [1, None]})))
    error = receive(pair[1])[1].error()
    assert type(error) is kind
    assert (error.message, error.code, error.details) == ("why", "a_code", {"n": [1, None]})


def test_an_error_of_a_further_class_arrives_as_the_one_it_is_of(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    class Further(GenerationError):
        default_code = "further"

    send(pair[0], Kind.FAILED, Failure.of(Further("why")))
    error = receive(pair[1])[1].error()
    assert (type(error), error.code) == (GenerationError, "further")


@pytest.mark.parametrize("num_bytes", [0, 3, 5, 20])
def test_what_breaks_off_is_no_message(
    pair: tuple[socket.socket, socket.socket], num_bytes: int
) -> None:
    content = bytearray()
    one, other = socket.socketpair()
    with one, other:
        send(one, Kind.FAILED, Failure.of(NotFound("no such thing")))
        content += other.recv(4096)
    pair[0].sendall(content[:num_bytes])
    pair[0].close()
    with pytest.raises(EOFError):
        receive(pair[1])
