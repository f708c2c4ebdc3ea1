"""Asking: the stream and the whole are the same, and a client that leaves stops the work."""

import asyncio
import json
import threading

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.sse import EventPump, with_keep_alive
from kb_service.domain.answers import NotStored
from kb_service.domain.errors import GenerationError, KbError
from tests.api.asgi import Call, events_of
from tests.api.service import WORDS, ApiService, sample_answer, sample_audit

QUESTION = {"question": "When did the pump fail?"}
ANSWER_FIELDS = {
    "id", "kb_id", "status", "answer", "reason", "citations", "passages", "conversation_id",
    "model", "usage", "timings",
}  # fmt: skip


def streamed(client: TestClient, **changes: object) -> list[tuple[str, str]]:
    response = client.post("/kb/reports/ask", json={**QUESTION, **changes, "stream": True})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return events_of(response.text)


def test_the_streamed_answer_equals_the_whole_one(client: TestClient, kb_id: str) -> None:
    whole = client.post("/kb/reports/ask", json=QUESTION).json()
    events = streamed(client)
    assert [name for name, _ in events] == ["status"] + ["token"] * 3 + ["citation", "done"]
    assert json.loads(events[-1][1]) == whole
    assert (
        "".join(json.loads(data)["text"] for name, data in events if name == "token")
        == (whole["answer"])
    )
    cited = [json.loads(data) for name, data in events if name == "citation"]
    assert cited == whole["citations"]


def test_an_answer_that_is_not_stored_says_so_in_every_form(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    whole = client.post("/kb/reports/ask", json=QUESTION).json()
    assert (whole["stored"], whole["not_stored"]) == (True, None)
    service.answering.not_stored = NotStored("disk_full", "the disk is full")
    reason = {"code": "disk_full", "message": "the disk is full"}
    whole = client.post("/kb/reports/ask", json=QUESTION).json()
    assert (whole["stored"], whole["not_stored"]) == (False, reason)
    assert json.loads(streamed(client)[-1][1]) == whole
    chat = {"model": "kb:reports", "messages": [{"role": "user", "content": "When?"}]}
    completion = client.post("/v1/chat/completions", json=chat).json()
    assert (completion["kb_stored"], completion["kb_not_stored"]) == (False, reason)


def test_an_answer_has_every_field_of_the_contract(client: TestClient, kb_id: str) -> None:
    answer = client.post("/kb/reports/ask", json=QUESTION).json()
    assert answer.keys() >= ANSWER_FIELDS
    assert answer["answer"] == "".join(WORDS)
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "cached_tokens": 0}
    citation = answer["citations"][0]
    assert citation["source"] == {
        "start": 0,
        "end": 25,
        "pages": [{"page_number": 2, "boxes": [[1.0, 2.0, 3.0, 4.0]], "confidence": None}],
    }
    assert citation["answer"] == {"start": 0, "end": 25}
    assert citation["revision"] == "ab" * 32
    assert answer["passages"][0].keys() >= {
        "number", "chunk_id", "document_id", "title", "text", "score",
    }  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"question": ""}, "question_empty"),
        ({"question": "  \n"}, "question_empty"),
        ({"question": "q" * 50_000}, "question_too_long"),
        ({"top_k": 0}, "top_k_out_of_range"),
        ({"temperature": 3}, "temperature_out_of_range"),
        ({"max_tokens": 0}, "max_tokens_out_of_range"),
        ({"seed": -1}, "seed_out_of_range"),
        ({"seed": "7"}, "invalid_request"),
        ({"colour": 1}, "invalid_request"),
    ],
)
def test_a_bad_question_is_refused_before_anything_streams(
    client: TestClient, kb_id: str, changes: dict[str, object], code: str, stream: bool
) -> None:
    response = client.post("/kb/reports/ask", json={**QUESTION, **changes, "stream": stream})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == code


def test_a_failure_in_the_stream_becomes_one_error_event(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.fails_with = GenerationError("the model broke")
    events = streamed(client)
    assert [name for name, _ in events] == ["status", "token", "error"]
    error = json.loads(events[-1][1])["error"]
    assert error.keys() == {"code", "message", "details", "request_id"}
    assert error["code"] == "generation_failed"


def test_an_unexpected_failure_in_the_stream_tells_no_secret(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.fails_with = RuntimeError("swordfish")
    events = streamed(client)
    assert json.loads(events[-1][1])["error"]["code"] == "internal_error"
    assert "swordfish" not in events[-1][1]


def test_a_failure_without_a_stream_has_its_status(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.fails_with = GenerationError("too long", code="prompt_too_long")
    response = client.post("/kb/reports/ask", json=QUESTION)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "prompt_too_long")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_closes_the_generation(
    app: FastAPI, service: ApiService, kb_id: str, stream: bool
) -> None:
    service.answering.waits_for = threading.Event()
    leaving: dict[str, object] = {"leaves_when": service.answering.began}
    if stream:
        leaving = {"leaves_after": 3}
    body = json.dumps({**QUESTION, "stream": stream}).encode()
    call = Call("POST", f"/kb/{kb_id}/ask", body, **leaving)  # type: ignore[arg-type]  # either field
    asyncio.run(call.run(app))
    assert service.answering.was_closed.wait(10)
    assert not any(b"event: done" in piece for piece in call.pieces)


def test_answers_are_shown_with_their_audit_record(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    from dataclasses import replace

    answer = replace(sample_answer(kb_id), citations=(), passages=())
    service.answers.save_turn(answer, sample_audit())
    shown = client.get("/answers/ans_1").json()
    assert shown["answer"] == "".join(WORDS)
    assert shown["audit"]["prompt_token_ids"] == [1, 2, 3]
    assert shown["audit"]["model_sha256"] == "m" * 64
    assert shown["audit"]["seed"] == 7
    assert shown["audit"]["sampling"] == {"temperature": 0.0}
    read = {"model": "cross", "candidates": 20, "scored": 15}
    assert shown["audit"]["rerank"] == read


def test_feedback_is_kept_and_checked(client: TestClient, service: ApiService, kb_id: str) -> None:
    service.answers.save_turn(sample_answer(kb_id), sample_audit())
    path = "/answers/ans_1/feedback"
    assert client.get("/answers/ans_1").json()["feedback"] is None
    assert client.post(path, json={"rating": "up", "comment": "对"}).status_code == 204
    shown = client.get("/answers/ans_1").json()
    assert shown["feedback"] == {"rating": "up", "comment": "对"}
    assert client.post(path, json={"rating": "sideways"}).status_code == 422
    assert client.post("/answers/x/feedback", json={"rating": "up"}).status_code == 404


def test_conversations_are_listed_shown_and_deleted(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    answer = sample_answer(kb_id)
    service.answers.save_turn(answer, sample_audit())
    path = f"/conversations/{answer.conversation_id}"
    listed = client.get("/conversations", params={"kb": "reports"}).json()["items"]
    shown = client.get(path).json()
    assert listed == [shown]
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_pump_runs_its_generator_in_one_thread_and_closes_it_there() -> None:
    threads: list[int] = []

    def numbers() -> object:
        try:
            for number in range(100):
                threads.append(threading.get_ident())
                yield number
        finally:
            threads.append(threading.get_ident())

    async def read_three() -> list[int]:
        pump = EventPump[int](numbers)  # type: ignore[arg-type]  # a generator of ints
        pump.start()
        read = [await pump.next_event() for _ in range(3)]
        pump.stop()
        await asyncio.to_thread(pump._thread.join, 2)
        return read

    assert asyncio.run(read_three()) == [0, 1, 2]
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


def test_a_slow_stream_is_kept_alive() -> None:
    async def collect() -> list[int | None]:
        left = [1, 2]

        async def next_event() -> int:
            if not left:
                raise StopAsyncIteration
            await asyncio.sleep(0.05)
            return left.pop(0)

        return [event async for event in with_keep_alive(next_event, interval_s=0.02)]

    events = asyncio.run(collect())
    assert [event for event in events if event is not None] == [1, 2]
    assert None in events


def test_kb_errors_of_the_generator_reach_the_reader() -> None:
    def failing() -> object:
        yield 1
        raise KbError("broken")

    async def read() -> None:
        pump = EventPump[int](failing)  # type: ignore[arg-type]  # a generator of ints
        pump.start()
        assert await pump.next_event() == 1
        with pytest.raises(KbError, match="broken"):
            await pump.next_event()

    asyncio.run(read())
