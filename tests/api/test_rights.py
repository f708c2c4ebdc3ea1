"""What a key may not do it cannot do another way: by ids, lists, streams, names."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api import running
from api.app import create_app
from api.needs import NEEDS
from api.routes.events import POLL_S
from kb_service.domain.people import OPERATOR, Principal, Right, Rights
from kb_service.services.keys import KeyService
from kb_service.settings import Settings
from kb_service.storage.identity import utc_now
from kb_service.storage.people.store import Keys
from tests.api.asgi import Call, events_of
from tests.api.conftest import BASE_URL, PDF_BYTES
from tests.api.service import CHAT_WORDS, WORDS, ApiService, sample_answer, sample_audit


class Key:
    """Calls of who shows one key."""

    def __init__(self, client: TestClient, secret: str, who: Principal) -> None:
        self.client, self.secret, self.who = client, secret, who

    def __call__(self, method: str, path: str, **given: Any) -> Any:  # noqa: ANN401  a response
        headers = {"x-api-key": self.secret}
        return self.client.request(method, path, headers=headers, **given)

    def code(self, method: str, path: str, **given: Any) -> tuple[int, str]:  # noqa: ANN401
        response = self(method, path, **given)
        return response.status_code, response.json()["error"]["code"]


class Desk:
    """Bases `mine` and `others`, an administrator, a writer of `mine`, another reader of it."""

    def __init__(self, service: ApiService) -> None:
        self.service = service
        self.app = create_app(service.services)
        self.client = TestClient(self.app, base_url=BASE_URL, raise_server_exceptions=False)
        bases = service.catalog.bases
        self.mine, self.others = bases.create("mine").id, bases.create("others").id
        self.admin = self.key("admin", Rights(is_admin=True))
        self.mary = self.key("mary", Rights(by_base={self.mine: Right.WRITE}))
        self.peter = self.key("peter", Rights(by_base={self.mine: Right.READ}))

    def key(self, name: str, rights: Rights, days: int | None = None) -> Key:
        new = self.service.keys.add(name, "", rights, days)
        return Key(self.client, new.secret, new.key.principal)

    def upload(self, kb_id: str) -> dict[str, Any]:
        files = {"files": ("a.pdf", PDF_BYTES, "application/pdf")}
        sent = self.admin("POST", f"/kb/{kb_id}/documents", files=files)
        item: dict[str, Any] = sent.json()["items"][0]
        return item

    def answer(self, number: int, kb_id: str, who: Principal) -> str:
        """Keep an answer in a conversation of its own; return its number."""
        answer = replace(
            sample_answer(kb_id),
            id=f"ans_{number}",
            conversation_id=f"conv_{number}",
            owner=who.key_id,
        )
        self.service.answers.save_turn(answer, sample_audit())
        return str(number)


@pytest.fixture
def desk(service: ApiService) -> Iterator[Desk]:
    made = Desk(service)
    with made.client:
        yield made


def names(response: Any) -> list[str]:  # noqa: ANN401  a response
    return [item["name"] for item in response.json()["items"]]


def test_lists_have_only_what_is_there_for_who_asks(desk: Desk) -> None:
    assert names(desk.mary("GET", "/kb")) == ["mine"]
    assert names(desk.admin("GET", "/kb")) == ["mine", "others"]
    models = [item["id"] for item in desk.mary("GET", "/v1/models").json()["data"]]
    assert "kb:mine" in models and "kb:others" not in models
    reader = desk.key("reader", Rights(everywhere=Right.READ))
    desk.service.catalog.bases.create("a new one")
    assert names(reader("GET", "/kb")) == ["a new one", "mine", "others"]


def test_a_list_is_paged_among_what_is_there(desk: Desk) -> None:
    for number in range(5):
        desk.service.catalog.bases.create(f"hidden {number}")
    part = desk.mary("GET", "/kb?limit=1").json()
    assert [item["name"] for item in part["items"]] == ["mine"]
    assert part["next_cursor"] is None


@pytest.mark.parametrize("model", ["kb:others", "kb:absent"])
def test_the_openai_door_knows_no_base_without_a_right(desk: Desk, model: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "What failed?"}]}
    refused = desk.mary("POST", "/v1/chat/completions", json=body)
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "model_not_found"
    named = model.removeprefix("kb:")
    assert refused.json()["error"]["message"] == f"no knowledge base {named!r}"
    assert desk.mary("GET", f"/v1/models/{model}").status_code == 404
    assert desk.service.answering.requests == []


def test_both_doors_ask_as_who_showed_the_key(desk: Desk) -> None:
    assert desk.mary("POST", "/kb/mine/ask", json={"question": "What?"}).status_code == 200
    body = {"model": "kb:mine", "messages": [{"role": "user", "content": "What failed?"}]}
    assert desk.peter("POST", "/v1/chat/completions", json=body).status_code == 200
    asked = [request.who for request in desk.service.answering.requests]
    assert asked == [desk.mary.who, desk.peter.who]


ANSWER_CALLS = [call for call in NEEDS if "/answers/" in call or "/conversations/" in call]


@pytest.mark.parametrize("call", ANSWER_CALLS)
def test_answers_and_conversations_are_their_keys_and_the_administrators(
    desk: Desk, call: str
) -> None:
    bodies: dict[str, dict[str, str]] = {
        "POST /answers/{answer}/feedback": {"rating": "up"},
        "PATCH /conversations/{conversation}": {"title": "other"},
    }
    method, path = call.split(" ")
    for number, (maker, others) in enumerate(
        [(desk.mary, [desk.peter]), (desk.admin, [desk.mary, desk.peter])]
    ):
        desk.answer(number, desk.mine, maker.who)
        named = path.format(answer=f"ans_{number}", conversation=f"conv_{number}")
        absent = path.format(answer="ans_x", conversation="conv_x")
        for other in others:
            refused = other(method, named, json=bodies.get(call))
            unknown = other(method, absent, json=bodies.get(call))
            assert refused.status_code == unknown.status_code == 404
            told, expected = refused.json()["error"], unknown.json()["error"]
            assert told["code"] == expected["code"]
            shown = told["message"].replace(f"_{number}'", "_x'")
            assert shown == expected["message"]
        assert maker(method, named, json=bodies.get(call)).status_code < 300
        if method != "DELETE":
            assert desk.admin(method, named, json=bodies.get(call)).status_code < 300


def test_conversations_are_listed_to_their_key_in_the_bases_it_sees(desk: Desk) -> None:
    desk.answer(1, desk.mine, desk.mary.who)
    desk.answer(2, desk.mine, desk.peter.who)
    desk.answer(3, desk.others, desk.mary.who)
    desk.answer(4, desk.mine, OPERATOR)

    def listed(key: Key, query: str = "") -> list[str]:
        items = key("GET", f"/conversations{query}").json()["items"]
        return sorted(item["id"] for item in items)

    assert listed(desk.mary) == ["conv_1"]
    assert listed(desk.peter) == ["conv_2"]
    assert listed(desk.peter, "?contains=pump") == ["conv_2"]
    assert listed(desk.admin) == ["conv_1", "conv_2", "conv_3", "conv_4"]
    desk.answer(5, desk.mine, desk.admin.who)
    assert listed(desk.admin, "?mine=true") == ["conv_4", "conv_5"]
    assert listed(desk.mary, "?mine=true") == ["conv_1"]
    assert desk.mary.code("GET", "/conversations?kb=others") == (404, "kb_not_found")
    assert desk.mary.code("GET", "/answers/ans_3") == (404, "answer_not_found")


def test_what_is_of_another_base_is_not_found_through_ones_own(desk: Desk) -> None:
    document = desk.upload(desk.others)["document"]["id"]
    desk.service.ingest(["The pump failed."])
    revision = desk.admin("GET", f"/kb/others/documents/{document}").json()["revision"]["sha256"]
    bodies: dict[str, dict[str, Any]] = {
        "PATCH /kb/{kb}/documents/{document}": {"tags": ["a"]},
        "POST /kb/{kb}/documents/{document}/read": {"encoding": "big5"},
        "POST /kb/{kb}/documents/{document}/restore": {"revision": revision},
    }
    calls = [call for call in NEEDS if "/kb/{kb}/documents/{document}" in call]
    assert len(calls) > 8
    for call in calls:
        method, path = call.split(" ")
        path = path.format(kb="mine", document=document, page_number=1)
        query = f"?since={revision}" if path.endswith("/changes") else ""
        refused = desk.mary.code(method, path + query, json=bodies.get(call))
        assert refused == (404, "document_not_found"), call
    listed = desk.mary("GET", f"/kb/mine/facts?document={document}")
    assert listed.status_code == 404 or listed.json()["items"] == []
    assert desk.admin("GET", f"/kb/others/documents/{document}").json()["tags"] == []


def test_a_name_that_is_taken_is_told_to_administrators_only(desk: Desk) -> None:
    manager = desk.key("manager", Rights(by_base={desk.mine: Right.MANAGE}))
    assert manager("PATCH", "/kb/mine", json={"description": "ours"}).status_code == 200
    for name in ("others", "free"):
        renamed = manager.code("PATCH", "/kb/mine", json={"name": name})
        assert renamed == (403, "right_missing")
    assert desk.admin("PATCH", "/kb/mine", json={"name": "others"}).status_code == 409


def test_conversations_leave_with_an_export_for_administrators_only(desk: Desk) -> None:
    manager = desk.key("manager", Rights(by_base={desk.mine: Right.MANAGE}))
    assert manager("POST", "/kb/mine/export", json={}).status_code == 200
    whole = {"conversations": True}
    assert manager.code("POST", "/kb/mine/export", json=whole) == (403, "right_missing")
    assert desk.admin("POST", "/kb/mine/export", json=whole).status_code == 200


def test_a_revoked_key_opens_nothing_more(desk: Desk) -> None:
    assert desk.mary("GET", "/kb/mine").status_code == 200
    assert desk.admin("POST", "/keys/mary/revoke").json()["revoked_at"] is not None
    assert desk.mary.code("GET", "/kb/mine") == (401, "api_key_invalid")
    assert desk.mary("GET", "/healthz").status_code == 200


def test_rights_that_are_taken_are_gone_with_the_next_request(desk: Desk) -> None:
    rights = {"bases": {"others": "read"}}
    assert desk.admin("PATCH", "/keys/mary", json={"rights": rights}).status_code == 200
    assert names(desk.mary("GET", "/kb")) == ["others"]
    assert desk.mary.code("GET", "/kb/mine") == (404, "kb_not_found")


def test_a_new_base_of_a_deleted_ones_name_is_another(desk: Desk) -> None:
    assert desk.admin("DELETE", "/kb/mine").status_code == 204
    assert desk.mary.code("GET", "/kb/mine") == (404, "kb_not_found")
    assert desk.admin("POST", "/kb", json={"name": "mine"}).status_code == 201
    assert desk.mary.code("GET", "/kb/mine") == (404, "kb_not_found")
    assert desk.mary("GET", "/me").json()["rights"]["bases"] == []


def test_a_key_expires(service: ApiService) -> None:
    now = [utc_now()]
    service.keys = KeyService(
        Keys(service.database, lambda: now[0]), service.catalog.bases, (), lambda: now[0]
    )
    desk = Desk(service)
    guest = desk.key("guest", Rights(everywhere=Right.READ), days=2)
    now[0] += timedelta(days=2, seconds=-1)
    assert guest("GET", "/kb").status_code == 200
    now[0] += timedelta(seconds=1)
    assert guest.code("GET", "/kb") == (401, "api_key_invalid")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/keys/peter/revoke", None),
        ("PATCH", "/keys/peter", {"rights": {"bases": {"others": "read"}}}),
        ("DELETE", "/kb/mine", None),
    ],
)
def test_a_stream_of_events_ends_with_the_right_to_them(
    desk: Desk, method: str, path: str, body: dict[str, Any] | None
) -> None:
    headers = {"x-api-key": desk.peter.secret}
    call = Call("GET", "/kb/mine/events", headers=headers)

    async def listen() -> None:
        running = asyncio.ensure_future(call.run(desk.app))
        await call.is_open.wait()
        await asyncio.to_thread(desk.admin, method, path, json=body)
        await running

    asyncio.run(listen())
    told = events_of(b"".join(call.pieces).decode())
    name, data = told[-1]
    assert name == "error"
    assert '"api_key_invalid"' in data or '"kb_not_found"' in data


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/kb/mine/ask", {"question": "What failed?"}),
        ("/v1/chat/completions", {"model": "kb:mine"}),
        ("/v1/chat/completions", {"model": "tiny"}),
    ],
)
@pytest.mark.parametrize("is_stream", [True, False])
def test_an_answer_ends_with_the_key_it_was_asked_with(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    is_stream: bool,
) -> None:
    monkeypatch.setattr(running, "ASK_AGAIN_S", 0.0)
    said = {"messages": [{"role": "user", "content": "What failed?"}]} if "model" in body else {}
    sent = orjson.dumps(body | said | {"stream": is_stream})
    writer = desk.service.chat if body.get("model") == "tiny" else desk.service.answering
    writer.starts_with = threading.Event()
    call = Call("POST", path, sent, {"x-api-key": desk.peter.secret})

    async def ask() -> None:
        running_call = asyncio.ensure_future(call.run(desk.app))
        await asyncio.to_thread(writer.began.wait, 10)
        await asyncio.to_thread(desk.admin, "POST", "/keys/peter/revoke")
        assert writer.starts_with is not None
        writer.starts_with.set()
        await running_call

    asyncio.run(ask())
    told = b"".join(call.pieces).decode()
    assert "api_key_invalid" in told
    assert call.status == (200 if is_stream else 401)
    for words in (*WORDS, *CHAT_WORDS):
        assert words.strip() not in told


def test_events_of_one_base_tell_nothing_of_others(desk: Desk) -> None:
    call = Call("GET", "/kb/mine/events", headers={"x-api-key": desk.peter.secret})
    closing: threading.Event = desk.app.state.closing

    async def listen() -> None:
        running = asyncio.ensure_future(call.run(desk.app))
        await call.is_open.wait()
        await asyncio.to_thread(desk.upload, desk.others)
        await asyncio.to_thread(desk.upload, desk.mine)
        await asyncio.sleep(3 * POLL_S)
        closing.set()
        await running

    asyncio.run(listen())
    told = b"".join(call.pieces).decode()
    assert desk.mine in told
    assert desk.others not in told


def test_secrets_and_their_hashes_are_told_to_nobody_again(desk: Desk) -> None:
    listed = desk.admin("GET", "/keys").text
    for key in (desk.admin, desk.mary):
        assert key.secret not in listed
        assert key.secret.removeprefix("kb-") not in listed
    assert "sha256" not in listed


def test_a_key_is_made_shown_changed_and_told_when_it_was_used(desk: Desk) -> None:
    body = {"name": "bot", "person": "the bot", "rights": {"bases": {"mine": "read"}}, "days": 30}
    made = desk.admin("POST", "/keys", json=body)
    assert made.status_code == 201
    bot = Key(desk.client, made.json()["secret"], OPERATOR)
    grants = [{"kb_id": desk.mine, "name": "mine", "right": "read"}]
    rights = {"is_admin": False, "everywhere": None, "bases": grants, "see_personal": False}
    assert bot("GET", "/me").json() == {"name": "bot", "needs_key": True, "rights": rights}
    shown = made.json()["key"]
    assert shown["rights"] == rights and shown["used_at"] is None
    assert shown["expires_at"] > shown["created_at"]
    desk.service.keys.note_uses()
    (listed,) = [k for k in desk.admin("GET", "/keys").json()["items"] if k["name"] == "bot"]
    assert listed["used_at"] is not None
    changed = desk.admin("PATCH", f"/keys/{shown['id']}", json={"person": "a bot"}).json()
    assert changed["person"] == "a bot" and changed["rights"] == rights


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"name": "mary", "rights": {}}, (409, "key_name_taken")),
        ({"name": " ", "rights": {}}, (422, "invalid_key_name")),
        ({"name": "a\nb", "rights": {}}, (422, "invalid_key_name")),
        ({"name": "x", "person": "y" * 201, "rights": {}}, (422, "invalid_person")),
        ({"name": "x", "rights": {}, "days": 0}, (422, "days_out_of_range")),
        ({"name": "x", "rights": {"bases": {"absent": "read"}}}, (404, "kb_not_found")),
        ({"name": "x", "rights": {"bases": {"mine": "own"}}}, (422, "invalid_request")),
        ({"name": "x"}, (422, "invalid_request")),
    ],
)
def test_a_key_that_cannot_be_meant_is_not_made(
    desk: Desk, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = desk.admin("GET", "/keys").json()
    assert desk.admin.code("POST", "/keys", json=body) == refusal
    assert desk.admin("GET", "/keys").json() == before


def test_without_keys_everybody_is_the_operator_until_one_was_made(service: ApiService) -> None:
    with TestClient(create_app(service.services), base_url=BASE_URL) as client:
        me = client.get("/me").json()
        assert not me["needs_key"] and me["rights"]["is_admin"]
        first = client.post("/keys", json={"name": "x", "rights": {"everywhere": "read"}})
        assert first.json()["error"]["code"] == "no_administrator"
        made = client.post("/keys", json={"name": "ops", "rights": {"is_admin": True}})
        assert client.get("/kb").json()["error"]["code"] == "api_key_missing"
        ops = {"x-api-key": made.json()["secret"]}
        last = client.post("/keys/ops/revoke", headers=ops)
        assert last.json()["error"]["code"] == "last_administrator"
        # However it comes to that, a service whose keys have all ended does not open.
        Keys(service.database).revoke(made.json()["key"]["id"])
        assert client.get("/kb", headers=ops).json()["error"]["code"] == "api_key_invalid"
        assert client.get("/kb").json()["error"]["code"] == "api_key_missing"


def test_keys_of_the_settings_administer_and_are_not_changed_here(tmp_path: object) -> None:
    settings = Settings(data_dir=tmp_path, api_keys={"alice": "correct-horse"})  # type: ignore[arg-type,dict-item]  # pydantic converts
    with TestClient(create_app(ApiService(settings).services), base_url=BASE_URL) as client:
        alice = Key(client, "correct-horse", OPERATOR)
        assert alice("GET", "/me").json()["rights"]["is_admin"]
        (listed,) = alice("GET", "/keys").json()["items"]
        assert listed["is_setting"] and listed["name"] == "alice"
        for path in ("/keys/alice/revoke", f"/keys/{listed['id']}/revoke"):
            assert alice.code("POST", path) == (409, "key_of_settings")
        taken = {"name": "alice", "rights": {"everywhere": "read"}}
        assert alice.code("POST", "/keys", json=taken) == (409, "key_name_taken")
        one = alice("POST", "/keys", json={"name": "one", "rights": {"is_admin": True}})
        assert alice("POST", f"/keys/{one.json()['key']['id']}/revoke").status_code == 200
