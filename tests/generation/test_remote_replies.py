"""Replies of real servers that are not by the letter of the protocol: complete words are kept."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.chats import ChatEnd, ChatMessage, ChatPiece, ChatRequest, Usage
from kb_service.domain.errors import KbError, RemoteError
from kb_service.generation import remote_server
from kb_service.generation.remote import RemoteGenerator, open_remote
from kb_service.generation.words_reader import WordsReader
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.services.writing import CUT_OFF
from kb_service.settings import RetrievalSettings
from tests.generation.fake_server import FakeServer, Play, chunk, framed, reply, running, stream
from tests.services.answer_fakes import NOW, FakeLibrary, FakeLog, FakeShelf

ANSWER = "The mass of crane seven is 41 tonnes."
SOURCE = f"{ANSWER} The passage says crane nine weighs 77 tonnes?"
HALVES = (chunk(ANSWER[:20]), chunk(ANSWER[20:]))
END = chunk(end="stop")
ASKED = ChatRequest((ChatMessage("user", "Hi"),))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(remote_server, "RETRY_PAUSES_S", (0.01, 0.01))
    with running(FakeServer()) as made:
        yield made


@pytest.fixture
def generator(server: FakeServer) -> RemoteGenerator:
    return open_remote(
        server.url, "qwen", api_key="", timeout_s=5, max_tokens=64, temperature=0, max_context=4096
    )


def ask(generator: RemoteGenerator) -> Answer:
    """Answer from one document about two cranes."""
    texts = {"cranes": SOURCE}
    library = FakeLibrary(texts)
    service = AnsweringService(
        reader=WordsReader(),
        retriever=FakeShelf(**texts),
        find_base=library.get_kb,
        library=library,
        generator=generator,
        answers=FakeLog(),
        settings=RetrievalSettings(),
        clock=lambda: NOW,
    )
    return service.ask(AskRequest("kb_1", "What is the mass of crane seven?"))


def body_of(*events: object) -> bytes:
    lines = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return "".join(f"data: {line}\n\n" for line in lines).encode()


WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}}]}
COMPLETE: dict[str, Play] = {
    "no finish_reason": stream(*HALVES, "[DONE]"),
    "an empty finish_reason": stream(*(h | chunk(end="") for h in HALVES), *HALVES, "[DONE]"),
    "no [DONE]": stream(*HALVES, END),
    "neither, in a body whose end is told": framed(body_of(*HALVES)),
    "no line end at the end": framed(body_of(*HALVES).rstrip() + b"\n\ndata: [DONE]"),
    "null usage": stream(*HALVES, END | {"usage": None}, "[DONE]"),
    "usage in fractions": stream(*HALVES, END | {"usage": {"prompt_tokens": 7.5}}, "[DONE]"),
    "usage of another shape": stream(*HALVES, END | {"usage": ["many"]}, "[DONE]"),
    "null delta": stream(*HALVES, {"choices": [{"delta": None, "finish_reason": "stop"}]}),
    "null choices": stream({"choices": None}, *HALVES, END),
    "no choices": stream({"usage": None}, *HALVES, END),
    "null fields": stream(chunk(None, logprobs=None), *HALVES, chunk(end="stop", index=None)),
    "null calls": stream(
        {"choices": [{"delta": {"content": None, "tool_calls": None}}]}, *HALVES, END
    ),
    "content in parts": stream(
        {"choices": [{"delta": {"content": [{"type": "text", "text": ANSWER}]}}]}, END
    ),
    "a thought among the parts": stream(
        {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": "77?"}, ANSWER]}}]},
        END,
    ),
    "thoughts in a field": stream(
        {"choices": [{"delta": {"reasoning_content": "crane nine weighs 77 tonnes?"}}]},
        *HALVES,
        END,
    ),
    "empty events": stream("", *HALVES, "", END),
    "an unknown end": stream(*HALVES, chunk(end="eos_token"), "[DONE]"),
    "no stream at all": reply(200, WHOLE),
}
THINKING = "The passage says crane nine weighs 77 tonnes?"


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_words_are_the_answer(
    server: FakeServer, generator: RemoteGenerator, name: str
) -> None:
    server.plays = [COMPLETE[name]]
    answer = ask(generator)
    assert answer.answer.startswith(ANSWER)
    assert "77" not in answer.answer
    assert answer.status is AnswerStatus.ANSWERED


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (stream(*HALVES), "remote_malformed"),
        (framed(body_of(*HALVES), is_cut=True), "remote_failed"),
        (framed(body_of(*HALVES)[:-20]), "remote_malformed"),
        (stream(*HALVES, chunk(end="abort"), "[DONE]"), "remote_failed"),
        (reply(200, {"choices": []}), "remote_malformed"),
        (framed(b": hello\n\n"), "remote_malformed"),
    ],
)
def test_words_that_were_cut_off_are_a_failure(
    server: FakeServer, generator: RemoteGenerator, play: Play, code: str
) -> None:
    server.plays = [play]
    with pytest.raises(KbError) as raised:
        ask(generator)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 7.5, "completion_tokens": 3}, Usage(7, 3, 0)),
        ({"prompt_tokens": None, "completion_tokens": -1}, Usage(0, 0, 0)),
        ({"prompt_tokens": "7", "prompt_tokens_details": []}, Usage(0, 0, 0)),
        (5, Usage(0, 0, 0)),
        ({"prompt_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1.0}}, Usage(2, 0, 1)),
    ],
)
def test_what_a_server_counts_in_no_numbers_is_zero(
    server: FakeServer, generator: RemoteGenerator, usage: object, counted: Usage
) -> None:
    server.plays = [stream(chunk("a"), END | {"usage": usage}, "[DONE]")]
    *pieces, end = generator.chat(ASKED)
    assert pieces == [ChatPiece("a")]
    assert isinstance(end, ChatEnd)
    assert end.usage == counted


def test_a_call_without_a_number_and_with_parsed_arguments_is_read(
    server: FakeServer, generator: RemoteGenerator
) -> None:
    call: dict[str, Any] = {"index": None, "function": {"name": "f", "arguments": {"at": "泵"}}}
    delta = {"tool_calls": [call, {"id": "c2", "function": None}]}
    server.plays = [stream({"choices": [{"delta": delta}]}, "[DONE]")]
    (end,) = generator.chat(ASKED)
    assert isinstance(end, ChatEnd)
    first, second = end.tool_calls
    assert (first.name, first.arguments, second.id) == ("f", '{"at": "泵"}', "c2")


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{THINKING} No.</think> {ANSWER}",
        f"{THINKING} No.</think> {ANSWER}",
        f"{ANSWER}<|user|>{THINKING}",
        f"\x00{ANSWER}\x00",
    ],
)
def test_thoughts_tokens_and_nul_never_reach_an_answer(
    server: FakeServer, generator: RemoteGenerator, text: str
) -> None:
    pieces = [chunk(text[at : at + 5]) for at in range(0, len(text), 5)]
    server.plays = [stream(*pieces, END, "[DONE]")]
    for _ in range(2):
        answer = ask(generator)
        assert (answer.answer, answer.status) == (ANSWER, AnswerStatus.ANSWERED)


def test_a_reply_cut_inside_its_thought_says_so(
    server: FakeServer, generator: RemoteGenerator
) -> None:
    server.plays = [stream(chunk(f"<think>{THINKING}"), chunk(end="length"), "[DONE]")]
    answer = ask(generator)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, CUT_OFF)


def test_a_model_that_changes_its_habit_fails_once_and_is_known_then(
    server: FakeServer, generator: RemoteGenerator
) -> None:
    plain = stream(*HALVES, END, "[DONE]")
    hidden = stream(chunk(f"{THINKING} No. "), chunk("</think>"), chunk(ANSWER), END, "[DONE]")
    server.plays = [plain, hidden, hidden, plain]
    assert ask(generator).answer == ANSWER
    with pytest.raises(RemoteError, match="ask again") as raised:
        ask(generator)
    assert raised.value.code == "remote_malformed"
    assert [ask(generator).answer for _ in range(2)] == [ANSWER, ANSWER]
