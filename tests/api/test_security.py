"""Who may call: keys, addresses, hosts, origins; what every response tells a browser."""

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from api.app import check_bind, create_app
from api.names import Site, check_origin
from api.security import Keyring
from kb_service.domain.errors import ConfigurationError, KbError, Unauthorized
from kb_service.services.keys import KeyService
from kb_service.settings import Settings
from tests.api.conftest import BASE_URL
from tests.api.service import ApiService

KEY = "correct-horse-battery"


class NoKeys:
    """No key was made; the settings have some."""

    def are_needed(self) -> bool:
        return True

    def of_secret(self, secret: str) -> None:
        return None


NO_KEYS: KeyService = NoKeys()  # type: ignore[assignment]  # scripted


def keyed_client(tmp_path: object, key: str = KEY) -> TestClient:
    settings = Settings(data_dir=tmp_path, api_keys={"ops": key})  # type: ignore[arg-type,dict-item]  # pydantic converts
    return TestClient(create_app(ApiService(settings).services), base_url=BASE_URL)


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer "}, {"authorization": "Basic x"}]
)
def test_without_a_key_everything_but_health_and_page_is_refused(
    tmp_path: object, headers: dict[str, str]
) -> None:
    client = keyed_client(tmp_path)
    for path in ("/kb", "/metrics", "/openapi.json", "/nothing", "/kb/x/events"):
        response = client.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "api_key_missing"
        assert response.headers["www-authenticate"] == "Bearer"
    for path in ("/healthz", "/readyz", "/", "/static/js/api.js"):
        assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize("stored", [KEY, PasswordHasher(1, 8, 1).hash(KEY)], ids=["plain", "hash"])
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_the_right_key_opens_and_a_wrong_one_does_not(
    tmp_path: object, stored: str, header: str
) -> None:
    client = keyed_client(tmp_path, stored)
    prefix = "Bearer " if header == "authorization" else ""
    for _ in range(2):
        assert client.get("/kb", headers={header: prefix + KEY}).status_code == 200
    for wrong in (KEY + "x", KEY[:-1], stored + "x"):
        response = client.get("/kb", headers={header: prefix + wrong})
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "api_key_invalid"


def test_a_stored_hash_is_not_itself_a_key() -> None:
    hashed = PasswordHasher(1, 8, 1).hash(KEY)
    keyring = Keyring(Settings(api_keys={"ops": hashed}), NO_KEYS)  # type: ignore[dict-item]  # pydantic converts
    assert keyring.authenticate(KEY).name == "ops"
    with pytest.raises(Unauthorized):
        keyring.authenticate(hashed)


def test_an_empty_key_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError, match="KB_API_KEYS__OPS is empty"):
        Keyring(Settings(api_keys={"ops": " "}), NO_KEYS)  # type: ignore[dict-item]  # pydantic converts


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_no_key(host: str) -> None:
    check_bind(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "kb.example.org", ""])  # noqa: S104  the refused case
def test_another_address_without_a_key_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_bind(Settings(host=host))
    assert caught.value.code == "api_key_required"
    check_bind(Settings(host=host, api_keys={"ops": KEY}))  # type: ignore[dict-item]  # pydantic converts


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "null"},
        {"origin": "http://["},
    ],
)
def test_another_page_may_not_change_anything(client: TestClient, headers: dict[str, str]) -> None:
    response = client.post("/kb", json={"name": "x"}, headers=headers)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "forbidden_origin"
    assert client.get("/kb").json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "https://kb.example.org"},
        {"sec-fetch-site": "none"},
        {"origin": BASE_URL},
    ],
)
def test_the_own_page_and_programs_may(headers: dict[str, str]) -> None:
    check_origin(Settings(), Site("http", "127.0.0.1:8000"), "POST", headers)


def test_no_response_invites_other_origins(client: TestClient) -> None:
    response = client.options(
        "/kb", headers={"origin": "http://evil.example", "access-control-request-method": "POST"}
    )
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/kb", "/nothing", "/static/js/api.js", "/healthz"])
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_a_refusal_at_the_gate_carries_them_too(client: TestClient) -> None:
    refused = client.get("/kb", headers={"host": "evil.example"})
    assert "content-security-policy" in refused.headers
    assert refused.json()["error"]["request_id"] == refused.headers["x-request-id"]


def test_errors_of_the_gate_are_kb_errors() -> None:
    with pytest.raises(KbError):
        headers = {"origin": "http://evil.example"}
        check_origin(Settings(), Site("http", "localhost"), "DELETE", headers)
