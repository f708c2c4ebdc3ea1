"""By which names the service is known: alone, behind a proxy, under a path; who is believed."""

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.app import check_bind, create_app
from api.forwarding import Forwarding, site_of
from api.names import check_host
from kb_service.domain.errors import ConfigurationError
from kb_service.settings import Settings
from tests.api.conftest import BASE_URL
from tests.api.service import ApiService

KEY = "correct-horse-battery"
PUBLIC = "https://kb.example.org"


def behind_a_proxy(tmp_path: object, peer: str = "10.1.2.3", **changes: object) -> TestClient:
    """A client that comes from `peer` to a service which others reach, with its key."""
    settings = Settings(data_dir=tmp_path, api_keys={"ops": KEY}, **changes)  # type: ignore[arg-type]  # pydantic converts
    app = create_app(ApiService(settings).services)
    headers = {"authorization": f"Bearer {KEY}"}
    return TestClient(app, base_url=BASE_URL, client=(peer, 4000), headers=headers)


def site_for(settings: Settings, peer: str, headers: dict[str, str]) -> tuple[str, str]:
    """Return the address of the service, and of the client, as an application behind sees them."""
    found: list[tuple[str, str]] = []

    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        found.append((site_of(scope).url, scope["client"][0]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    client = TestClient(Forwarding(show, settings), base_url=BASE_URL, client=(peer, 4000))
    client.get("/", headers=headers)
    return found[0]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "", "a@b", "[", "10.0.0.1", "evil@127.0.0.1",
        "127.0.0.1/evil", "localhost:evil", "localhost:", "localhost:8000:1", "localhost:99999",
        "127.0.0.1?x", "127.0.0.1#x", "localhost evil", "[::1", "::1", "[::1]evil", "localhost,a",
        "localhost\\evil", "kb.example.org",
    ],
)  # fmt: skip
def test_a_foreign_or_odd_host_header_is_refused_on_loopback(app: FastAPI, host: str) -> None:
    client = TestClient(app, base_url=BASE_URL)
    response = client.get("/kb", headers={"host": host})
    assert response.status_code == 421
    assert response.json()["error"]["code"] == "forbidden_host"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_its_own(host: str) -> None:
    check_host(Settings(), host)
    check_host(Settings(public_url=PUBLIC), host)
    check_host(Settings(host="127.8.8.8"), "127.8.8.8:99")


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  the case of a container
def test_names_of_the_settings_are_its_own_and_others_are_not(tmp_path: object, bound: str) -> None:
    client = behind_a_proxy(tmp_path, host=bound, public_url=PUBLIC, allowed_hosts="kb, kb2:8443")
    for host in ("kb.example.org", "KB.example.org:443", "kb", "kb2:8443", "localhost:8000"):
        assert client.get("/kb", headers={"host": host}).status_code == 200
    for host in ("evil.example", "kb.example.org.evil", "x@kb", "kb/evil"):
        assert client.get("/kb", headers={"host": host}).status_code == 421


def test_without_names_a_service_that_others_reach_takes_any_well_formed_host(
    tmp_path: object,
) -> None:
    client = behind_a_proxy(tmp_path, host="0.0.0.0")  # noqa: S104  the case of a container
    assert client.get("/kb", headers={"host": "anything:1"}).status_code == 200
    assert client.get("/kb", headers={"host": "any@thing"}).status_code == 421


@pytest.mark.parametrize(
    ("origin", "host", "changes", "is_own"),
    [
        (PUBLIC, "kb.example.org", {"public_url": PUBLIC}, True),
        (PUBLIC, "127.0.0.1:8000", {"public_url": PUBLIC}, True),
        (f"{PUBLIC}:443", "127.0.0.1:8000", {"public_url": PUBLIC}, True),
        ("http://kb.example.org", "127.0.0.1:8000", {"public_url": PUBLIC}, False),
        (f"{PUBLIC}:8443", "kb.example.org", {"public_url": PUBLIC}, False),
        (f"{PUBLIC}.evil", "kb.example.org", {"public_url": PUBLIC}, False),
        (PUBLIC, "kb.example.org", {"allowed_hosts": ["kb.example.org"]}, True),
        (f"{PUBLIC}:81", "kb.example.org", {"allowed_hosts": ["kb.example.org"]}, False),
        (f"{PUBLIC}:81", "kb.example.org", {"allowed_hosts": ["kb.example.org:81"]}, True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", {"public_url": PUBLIC}, True),
        ("https://127.0.0.1:8000", "127.0.0.1:8000", {"public_url": PUBLIC}, False),
    ],
)
def test_pages_of_the_public_address_may_change_things_and_no_others(
    tmp_path: object, origin: str, host: str, changes: dict[str, object], is_own: bool
) -> None:
    client = behind_a_proxy(tmp_path, **changes)
    headers = {"origin": origin, "host": host}
    response = client.post("/kb", json={"name": "x"}, headers=headers)
    assert response.status_code == (201 if is_own else 403)


FORWARDED = {
    "x-forwarded-for": "203.0.113.9, 10.1.2.4",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "kb.example.org",
    "x-forwarded-prefix": "/docs/",
}


def test_a_trusted_proxy_says_who_calls_and_by_which_address() -> None:
    trusting = Settings(trusted_proxies="10.1.2.0/24")  # type: ignore[arg-type]  # as the environment has it
    assert site_for(trusting, "10.1.2.3", FORWARDED) == (f"{PUBLIC}/docs/", "203.0.113.9")
    some = {"x-forwarded-proto": "https", "host": "kb.example.org"}
    assert site_for(trusting, "10.1.2.3", some) == (f"{PUBLIC}/", "10.1.2.3")


@pytest.mark.parametrize("trusted", ["", "10.1.2.4", "192.168.0.0/16, ::1"])
def test_forwarded_headers_of_anybody_else_mean_nothing(trusted: str) -> None:
    settings = Settings(trusted_proxies=trusted)  # type: ignore[arg-type]  # as the environment has it
    assert site_for(settings, "10.1.2.3", FORWARDED) == (f"{BASE_URL}/", "10.1.2.3")
    direct = site_for(Settings(), "127.0.0.1", FORWARDED)
    assert direct == (f"{BASE_URL}/", "127.0.0.1"), "nor those of this machine, unless it is set"


def test_a_forged_host_does_not_get_past_the_names(tmp_path: object) -> None:
    client = behind_a_proxy(tmp_path, public_url=PUBLIC, trusted_proxies="10.1.2.3")
    assert client.get("/kb", headers=FORWARDED).status_code == 200
    forged = {**FORWARDED, "x-forwarded-host": "evil.example"}
    assert client.get("/kb", headers=forged).status_code == 421
    untrusted = behind_a_proxy(tmp_path, public_url=PUBLIC)
    headers = {"host": "evil.example", "x-forwarded-host": "kb.example.org"}
    assert untrusted.get("/kb", headers=headers).status_code == 421


@pytest.mark.parametrize("prefix", ["//evil", "/a/../b?x", "evil", "/" + "a" * 300, "/a b", "/<x>"])
def test_an_odd_prefix_is_no_prefix(prefix: str) -> None:
    trusting = Settings(trusted_proxies="10.1.2.3")  # type: ignore[arg-type]  # as the environment has it
    headers = {"x-forwarded-prefix": prefix}
    url, _ = site_for(trusting, "10.1.2.3", headers)
    assert url in {f"{BASE_URL}/", f"{BASE_URL}/a/../b/"} - {f"{BASE_URL}/a/../b/"}


def test_the_public_address_gives_links_and_the_schema_their_path(tmp_path: object) -> None:
    settings = Settings(public_url=f"{PUBLIC}/docs/")
    assert site_for(settings, "10.1.2.3", {"host": "kb.example.org"})[0] == f"{PUBLIC}/docs/"
    assert site_for(settings, "10.1.2.3", {})[0] == f"{BASE_URL}/"
    client = behind_a_proxy(tmp_path, public_url=f"{PUBLIC}/docs")
    assert client.get("/openapi.json").json()["servers"] == [{"url": f"{PUBLIC}/docs"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"public_url": PUBLIC},
        {"allowed_hosts": "kb"},
        {"trusted_proxies": "127.0.0.1"},
        {"public_url": "http://localhost:81", "allowed_hosts": "10.0.0.1"},
    ],
)
def test_a_service_that_others_reach_through_a_proxy_needs_a_key(
    changes: dict[str, object],
) -> None:
    with pytest.raises(ConfigurationError, match="KB_PROXY_AUTHENTICATES") as caught:
        check_bind(Settings(**changes))  # type: ignore[arg-type]  # pydantic converts
    assert caught.value.code == "api_key_required"
    check_bind(Settings(**changes, api_keys={"ops": KEY}))  # type: ignore[arg-type]  # pydantic converts
    check_bind(Settings(**changes, proxy_authenticates=True))  # type: ignore[arg-type]  # pydantic converts


def test_a_proxy_that_asks_who_calls_does_not_open_the_address_itself() -> None:
    with pytest.raises(ConfigurationError):
        check_bind(Settings(host="0.0.0.0", proxy_authenticates=True))  # noqa: S104  the refused case
    check_bind(Settings(public_url="http://localhost:9000", allowed_hosts=("127.0.0.1:81",)))


@pytest.mark.parametrize(
    "changes",
    [
        {"public_url": "kb.example.org"},
        {"public_url": "ftp://kb.example.org"},
        {"public_url": "https://user@kb.example.org"},
        {"public_url": "https://kb.example.org/?x"},
        {"public_url": "https://kb.example.org/a b"},
        {"allowed_hosts": "https://kb.example.org"},
        {"allowed_hosts": ["a/b"]},
        {"trusted_proxies": "proxy.example.org"},
        {"trusted_proxies": "10.0.0.1/99"},
        {"max_connections": -1},
    ],
)
def test_a_setting_that_names_no_place_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**changes)  # type: ignore[arg-type]  # the refused values


def test_lists_of_the_environment_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_ALLOWED_HOSTS", "KB.example.org, kb2:8443,")
    monkeypatch.setenv("KB_TRUSTED_PROXIES", "10.0.0.1,fd00::/8")
    settings = Settings()
    assert settings.allowed_hosts == ("kb.example.org", "kb2:8443")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.1/32", "fd00::/8"]
