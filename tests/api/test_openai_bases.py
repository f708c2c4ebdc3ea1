"""Knowledge bases through OpenAI's shapes, the list of models, embeddings, keys."""

import base64
import struct
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from kb_service.domain.chats import ChatMessage
from kb_service.domain.errors import GenerationError, KbError
from kb_service.settings import Settings
from tests.api.conftest import BASE_URL
from tests.api.service import WORDS, ApiService
from tests.api.test_chat_completions import NO_CHANGE, PATH, WEATHER, chunks_of

QUESTION = {"role": "user", "content": "When did the pump fail?"}
BODY: dict[str, Any] = {"model": "kb:reports", "messages": [QUESTION]}


def test_a_base_answers_with_its_citations(client: TestClient, kb_id: str) -> None:
    body = client.post(PATH, json=BODY).json()
    asked = client.post("/kb/reports/ask", json={"question": QUESTION["content"]}).json()
    (choice,) = body["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (asked["answer"], "stop")
    assert body["kb_citations"] == asked["citations"]
    assert (body["kb_answer_id"], body["kb_status"]) == (asked["id"], asked["status"])
    for name in ("understood", "missing", "nearest"):
        assert body[f"kb_{name}"] == asked[name]
    assert body["usage"]["prompt_tokens"] == asked["usage"]["prompt_tokens"]
    (annotation,) = choice["message"]["annotations"]
    assert annotation["type"] == "url_citation"
    cited = annotation["url_citation"]
    assert (
        choice["message"]["content"][cited["start_index"] : cited["end_index"]]
        == WORDS[0] + (WORDS[1][:16])
    )
    assert cited["title"] == "report.pdf"
    sha256 = "ab" * 32
    path = f"/kb/reports/documents/doc_1/content?revision={sha256}#page=2"
    assert cited["url"] == BASE_URL + path


def test_the_stream_carries_the_same_words_and_citations(client: TestClient, kb_id: str) -> None:
    whole = client.post(PATH, json=BODY).json()
    chunks = chunks_of(client.post(PATH, json=BODY | {"stream": True}).text)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    message = whole["choices"][0]["message"]
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    assert [a for d in deltas for a in d.get("annotations", ())] == message["annotations"]
    assert [c for chunk in chunks for c in chunk.get("kb_citations", ())] == whole["kb_citations"]
    assert chunks[-1]["kb_answer_id"] == whole["kb_answer_id"]


def test_the_last_message_is_the_question_and_the_rest_its_history(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    said = [
        {"role": "system", "content": "Be rude."},
        {"role": "user", "content": "Which pump?"},
        {"role": "assistant", "content": "P-7."},
        QUESTION,
    ]
    client.post(PATH, json=BODY | {"messages": said, "max_tokens": 9, "temperature": 0})
    (request,) = service.answering.requests
    assert (request.kb_id, request.question) == (kb_id, QUESTION["content"])
    assert request.history == (
        ChatMessage("user", "Which pump?"),
        ChatMessage("assistant", "P-7."),
    )
    assert (request.options.max_tokens, request.options.temperature) == (9, 0.0)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"stop": "x"}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"top_p": 0.9}, "top_p"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"messages": [{"role": "user", "content": "q" * 3000}]}, None),
    ],
)
def test_what_a_base_cannot_do_is_refused(
    client: TestClient, kb_id: str, changes: dict[str, object], param: str | None
) -> None:
    response = client.post(PATH, json=BODY | changes)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    "changes",
    [*NO_CHANGE, {"tools": [WEATHER], "tool_choice": "none"}, {"temperature": 1, "top_p": 1.0}],
)
def test_a_base_takes_a_parameter_that_changes_nothing(
    client: TestClient, kb_id: str, changes: dict[str, object]
) -> None:
    for stream in (False, True):
        assert client.post(PATH, json=BODY | changes | {"stream": stream}).status_code == 200


def test_instructions_may_stand_anywhere_and_have_no_effect_on_a_base(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    told = {"role": "system", "content": "Be rude."}
    parts = {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}
    said = [told, told, parts, {"role": "user", "content": "Which?"}, parts, QUESTION, told]
    assert client.post(PATH, json=BODY | {"messages": said}).status_code == 200
    (request,) = service.answering.requests
    assert request.question == QUESTION["content"]
    assert request.history == (ChatMessage("user", "Which?"),)


def test_a_failed_answer_has_the_shape_of_the_protocol(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.fails_with = GenerationError("too long", code="prompt_too_long")
    response = client.post(PATH, json=BODY)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


def test_the_models_are_the_chat_model_each_base_and_the_embedding_model(
    client: TestClient, service: ApiService
) -> None:
    names = ["reports", "2024/Q1"]
    for name in names:
        client.post("/kb", json={"name": name})
    body = client.get("/v1/models").json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == [
        "tiny", "kb:2024/Q1", "kb:reports", "counting",
    ]  # fmt: skip
    for model in body["data"]:
        assert model.keys() == {"id", "object", "created", "owned_by"}
        assert client.get(f"/v1/models/{model['id'].replace('/', '%2F')}").json() == model
    assert client.get("/v1/models/absent").json()["error"]["code"] == "model_not_found"
    loading = KbError("loading", code="loading")
    service.waiting = {"generator": loading, "embedder": loading}
    listed = client.get("/v1/models").json()["data"]
    assert [model["id"] for model in listed] == ["kb:2024/Q1", "kb:reports"]


def test_embeddings_are_numbers_or_base64(client: TestClient) -> None:
    body = {"model": "counting", "input": ["abc", "x"]}
    answer = client.post("/v1/embeddings", json=body).json()
    assert (answer["object"], answer["model"]) == ("list", "counting")
    assert [item["embedding"] for item in answer["data"]] == [[3.0, 1.0], [1.0, 1.0]]
    assert [item["index"] for item in answer["data"]] == [0, 1]
    packed = client.post("/v1/embeddings", json=body | {"encoding_format": "base64"}).json()
    raw = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack("<2f", raw) == (3.0, 1.0)
    one = client.post("/v1/embeddings", json={"model": "counting", "input": "abcd"}).json()
    assert [item["embedding"] for item in one["data"]] == [[4.0, 1.0]]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"model": "other"}, 404),
        ({"input": []}, 400),
        ({"input": ["a", " "]}, 400),
        ({"input": [[1, 2]]}, 400),
        ({"input": ["a"] * 2049}, 400),
        ({"dimensions": 3}, 400),
        ({"encoding_format": "hex"}, 400),
    ],
)
def test_texts_that_cannot_be_embedded_are_refused(
    client: TestClient, changes: dict[str, object], status: int
) -> None:
    body = {"model": "counting", "input": "a"} | changes
    response = client.post("/v1/embeddings", json=body)
    assert response.status_code == status
    assert response.json()["error"].keys() >= {"message", "type", "param", "code"}


def test_keys_apply_and_refusals_have_the_shape_of_the_protocol(settings: Settings) -> None:
    guarded = settings.model_copy(update={"api_keys": {"ann": SecretStr("k" * 20)}})
    service = ApiService(guarded)
    client = TestClient(create_app(service.services), base_url=BASE_URL)
    refused = client.get("/v1/models")
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"
    assert client.get("/v1/absent").status_code == 401
    headers = {"authorization": "Bearer " + "k" * 20}
    assert client.get("/v1/models", headers=headers).status_code == 200
    chat = {"model": "tiny", "messages": [QUESTION]}
    assert client.post(PATH, json=chat, headers=headers).status_code == 200
    assert service.chat.requests[0].tenant == "key:settings:ann"
    unknown = client.get("/v1/absent", headers=headers)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "route_not_found")
    assert "param" in unknown.json()["error"]
    service.database.close()
