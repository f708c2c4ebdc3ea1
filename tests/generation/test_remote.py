"""RemoteGenerator against a real HTTP server on this machine that misbehaves on demand."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb_service.domain.answers import GenerationRequest
from kb_service.domain.chats import (
    ChatEnd,
    ChatEvent,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    SamplingOptions,
    TokenScore,
    Tool,
    ToolCall,
    Usage,
)
from kb_service.domain.errors import ConfigurationError, InvalidRequest, KbError
from kb_service.domain.ports import ChatGenerator
from kb_service.generation import remote_server
from kb_service.generation.remote import RemoteGenerator, base_url, open_remote
from kb_service.language.asked import parse_question
from kb_service.model_parts import build_models
from kb_service.model_report import model_checks
from kb_service.services.diagnosis import diagnose
from kb_service.services.prompting import PromptMeter, PromptReader
from kb_service.settings import LlmSettings, Settings
from tests.generation.fake_server import (
    HELLO,
    FakeServer,
    Play,
    chunk,
    drop,
    reply,
    running,
    stream,
)

KEY = "sk-0123456789abcdef"
ASKED = ChatRequest((ChatMessage("user", "Hi"),))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(remote_server, "RETRY_PAUSES_S", (0.01, 0.01))
    with running(FakeServer([HELLO])) as made:
        yield made


@pytest.fixture
def generator(server: FakeServer) -> RemoteGenerator:
    return remote(server)


def remote(server: FakeServer, **changes: Any) -> RemoteGenerator:  # noqa: ANN401  mixed settings
    options: dict[str, Any] = {
        "api_key": KEY, "timeout_s": 5.0, "max_tokens": 64, "temperature": 0.0, "max_context": 4096,
    }  # fmt: skip
    return open_remote(server.url, "qwen", **(options | changes))


def events(generator: RemoteGenerator, request: ChatRequest = ASKED) -> list[ChatEvent]:
    return list(generator.chat(request))


def failure(generator: RemoteGenerator, request: ChatRequest = ASKED) -> KbError:
    with pytest.raises(KbError) as raised:
        events(generator, request)
    assert KEY not in str(raised.value.as_dict())
    return raised.value


def test_a_chat_streams_and_ends_with_usage(server: FakeServer, generator: RemoteGenerator) -> None:
    assert isinstance(generator, ChatGenerator)
    *pieces, end = events(generator)
    assert pieces == [ChatPiece("Hel"), ChatPiece("lo")]
    assert isinstance(end, ChatEnd)
    assert (end.finish_reason, end.usage, end.prompt_token_ids) == ("stop", Usage(9, 2, 4), ())
    assert server.keys == [f"Bearer {KEY}"]
    assert server.bodies == [
        {
            "model": "qwen",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.0,
            "max_tokens": 64,
        }
    ]


def test_an_answer_has_an_audit_record_without_token_ids(generator: RemoteGenerator) -> None:
    options = SamplingOptions(0.5, 8, 3)
    request = GenerationRequest(parse_question("Hi"), (), ASKED.messages, options)
    pieces = []
    writing = generator.generate(request)
    while True:
        try:
            pieces.append(next(writing))
        except StopIteration as end:
            generation = end.value
            break
    assert ("".join(pieces), generation.text) == ("Hello", "Hello")
    assert generation.prompt_token_ids == ()
    assert generation.sampling == {"temperature": 0.5, "top_p": None, "max_tokens": 8, "seed": 3}
    info = generator.info
    assert (info.kind, info.name, info.model_sha256) == ("remote", "qwen", "")
    assert "127.0.0.1" in info.notice_en


def test_calls_tools_stops_and_log_probabilities_go_both_ways(
    server: FakeServer, generator: RemoteGenerator
) -> None:
    def part(number: int, **function: str) -> dict[str, object]:
        return {"index": number, "id": f"c{number}", "function": function}

    scores = {"content": [{"token": "H", "logprob": -0.1, "bytes": [72], "top_logprobs": []}]}
    server.plays = [
        stream(
            chunk("H", logprobs=scores),
            chunk(delta={"tool_calls": [part(0, name="weather", arguments='{"a"')]}),
            chunk(delta={"tool_calls": [part(0, arguments=":1}"), part(1, name="b")]}),
            chunk(end="tool_calls"),
            "[DONE]",
        )
    ]
    call = ToolCall("c9", "weather", "{}")
    messages = (
        *ASKED.messages,
        ChatMessage("assistant", "", (call,)),
        ChatMessage("tool", "rain", tool_call_id="c9"),
    )
    tool = Tool("weather", "Look out.", {"type": "object"})
    request = ChatRequest(messages, stop=("END",), tools=(tool,), must_call=True, top_logprobs=0)
    piece, end = events(generator, request)
    assert piece == ChatPiece("H", (TokenScore(b"H", -0.1),))
    assert isinstance(end, ChatEnd)
    assert end.finish_reason == "tool_calls"
    assert end.tool_calls == (ToolCall("c0", "weather", '{"a":1}'), ToolCall("c1", "b", ""))
    sent = server.bodies[0]
    assert (sent["stop"], sent["tool_choice"], sent["logprobs"]) == (["END"], "required", True)
    assert sent["messages"][1]["tool_calls"][0]["function"] == {
        "name": "weather", "arguments": "{}",
    }  # fmt: skip
    assert sent["messages"][2]["tool_call_id"] == "c9"


@pytest.mark.parametrize("first", [drop, reply(503, {}), reply(502, b"bad gateway")])
def test_it_tries_again_before_the_first_byte(
    server: FakeServer, generator: RemoteGenerator, first: Play
) -> None:
    server.plays = [first, HELLO]
    assert len(events(generator)) == 3
    assert len(server.bodies) == 2


def test_it_never_tries_again_after_the_first_words(
    server: FakeServer, generator: RemoteGenerator
) -> None:
    server.plays = [stream(chunk("Hel")), HELLO]
    stream_ = generator.chat(ASKED)
    assert next(stream_) == ChatPiece("Hel")
    with pytest.raises(KbError) as raised:
        list(stream_)
    assert raised.value.code == "remote_malformed"
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (reply(401, {"error": {"message": f"bad key {KEY}"}}), "remote_unauthorized"),
        (reply(403, b"no"), "remote_unauthorized"),
        (reply(404, {"error": {"message": "no such model"}}), "remote_failed"),
        (reply(429, {"error": {"message": "slow down"}}), "remote_busy"),
        (reply(503, {"error": "overloaded"}), "remote_busy"),
        (reply(500, {"error": {"message": "boom"}}), "remote_failed"),
        (reply(307, b"", Location="http://elsewhere.example/v1"), "remote_failed"),
        (
            reply(400, {"error": {"message": "maximum context length is 4096", "code": "x"}}),
            "prompt_too_long",
        ),
        (reply(400, {"error": {"message": "no logprobs here"}}), "remote_refused"),
        (reply(200, {"choices": []}), "remote_malformed"),
        (stream("{"), "remote_malformed"),
        (stream(chunk("a", finish_reason=7)), "remote_malformed"),
        (stream([1]), "remote_malformed"),
        (stream({"choices": [{"delta": {"content": 5}}]}), "remote_malformed"),
        (stream(chunk("a")), "remote_malformed"),
        (stream("[DONE]"), "remote_malformed"),
        (stream(chunk("a"), chunk(end="abort"), "[DONE]"), "remote_failed"),
        (stream({"error": {"message": "out of memory"}}), "remote_failed"),
        (stream("x" * (remote_server.MAX_EVENT_BYTES + 10)), "remote_malformed"),
        (drop, "remote_failed"),
    ],
)
def test_every_fault_of_the_server_has_a_code(
    server: FakeServer,
    generator: RemoteGenerator,
    play: Play,
    code: str,
) -> None:
    server.plays = [play]
    assert failure(generator).code == code


def test_a_server_that_is_not_there_or_silent_is_told_apart(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = threading.Event()
    server.plays = [stream(chunk("a"), waits=silent)]
    assert failure(remote(server, timeout_s=0.1)).code == "remote_timeout"
    silent.set()
    server.url = "http://127.0.0.1:9"
    assert failure(remote(server)).code == "remote_unreachable"


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_cancelled_chat_ends_at_once_and_hangs_up(
    server: FakeServer, generator: RemoteGenerator, is_silent: bool
) -> None:
    waits = threading.Event() if is_silent else None
    server.plays = [stream(chunk("a"), waits=waits, endless=True)]
    began = time.monotonic()
    request = ChatRequest(ASKED.messages, cancelled=lambda: time.monotonic() - began > 0.15)
    assert events(generator, request) == ([] if is_silent else [ChatPiece("a")])
    assert time.monotonic() - began < 1
    if waits:
        waits.set()
    assert server.is_gone.wait(2)


def test_a_closed_chat_hangs_up(server: FakeServer, generator: RemoteGenerator) -> None:
    server.plays = [stream(chunk("a"), endless=True)]
    chat = generator.chat(ASKED)
    assert next(chat) == ChatPiece("a")
    chat.close()
    assert server.is_gone.wait(2)


def test_the_environments_proxies_are_not_used(
    generator: RemoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(events(generator)) == 3


def test_prompts_are_measured_by_estimate_against_the_configured_context(
    generator: RemoteGenerator,
) -> None:
    assert isinstance(generator, PromptMeter)
    assert not isinstance(generator, PromptReader)
    assert generator.max_prompt_tokens == 4096 - 64
    assert generator.num_prompt_tokens((ChatMessage("user", "泵" * 100),)) >= 100
    with pytest.raises(InvalidRequest, match="expected 1 to 4096"):
        events(generator, ChatRequest(ASKED.messages, SamplingOptions(max_tokens=4097)))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host:8000/v1/", "http://host:8000/v1"),
        ("https://host", "https://host/v1"),
        ("http://[::1]:1/openai/v1", "http://[::1]:1/openai/v1"),
    ],
)
def test_an_address_without_a_path_gets_the_usual_one(url: str, expected: str) -> None:
    assert LlmSettings(model=url).is_remote
    assert base_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pw@host/v1",
        "http://",
        "http://host:port/v1",
        "http://host/v1?key=a",
        "http://h#m",
    ],
)
def test_an_address_with_a_secret_or_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        base_url(url)
    assert "pw" not in raised.value.message


def test_the_only_model_of_a_server_needs_no_name(server: FakeServer) -> None:
    url, options = server.url, LlmSettings(model=server.url, api_key=KEY)  # type: ignore[arg-type]  # read from text
    settings = Settings(llm=options, data_dir=Path("unused"))
    models = build_models(settings)
    assert models.generator().configured().info.name == "qwen"
    assert (models.embedder.built, models.reranker.built) == (None, None)
    assert model_checks(settings, models)["answering model"]() == f"qwen at {url}/v1"
    server.models = ["a", "b"]
    with pytest.raises(ConfigurationError, match="a, b"):
        _ = build_models(settings).generator().model.info


def test_readiness_says_that_the_server_is_gone(server: FakeServer) -> None:
    generator = remote(server)
    assert generator.outage() is None
    server.models = []
    assert generator.outage() is None  # asked a moment ago
    generator._outage = (0.0, None)
    problem = generator.outage()
    assert problem is not None
    assert "has these models: none" in problem.message


def test_the_key_is_in_no_representation(server: FakeServer) -> None:
    assert KEY not in repr(remote(server)._server)
    assert KEY not in repr(LlmSettings(api_key=KEY))  # type: ignore[arg-type]  # read from text


@pytest.mark.parametrize("listing", [b"<html>", {"data": "none"}, {"data": [{}]}, [], 7])
def test_a_list_of_models_of_another_shape_is_refused(server: FakeServer, listing: object) -> None:
    server.listing = listing
    with pytest.raises(KbError) as raised:
        remote(server).check()
    assert raised.value.code == "remote_malformed"


def test_the_doctor_shows_the_address_without_a_password_and_no_key(tmp_path: Path) -> None:
    llm = LlmSettings(model="http://ann:swordfish@host/v1", api_key=KEY)  # type: ignore[arg-type]  # read from text
    settings = Settings(llm=llm, data_dir=tmp_path)
    check = model_checks(settings, build_models(settings))["answering model"]
    findings = {f.name: f for f in diagnose(settings, {"answering model": check})}
    assert findings["KB_LLM__MODEL"].text == "http://***@host/v1, with a key"
    assert not findings["answering model"].is_ok
    assert not any("swordfish" in f.text or KEY in f.text for f in findings.values())
