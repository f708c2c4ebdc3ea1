"""Changes are posted where the settings allow it, again until they are taken, and never inside."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.services.webhooks import HttpPost, check_webhook, pause
from kb_service.settings import WatchSettings


class Receiver(HTTPServer):
    """Takes what is posted, with the status it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.status = 204
        self.taken: list[tuple[str, dict[str, object]]] = []

    @property
    def host(self) -> str:
        return f"localhost:{self.server_port}"


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.taken.append((f"{self.headers['Host']}{self.path}", body))
        self.send_response(self.server.status)
        self.send_header("Location", "http://localhost/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_change_is_posted_as_json_under_the_name_of_its_host(receiver: Receiver) -> None:
    post = HttpPost(WatchSettings(webhook_hosts=(receiver.host,), webhook_private=True))
    post(f"http://{receiver.host}/hook?a=1", {"id": 7, "new": {"answer": "两起"}})
    assert receiver.taken == [(f"{receiver.host}/hook?a=1", {"id": 7, "new": {"answer": "两起"}})]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_was_not_taken_is_told_and_no_redirect_is_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status
    post = HttpPost(WatchSettings(webhook_hosts=(receiver.host,), webhook_private=True))
    with pytest.raises(ConnectionError, match=str(status)):
        post(f"http://{receiver.host}/hook", {"id": 7})
    assert len(receiver.taken) == 1


def test_an_address_inside_is_refused_unless_the_settings_allow_it(receiver: Receiver) -> None:
    post = HttpPost(WatchSettings(webhook_hosts=(receiver.host,)))
    with pytest.raises(InvalidRequest, match="KB_WATCH__WEBHOOK_PRIVATE"):
        post(f"http://{receiver.host}/hook", {"id": 7})
    assert receiver.taken == []


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/x",
        "ftp://a.example/x",
        "http://user@a.example/x",
        "http://a.example:81/x",
        "a.example",
        "http://a.example/" + "x" * 3000,
        "http://[a.example/x",
        "http://a.example/\x01",
        "http://a.example/\ud800",
    ],
)
def test_only_plain_addresses_of_named_hosts_are_accepted(url: str) -> None:
    settings = WatchSettings(webhook_hosts=("a.example",))
    check_webhook("https://A.example/x", settings)
    with pytest.raises(InvalidRequest) as refused:
        check_webhook(url, settings)
    assert refused.value.code == "webhook_not_allowed"


def test_pauses_grow_up_to_some_hours() -> None:
    pauses = [pause(number) for number in range(1, 20)]
    assert pauses == sorted(pauses) and pauses[-1].total_seconds() == 6 * 3600
    assert datetime.now(UTC) + pauses[0] > datetime.now(UTC)
