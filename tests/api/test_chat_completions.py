"""Plain chat in OpenAI's shapes: streamed and whole are the same, every legal message is read."""

import asyncio
import json
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kb_service.domain.chats import ChatMessage, ToolCall
from kb_service.domain.errors import Busy, GenerationError
from kb_service.services.chatting import ChattingService
from tests.api.asgi import Call
from tests.api.service import CHAT_WORDS, ApiService

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}
BODY: dict[str, Any] = {"model": "tiny", "messages": [USER]}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Look out.", "parameters": {"type": "object"}},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def chunks_of(text: str) -> list[dict[str, Any]]:
    """Return the chunks of a stream; fails unless it ends with [DONE]."""
    *events, last, rest = text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def whole(client: TestClient, **changes: object) -> dict[str, Any]:
    response = client.post(PATH, json=BODY | changes)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def streamed(client: TestClient, **changes: object) -> list[dict[str, Any]]:
    response = client.post(PATH, json=BODY | changes | {"stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    return chunks_of(response.text)


def error_of(client: TestClient, status: int, **changes: object) -> dict[str, Any]:
    response = client.post(PATH, json=BODY | changes)
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code", "details", "request_id"}
    return error


def test_a_completion_has_the_shape_of_the_protocol(client: TestClient) -> None:
    body = whole(client)
    assert body["id"].startswith("chatcmpl-")
    assert (body["object"], body["model"]) == ("chat.completion", "tiny")
    assert body["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 3,
        "total_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    (choice,) = body["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == "".join(CHAT_WORDS)


def test_the_stream_joins_to_the_same_message(client: TestClient) -> None:
    chunks = streamed(client)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == "".join(CHAT_WORDS)
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert all("usage" not in chunk for chunk in chunks)


def test_usage_ends_a_stream_where_it_was_asked_for(client: TestClient) -> None:
    *chunks, last = streamed(client, stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"] == whole(client)["usage"]
    assert all(chunk["usage"] is None for chunk in chunks)


def test_log_probabilities_stand_beside_their_words(client: TestClient) -> None:
    content = whole(client, logprobs=True, top_logprobs=2)["choices"][0]["logprobs"]["content"]
    assert [token["token"] for token in content] == list(CHAT_WORDS)
    assert content[2]["bytes"] == list("。".encode())
    assert (content[0]["logprob"], content[0]["top_logprobs"]) == (-0.5, [])
    first = streamed(client, logprobs=True)[1]["choices"][0]
    assert first["logprobs"]["content"][0]["token"] == first["delta"]["content"]


def test_the_model_gets_every_parameter(client: TestClient, service: ApiService) -> None:
    whole(
        client, temperature=1, top_p=0.5, max_completion_tokens=7, seed=2**40, stop="END",
        logprobs=True, n=1, user="u", metadata={"a": "b"}, presence_penalty=0,
    )  # fmt: skip
    request = service.chat.requests[0]
    options = request.options
    assert (options.temperature, options.top_p, options.max_tokens) == (1.0, 0.5, 7)
    assert (options.seed, request.stop, request.top_logprobs) == (2**40, ("END",), 0)
    assert request.tools == ()


def test_every_legal_message_is_read(client: TestClient, service: ApiService) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    refusal = [{"type": "refusal", "refusal": "no"}]
    messages = [
        {"role": "developer", "content": parts},
        {"role": "user", "content": parts, "name": "Ann"},
        {"role": "assistant", "content": refusal, "annotations": [], "audio": None},
        USER,
        CALLING,
        {"role": "tool", "tool_call_id": "c1", "content": parts},
        {"role": "assistant", "content": "", "function_call": CALL["function"]},
        {"role": "function", "name": "weather", "content": "rain"},
    ]
    whole(client, messages=messages)
    assert service.chat.requests[0].messages == (
        ChatMessage("system", "a\nb"),
        ChatMessage("user", "a\nb"),
        ChatMessage("assistant", "no"),
        ChatMessage("user", "Hi"),
        ChatMessage("assistant", "", (ToolCall("c1", "weather", "{}"),)),
        ChatMessage("tool", "a\nb", tool_call_id="c1"),
        ChatMessage("assistant", "", (ToolCall("function_6", "weather", "{}"),)),
        ChatMessage("tool", "rain", tool_call_id="function_6"),
    )


NO_CHANGE = [
    {"presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {}, "repetition_penalty": 1},
    {"n": 1, "top_p": 1, "min_p": 0, "stop": [], "response_format": {"type": "text"}},
    {"stop": None, "seed": None, "tools": None, "tool_choice": None, "unheard_of": None},
    {"user": "u", "metadata": {}, "store": False, "service_tier": "auto", "seed": 1},
    {"logprobs": False, "top_logprobs": 0, "stream_options": {"include_usage": False}},
    {"parallel_tool_calls": True, "functions": [], "function_call": "auto", "tools": []},
    {"max_completion_tokens": 9, "modalities": ["text"], "prompt_cache_key": "k"},
]


@pytest.mark.parametrize("changes", NO_CHANGE)
def test_a_parameter_at_the_value_that_changes_nothing_is_taken(
    client: TestClient, changes: dict[str, object]
) -> None:
    assert whole(client, **changes)["choices"] == whole(client)["choices"]
    assert streamed(client, **changes)[-1]["choices"] == streamed(client)[-1]["choices"]


def test_instructions_become_one_wherever_they_stand(
    client: TestClient, service: ApiService
) -> None:
    parts = [{"type": "text", "text": "b"}]
    said = [turn("system", "a"), turn("developer", parts), USER, turn("system", ""), turn("system")]
    whole(client, messages=said)
    assert service.chat.requests[0].messages == (
        ChatMessage("system", "a\n\nb\n\nx"),
        ChatMessage("user", "Hi"),
    )
    whole(client, messages=[turn("system", ""), USER])
    assert service.chat.requests[1].messages == (ChatMessage("user", "Hi"),)


def test_calls_come_back_as_tool_calls(client: TestClient, service: ApiService) -> None:
    service.chat.tool_calls = (ToolCall("c1", "weather", "{}"),)
    choice = whole(client, tools=[WEATHER])["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert (choice["message"]["content"], choice["message"]["tool_calls"]) == (None, [CALL])
    chunks = streamed(client, tools=[WEATHER])
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert [delta["tool_calls"] for delta in deltas if "tool_calls" in delta] == [
        [{"index": 0, **CALL}]
    ]
    tool = service.chat.requests[0].tools[0]
    assert (tool.name, tool.description, tool.parameters) == (
        "weather", "Look out.", {"type": "object"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "num_tools", "must_call"),
    [
        (None, 2, False),
        ("auto", 2, False),
        ("none", 0, False),
        ("required", 2, True),
        ({"type": "function", "function": {"name": "weather"}}, 1, True),
    ],
)
def test_the_choice_of_tools_is_passed_on(
    client: TestClient, service: ApiService, choice: object, num_tools: int, must_call: bool
) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    whole(client, tools=[WEATHER, other], tool_choice=choice)
    request = service.chat.requests[0]
    assert (len(request.tools), request.must_call) == (num_tools, must_call)


def turn(role: str, content: object = "x") -> dict[str, object]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [turn("system"), turn("developer")]}, "messages"),
        ({"messages": [turn("assistant")]}, "messages"),
        ({"messages": [turn("tool") | {"tool_call_id": "c1"}]}, "messages"),
        ({"messages": [CALLING, *[turn("tool") | {"tool_call_id": "c1"}] * 2]}, "messages"),
        ({"messages": [turn("wizard")]}, "messages.0"),
        ({"messages": [turn("user", None)]}, "messages.0.user.content.str"),
        ({"messages": [turn("user", [{"type": "image_url", "image_url": {}}])]}, None),
        ({"messages": [{"role": "assistant"}]}, "messages.0.assistant"),
        ({"messages": "Hi"}, "messages"),
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "body"),
        ({"seed": -1}, "seed"),
        ({"seed": 10**30}, "seed"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ""}, "stop"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 2}, "body"),
        ({"stream": False, "stream_options": {"include_usage": True}}, "body"),
        ({"tools": [WEATHER, WEATHER]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"repetition_penalty": 1.1}, "repetition_penalty"),
        ({"functions": [WEATHER["function"]]}, "functions"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    client: TestClient, service: ApiService, changes: dict[str, object], param: str | None
) -> None:
    for stream in (False, True):
        error = error_of(client, 400, **({"stream": stream} | changes))
        assert error["type"] == "invalid_request_error"
        assert param is None or error["param"] == param, error
    assert service.chat.requests == []


def test_an_unknown_model_is_a_404(client: TestClient, service: ApiService) -> None:
    for name in ("gpt-4", "kb:absent", "", "kb:"):
        error = error_of(client, 404, model=name)
        assert (error["code"], error["type"]) == ("model_not_found", "not_found_error")
    service.chatting = ChattingService(None)
    assert error_of(client, 404)["code"] == "model_not_found"


def test_nan_and_a_body_of_ten_megabytes_are_refused(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    body = json.dumps(BODY | {"temperature": float("nan")}).encode()
    refused = client.post(PATH, content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_json")
    huge = json.dumps(BODY | {"messages": [turn("user", "x" * 10_000_000)]}).encode()
    refused = client.post(PATH, content=huge, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (GenerationError("long", code="prompt_too_long"), 400, "context_length_exceeded"),
        (GenerationError("odd", code="invalid_prompt"), 400, "invalid_prompt"),
        (Busy("full"), 503, "busy"),
        (GenerationError("broken"), 500, "generation_failed"),
    ],
)
def test_a_failure_before_the_first_words_has_its_status(
    client: TestClient, service: ApiService, failure: Exception, status: int, code: str
) -> None:
    def fail(request: object) -> object:
        raise failure

    service.chat.chat = fail  # type: ignore[method-assign,assignment]  # the fault
    for stream in (False, True):
        response = client.post(PATH, json=BODY | {"stream": stream})
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert ("retry-after" in response.headers) == (status == 503)


def test_a_failure_in_the_stream_ends_it_with_an_error_and_without_done(
    client: TestClient, service: ApiService
) -> None:
    service.chat.fails_with = RuntimeError("swordfish")
    text = client.post(PATH, json=BODY | {"stream": True}).text
    last = json.loads(text.split("\n\n")[-2].removeprefix("data: "))
    assert last["error"]["code"] == "internal_error"
    assert "swordfish" not in text
    assert "[DONE]" not in text


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_closes_the_chat(
    app: FastAPI, service: ApiService, stream: bool
) -> None:
    service.chat.waits_for = threading.Event()
    leaving: dict[str, object] = {"leaves_when": service.chat.began}
    if stream:
        leaving = {"leaves_after": 2}
    body = json.dumps(BODY | {"stream": stream}).encode()
    call = Call("POST", PATH, body, **leaving)  # type: ignore[arg-type]  # either field
    asyncio.run(call.run(app))
    assert service.chat.was_closed.wait(10)
    assert service.chat.requests[0].cancelled()
    assert not any(b"[DONE]" in piece for piece in call.pieces)
