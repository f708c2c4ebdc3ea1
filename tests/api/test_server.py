"""The server against clients that send and read badly: real sockets, real bytes."""

import errno
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from api import doorstep
from api.connections import MAX_HEAD_BYTES, ConnectionGate
from api.seldom import Seldom
from api.server import bind, gate_of, raise_descriptor_limit
from kb_service.domain.errors import ConfigurationError
from kb_service.settings import Settings
from tests.api.service import ApiService
from tests.api.serving import BIG, Served, error_of, read_all, serving, wait_until

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
HALF_A_BODY = (
    b"POST /kb HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 50\r\n\r\n{"na'
)
A_CHUNK_AND_NO_MORE = (
    b"POST /kb HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n4\r\n{"
)


@pytest.fixture
def served(service: ApiService) -> Iterator[Served]:
    with serving(service) as made:
        yield made


@pytest.fixture
def crowded(service: ApiService) -> Iterator[Served]:
    with serving(service, most=16) as made:
        yield made


@pytest.mark.parametrize("sent", [b"", b"G", HALF_A_HEAD])
def test_health_answers_while_more_half_sent_requests_are_held_than_there_are_places(
    crowded: Served, sent: bytes
) -> None:
    held = [crowded.connect(sent, f"127.0.0.{1 + number % 20}") for number in range(120)]
    assert all(crowded.is_healthy() for _ in range(5))
    assert len(crowded.gate) <= 16
    for made in held:
        made.close()


def test_a_whole_head_is_answered_however_many_half_ones_are_accepted_with_it(
    crowded: Served,
) -> None:
    with crowded.held_up():
        before = [crowded.connect(HALF_A_HEAD) for _ in range(5)]
        asks = crowded.connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        after = [crowded.connect(HALF_A_HEAD) for _ in range(50)]
    assert asks.recv(100).startswith(b"HTTP/1.1 200")
    for made in (asks, *before, *after):
        made.close()


def test_the_loop_is_asked_for_nothing_by_a_head_that_does_not_come(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "asyncio.selector_events.BaseSelectorEventLoop._add_reader",
        lambda _loop, of, *_arguments: asked.append(of),
    )
    held = [served.connect(HALF_A_HEAD) for _ in range(50)]
    wait_until(lambda: len(served.gate) == 50)
    assert asked == []
    for made in held:
        made.close()
    wait_until(lambda: len(served.gate) == 0)


@pytest.mark.parametrize("sent", [HALF_A_BODY, A_CHUNK_AND_NO_MORE])
def test_health_answers_while_slow_bodies_hold_every_place(crowded: Served, sent: bytes) -> None:
    held = [crowded.connect(sent) for _ in range(16)]
    wait_until(lambda: [c.phase.value for c in crowded.gate] == ["body"] * 16)
    crowded.skip(6)
    assert all(crowded.is_healthy() for _ in range(3))
    for made in held:
        made.close()


def test_a_head_that_does_not_end_is_told_so_and_closed(served: Served) -> None:
    slow, silent = served.connect(HALF_A_HEAD), served.connect()
    wait_until(lambda: len(served.gate) == 2)
    served.skip(11)
    response = read_all(slow)
    assert error_of(response) == (408, "request_timeout")
    assert b"connection: close" in response
    assert read_all(silent) == b""
    wait_until(lambda: len(served.gate) == 0)


@pytest.mark.parametrize("sent", [HALF_A_BODY, A_CHUNK_AND_NO_MORE])
def test_a_body_that_does_not_come_is_told_so_and_closed(served: Served, sent: bytes) -> None:
    with served.connect(sent) as slow:
        wait_until(lambda: any(c.phase.value == "body" for c in served.gate))
        served.skip(21)
        assert error_of(read_all(slow)) == (408, "request_timeout")


def test_an_upload_that_stops_half_way_leaves_no_file(served: Served, service: ApiService) -> None:
    service.catalog.bases.create("reports")
    head = (
        b"POST /kb/reports/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    )
    with served.connect(head + b"x" * 3_000_000) as slow:
        wait_until(lambda: any(c.phase.value == "body" for c in served.gate))
        served.skip(21)
        served.server._gate.clock()
        wait_until(lambda: served.skip(21) or not len(served.gate))
        assert error_of(read_all(slow)) == (408, "request_timeout")
    folder = service.settings.data_dir / "tmp"
    assert list(folder.iterdir()) == []


def test_a_client_that_reads_nothing_of_a_download_is_dropped(
    served: Served, service: ApiService, tmp_path: Path
) -> None:
    base = service.catalog.bases.create("reports")
    staged = service.blobs.stage(b"x" * BIG, BIG)
    upload = service.catalog.documents.register(base.id, "a.txt", staged, media_type="text/plain")
    path = f"/kb/reports/documents/{upload.document.id}/content"
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(20)
        made.connect(("127.0.0.1", served.port))
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: any(c.stalled_since is not None for c in served.gate))
        served.skip(61)
        wait_until(lambda: len(served.gate) == 0)
        assert len(read_all(made)) < BIG
    assert served.is_healthy()


def test_where_nobody_can_give_way_a_newcomer_is_told_to_come_back(
    service: ApiService,
) -> None:
    service.catalog.bases.create("reports")
    listen = b"GET /kb/reports/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(service, most=4, of_one=2) as served:
        listeners = [served.connect(listen) for _ in range(2)]
        for made in listeners:
            assert made.recv(100).startswith(b"HTTP/1.1 200")
        refused = served.exchange(b"")
        assert error_of(refused) == (503, "too_many_connections")
        assert b"retry-after: 5" in refused.lower()
        with served.connect(HALF_A_HEAD, "127.0.0.9") as other:
            wait_until(lambda: len(served.gate) == 3)
            other.sendall(b"\r\n\r\n")
            assert other.recv(100).startswith(b"HTTP/1.1 200")
        for made in listeners:
            made.close()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400, "invalid_http")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400, "invalid_http")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400, "invalid_http")),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", (400, "invalid_http")),
        (b"POST /kb HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
         (400, "invalid_http")),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 10 * MAX_HEAD_BYTES,
         (431, "head_too_large")),
        (b"GET /" + b"x" * 10 * MAX_HEAD_BYTES, (431, "head_too_large")),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200_000,
         (431, "head_too_large")),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n"
         + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 8192) for n in range(100)) + b"\r\n",
         (431, "head_too_large")),
        (b"GET /?q=" + b"x" * (MAX_HEAD_BYTES + 100) + b" HTTP/1.0\r\nHost: localhost\r\n\r\n",
         (431, "head_too_large")),
    ],
    ids=[
        "tls", "tls-lines", "two-hosts", "no-colon", "length", "header", "path", "lines", "100x8k",
        "query",
    ],
)  # fmt: skip
def test_what_is_not_http_or_too_long_has_the_shape_of_every_error(
    served: Served, sent: bytes, expected: tuple[int, str]
) -> None:
    with served.connect() as made:
        with suppress(ConnectionError):
            made.sendall(sent)
        response = read_all(made)
    if response:  # a peer that goes on sending may lose the answer to the reset
        assert error_of(response) == expected
    assert served.is_healthy()


def test_a_malformed_chunk_after_the_answer_began_ends_the_connection_quietly(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.connect(bad) as made:
        assert made.recv(100).startswith(b"HTTP/1.1 404")
        made.sendall(b"not a length\r\n")
        read_all(made)
    assert served.is_healthy()
    assert "Traceback" not in capfd.readouterr().err


def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    sent = b"".join(
        b"GET /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path, close)
        for path, close in ((b"healthz", b""), (b"nothing", b""), (b"", b"Connection: close\r\n"))
    )
    response = served.exchange(sent)
    statuses = [part.split(b" ", 1)[0] for part in response.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200"]


def test_http_1_0_is_answered_and_closed(served: Served) -> None:
    response = served.exchange(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200")
    assert response.endswith(b'{"status":"ok"}')


def test_an_offer_of_websockets_is_answered_over_http_without_a_word_in_the_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    response = served.exchange(
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert response.startswith(b"HTTP/1.1 200")
    assert caplog.records == []


def test_no_response_says_what_the_server_is(served: Served) -> None:
    for sent in (b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", b"nonsense\r\n\r\n"):
        response = served.exchange(sent).lower()
        assert b"\r\nserver:" not in response
        assert b"x-content-type-options: nosniff" in response


def test_a_connection_that_is_answered_before_its_body_came_is_closed(served: Served) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
    with served.connect(head) as made:
        assert made.recv(100).startswith(b"HTTP/1.1 404")
        wait_until(lambda: any(c.phase.value == "drain" for c in served.gate))
        served.skip(6)
        wait_until(lambda: len(served.gate) == 0)


@pytest.fixture
def few_descriptors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many connections can be accepted before descriptors run out; the spare one, and each
    of a connection that gives way, is one more."""
    left = [1000]
    accept, spare, close = socket.socket.accept, ConnectionGate.spare, os.close

    def accept_while_they_last(own: socket.socket) -> tuple[socket.socket, object]:
        if left[0] <= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        accepted = accept(own)
        left[0] -= 1
        return accepted

    def spare_and_count(own: ConnectionGate) -> bool:
        is_spared = spare(own)
        left[0] += is_spared
        return is_spared

    def close_and_count(number: int) -> None:
        close(number)
        left[0] += 1

    monkeypatch.setattr(ConnectionGate, "spare", spare_and_count)
    monkeypatch.setattr(doorstep.os, "close", close_and_count)

    monkeypatch.setattr(socket.socket, "accept", accept_while_they_last)
    return left


def test_without_descriptors_half_sent_heads_give_way_and_the_log_has_one_line(
    served: Served, few_descriptors: list[int]
) -> None:
    with structlog.testing.capture_logs() as logged:
        held = [served.connect(HALF_A_HEAD) for _ in range(40)]
        wait_until(lambda: len(served.gate) == 40)
        few_descriptors[0] = 0
        assert all(served.is_healthy() for _ in range(10))
        assert len(served.gate) <= 24
    told = [line for line in logged if "descriptors" in line["event"]]
    assert len(told) == 1
    for made in held:
        made.close()


def test_without_descriptors_and_nobody_to_give_way_a_newcomer_is_closed_at_once(
    served: Served, few_descriptors: list[int]
) -> None:
    few_descriptors[0] = 0
    assert [served.exchange(b"") for _ in range(3)] == [b""] * 3
    few_descriptors[0] = 1000
    assert served.is_healthy()


def test_a_warning_comes_once_a_minute_with_its_count() -> None:
    now = 0.0
    with structlog.testing.capture_logs() as logged:
        seldom = Seldom(structlog.get_logger(), "full", clock=lambda: now)
        for _ in range(1000):
            seldom.warn()
        now = 61.0
        seldom.warn()
    assert [line["count"] for line in logged] == [1, 1000]


@pytest.mark.parametrize(("descriptors", "expected"), [(1024, 576), (65536, 4096), (256, 16)])
def test_the_descriptors_at_hand_bound_the_connections(descriptors: int, expected: int) -> None:
    gate = gate_of(Settings(), descriptors)
    assert gate.max_connections == expected
    assert gate.max_per_address == expected // 2
    assert gate_of(Settings(max_connections=10), descriptors).max_connections == 10
    assert gate_of(Settings(max_connections=99_999), descriptors).max_connections == expected


def test_whether_an_address_is_a_proxy_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("api.server.is_trusted", lambda _proxies, address: asked.append(address))
    gate = gate_of(Settings(max_connections=2), 1024)
    for _ in range(10):
        gate.admit("10.0.0.1", lambda _gives_way: None)
    assert asked == ["10.0.0.1"]


def test_the_limit_of_descriptors_is_raised_as_far_as_allowed() -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        assert raise_descriptor_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_address_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigurationError) as caught:
            bind(Settings(data_dir=tmp_path, port=taken.getsockname()[1]))
    assert caught.value.code == "address_unavailable"


def test_a_server_that_stops_closes_half_sent_requests(service: ApiService) -> None:
    with serving(service) as served:
        held = [served.connect(HALF_A_HEAD) for _ in range(3)]
        wait_until(lambda: len(served.gate) == 3)
    assert threading.active_count() >= 1
    assert [read_all(made) for made in held] == [b""] * 3
