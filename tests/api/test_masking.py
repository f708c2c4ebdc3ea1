"""What leaves for a key that may not see personal data has none, whichever way it is asked."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import ROUTERS
from api.needs import NEEDS
from kb_service.domain.people import OPERATOR
from kb_service.domain.query_json import query_from
from kb_service.domain.watches import Asked
from kb_service.services.history import HistoryService
from tests.api.asgi import events_of
from tests.api.masked import ADMIN, ALL, DESK, FILE, RAW, SENTENCES, Desk, filled, leaks
from tests.api.service import ApiService

Json = dict[str, Any]
ASKED = {"question": "张伟的电话13812345678是谁的？"}
PARTS = ("李梅的电话是876", "5432，Smi", "th在场，13812", "345678。")
LIST = {"op": "list", "of": "records", "columns": ["reporter", "phone"], "filters": {}}
LABEL = "李梅13812345678"
CALLS: dict[str, list[Json]] = {
    "POST /kb": [{"json": {"name": "desk"}}],
    "PATCH /kb/{kb}": [{"json": {"description": "张伟13812345678"}}],
    "POST /kb/{kb}/documents": [{"files": [("files", (FILE, b"x"))]}],
    "PATCH /kb/{kb}/documents/{document}": [
        {"json": {"tags": ["张伟"], "labels": ["{label}"]}},
        {"json": {"labels": [LABEL]}},
    ],
    "POST /kb/{kb}/documents/labels": [
        {"json": {"documents": ["{document}"], "remove": ["{label}"]}},
        {"json": {"documents": ["{document}"], "add": ["{label}", "new"]}},
        {"json": {"documents": ["{document}"], "add": [LABEL]}},
        {"json": {"documents": ["13812345678"], "add": ["{label}"]}},
    ],
    "POST /kb/{kb}/documents/tags": [
        {"json": {"documents": ["{document}"], "add": ["张伟", "new"], "remove": ["old"]}},
        {"json": {"documents": ["13812345678"], "add": ["张伟"]}},
    ],
    "POST /kb/{kb}/documents/delete": [{"json": {"documents": ["13812345678"]}}],
    "POST /kb/{kb}/labels": [
        {"json": {"name": "open", "description": "张伟13812345678"}},
        {"json": {"name": LABEL}},
    ],
    "PATCH /kb/{kb}/labels/{label}": [
        {"json": {"colour": "red", "description": "张伟13812345678"}},
        {"json": {"name": "电话：8765432"}},
    ],
    "POST /kb/{kb}/documents/{document}/read": [{"json": {"encoding": "utf-8"}}],
    "POST /kb/{kb}/documents/{document}/restore": [{"json": {"revision": "{sha}"}}],
    "GET /kb/{kb}/documents/{document}/changes": [{"params": {"since": "{sha}"}}],
    "GET /kb/{kb}/documents": [
        {},
        {"params": {"name": FILE}},
        {"params": {"limit": "1"}},
        {"params": {"label": "{label}"}},
        {"params": {"label": LABEL}},
    ],
    "POST /kb/{kb}/search": [{"json": {"query": "张伟 13812345678"}}],
    "POST /kb/{kb}/query": [
        {"json": LIST},
        {"json": {"op": "group", "of": "records", "by": "reporter"}},
        {"json": LIST | {"filters": {"fields": {"phone": "8765432"}}}},
    ],
    "POST /kb/{kb}/query/report": [{"json": LIST}],
    "PUT /kb/{kb}/columns": [{"json": {"name": "报警人", "field": "person"}}],
    "PATCH /kb/{kb}/facts/{fact}": [{"json": {"value": "李梅"}}],
    "POST /kb/{kb}/watches": [
        {
            "json": {
                "name": "张伟 again",
                "question": "张伟13812345678？",
                "schedule": "every 5 hours",
            }
        }
    ],
    "PATCH /kb/{kb}/watches/{watch}": [{"json": {"is_paused": True}}],
    "POST /kb/{kb}/ask": [{"json": ASKED}, {"json": ASKED | {"stream": True}}],
    "POST /answers/{answer}/feedback": [{"json": {"rating": "up", "comment": "张伟"}}],
    "PATCH /conversations/{conversation}": [{"json": {"title": "张伟13812345678"}}],
    "POST /kb/{kb}/export": [{"json": {}}],
    "POST /kb/import": [{"content": b"13812345678"}],
    "POST /v1/chat/completions": [
        {"json": {"model": "kb:reports", "messages": [{"role": "user", "content": "张伟？"}]}},
        {
            "json": {
                "model": "kb:reports",
                "stream": True,
                "messages": [{"role": "user", "content": "13812345678？"}],
            }
        },
    ],
    "POST /v1/embeddings": [{"json": {"model": "counting", "input": "x"}}],
}
ENDLESS = "GET /kb/{kb}/events"
"""Read by a test of its own."""


@pytest.fixture
def client(app: FastAPI, service: ApiService) -> Iterator[TestClient]:
    """An administrator."""
    with Desk(app, service, ADMIN) as made:
        yield made


@pytest.fixture
def desk(app: FastAPI, service: ApiService, client: TestClient) -> Iterator[Desk]:
    """Who may do everything in every base but see personal data."""
    with Desk(app, service, DESK) as made:
        yield made


@pytest.fixture
def known(client: TestClient, service: ApiService, kb_id: str, desk: Desk) -> dict[str, str]:
    """A base with personal data everywhere; what paths name in it."""
    service.answering.words = PARTS
    service.answering.title = FILE
    document = filled(client, service, kb_id, desk.key_id)
    services = service.services
    asked = Asked("", query_from(LIST), "zh")
    watch = services.watching.add(kb_id, "张伟13812345678", asked, "after changes", "")
    label = services.labels.create(kb_id, LABEL, description="张伟的电话：8765432")
    services.labels.put(kb_id, [document], [label.id], (), OPERATOR)
    shown = client.get(f"/kb/{kb_id}/documents/{document}").json()
    fact = client.get(f"/kb/{kb_id}/facts", params={"field": "person"}).json()["items"][0]
    return {
        "kb": kb_id,
        "document": document,
        "label": label.id,
        "job": shown["job"]["id"],
        "watch": watch.id,
        "answer": "ans_1",
        "conversation": "conv_1",
        "fact": fact["id"],
        "number": "1",
        "record": "1",
        "key": "key_1",
        "page_number": "1",
        "model": "kb:reports",
        "sha": shown["revision"]["sha256"],
    }


def routes_of() -> list[str]:
    """Every call of the API, those that delete last."""
    calls = [f"{method} {route.path}" for route in api_routes() for method in route.methods]
    return sorted(calls, key=lambda call: (call.startswith("DELETE"), call))


def api_routes() -> list[APIRoute]:
    return [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]


def words_of(content: bytes) -> str:
    """The words of a body, and of what is packed in it."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return "".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())


def filled_in(call: Any, known: dict[str, str]) -> Any:  # noqa: ANN401  JSON
    written = json.dumps(call, ensure_ascii=False, default=str)
    for name, value in known.items():
        written = written.replace(f"{{{name}}}", value)
    return json.loads(written)


def test_no_route_lets_personal_data_out(desk: Desk, known: dict[str, str]) -> None:
    told = 0
    for name in routes_of():
        if name == ENDLESS:
            continue
        method, _, path = name.partition(" ")
        address = path.replace("{page_number}.png", "1.png").format(**known)
        for call in CALLS.get(name, [{}]):
            is_plain = not ({"files", "content"} & call.keys())
            answer = desk.request(method, address, **(filled_in(call, known) if is_plain else call))
            assert answer.status_code < 500, (name, answer.text)
            heads = json.dumps(dict(answer.headers))
            whole = words_of(answer.content) + heads
            assert leaks(whole) == [], (name, leaks(whole), answer.text[:2000])
            told += "*" in answer.text
    assert told > 15


def test_every_body_that_a_route_takes_is_tried() -> None:
    takes = {
        f"{method} {route.path}"
        for route in api_routes()
        for method in route.methods
        if method in {"POST", "PUT", "PATCH"} and route.body_field
    }
    for_all = {name for name in takes if NEEDS[name].of != "admin"}
    assert for_all <= CALLS.keys()


def test_who_may_see_it_is_shown_everything(client: TestClient, known: dict[str, str]) -> None:
    text = client.get(f"/kb/reports/documents/{known['document']}/text").text
    assert all(raw in text for raw in RAW if raw != "138 1234 5678")
    assert "张伟" in client.get("/answers/ans_1").text


def test_masked_words_are_as_long_and_spans_point_to_them(
    client: TestClient, desk: Desk, known: dict[str, str]
) -> None:
    path = f"/kb/reports/documents/{known['document']}/text"
    plain, masked = client.get(path).json()["text"], desk.get(path).json()["text"]
    assert len(plain) == len(masked)
    assert "报警人张*，电话138****5678，身份证号110***************" in masked
    citation = desk.get("/answers/ans_1").json()["citations"][0]
    source = citation["source"]
    assert masked[source["start"] : source["end"]] == citation["cited_text"]
    facts = desk.get("/kb/reports/facts").json()["items"]
    assert len(facts) > 8
    for fact in facts:
        assert masked[fact["span"]["start"] : fact["span"]["end"]] == fact["value"]


def test_a_stream_tells_the_same_masked_words_as_the_whole(
    desk: Desk, known: dict[str, str]
) -> None:
    whole = desk.post("/kb/reports/ask", json=ASKED).json()
    streamed = desk.post("/kb/reports/ask", json=ASKED | {"stream": True})
    events = events_of(streamed.text)
    tokens = "".join(json.loads(data)["text"] for name, data in events if name == "token")
    assert tokens == whole["answer"] == json.loads(events[-1][1])["answer"]
    assert tokens.startswith("李*的电话是8******，S****在场，138****5678")
    names = [name for name, _ in events]
    assert names.index("token") == names.index("done") - 1


def test_a_stream_that_fails_lets_nothing_out(
    desk: Desk, service: ApiService, known: dict[str, str]
) -> None:
    service.answering.fails_with = RuntimeError("13812345678")
    told = desk.post("/kb/reports/ask", json=ASKED | {"stream": True}).text
    assert events_of(told)[-1][0] == "error"
    assert leaks(told) == []


def test_what_is_masked_is_not_searched_for(
    desk: Desk, service: ApiService, known: dict[str, str]
) -> None:
    desk.post("/kb/reports/search", json={"query": "谁的电话是 13812345678"})
    desk.post("/kb/reports/ask", json={"question": "张伟 13812345678"})
    assert service.retriever.queries[-1].question.text == "谁的电话是 138****5678"
    assert service.answering.requests[-1].question == "张* 138****5678"


@pytest.mark.parametrize(
    "filters", [{"text": ["138"]}, {"person": ["张"]}, {"fields": {"phone": "138"}}]
)
def test_filters_that_would_tell_it_are_refused(
    desk: Desk, known: dict[str, str], filters: Json
) -> None:
    for path, body in (
        ("query", {"op": "count"}),
        ("search", {"query": "fire"}),
        ("ask", {"question": "fire?"}),
    ):
        answer = desk.post(f"/kb/reports/{path}", json=body | {"filters": filters})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "personal_data_masked"
    answer = desk.get("/conversations", params={"contains": "138"})
    assert answer.json()["error"]["code"] == "personal_data_masked"


def test_originals_and_archives_are_refused(desk: Desk, known: dict[str, str]) -> None:
    content = desk.get(f"/kb/reports/documents/{known['document']}/content")
    archive = desk.post("/kb/reports/export", json={})
    for answer in (content, archive):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "personal_data_masked"


def test_only_who_sees_it_says_what_is_masked(
    desk: Desk, client: TestClient, known: dict[str, str]
) -> None:
    refused = desk.patch("/kb/reports", json={"masking": {"kinds": [], "roles": []}})
    assert refused.json()["error"]["code"] == "personal_data_masked"
    unknown = client.patch("/kb/reports", json={"masking": {"kinds": ["shoe_size"]}})
    assert unknown.json()["error"]["code"] == "invalid_masking"
    shown = client.get("/kb/reports").json()["masking"]
    assert shown == {name: sorted(values) for name, values in ALL.items()}
    client.patch("/kb/reports", json={"masking": {"kinds": ["plate"], "roles": []}})
    text = desk.get(f"/kb/reports/documents/{known['document']}/text").json()["text"]
    assert "京A*****" in text
    assert "张伟" in text
    client.patch("/kb/reports", json={"masking": {"kinds": [], "roles": []}})
    text = desk.get(f"/kb/reports/documents/{known['document']}/text").json()["text"]
    assert text == "\n".join(SENTENCES) or "京A12345" in text


def test_a_list_goes_on_behind_a_name_that_is_masked(
    desk: Desk, client: TestClient, service: ApiService, known: dict[str, str]
) -> None:
    client.post("/kb/reports/documents", files=[("files", ("z.txt", b"no one"))])
    service.ingest(["no one"])
    first = desk.get("/kb/reports/documents", params={"limit": 1}).json()
    assert first["next_cursor"].startswith("sealed_")
    second = desk.get(
        "/kb/reports/documents", params={"limit": 1, "cursor": first["next_cursor"]}
    ).json()
    assert [item["name"] for item in second["items"]] == ["z.txt"]


def test_a_masked_report_says_so_and_holds_against_the_base(
    desk: Desk, service: ApiService, known: dict[str, str]
) -> None:
    page = desk.get("/answers/ans_1/report").text
    assert "本报告中的个人信息已打码。" in page
    checked = service.services.reports.check(page)
    assert checked.holds
    assert [quote.problem for quote in checked.quotes] == [None]


def test_words_that_are_sent_back_masked_stay_as_they_were(
    desk: Desk, client: TestClient, known: dict[str, str]
) -> None:
    path = f"/kb/reports/documents/{known['document']}"
    shown = desk.get("/kb/reports").json()["description"]
    desk.patch("/kb/reports", json={"description": shown})
    desk.patch(path, json={"tags": [*desk.get(path).json()["tags"], "more"]})
    assert client.get("/kb/reports").json()["description"] == "问张伟13812345678"
    assert sorted(client.get(path).json()["tags"]) == ["more", "张伟"]


def test_history_service_is_not_what_hides(service: ApiService, known: dict[str, str]) -> None:
    """What is stored stays as it was said."""
    stored = HistoryService(service.answers, service.catalog).answer(OPERATOR, "ans_1").answer
    assert "8765432" in stored.answer
