"""Waiting with words: a stream that begins at once, a queue that has an end, faults before both."""

import asyncio
import json
import threading
import time

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.slots import AskSlots
from api.sse import EventPump, beats_until, with_keep_alive
from kb_service.domain.errors import Busy, GenerationError
from tests.api.asgi import Call, events_of
from tests.api.service import ApiService
from tests.api.serving import serving

ASK = {"question": "When did the pump fail?", "stream": True}
CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
CHAT_OF_A_BASE = {**CHAT, "model": "kb:reports"}


def first_words(service: ApiService, path: str, body: dict[str, object], until: str) -> list[str]:
    """Return the lines that come before the generator makes its first word; then let it."""
    lines: list[str] = []
    with (
        serving(service) as served,
        httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=30) as client,
        client.stream("POST", path, json=body) as response,
    ):
        assert response.status_code == 200
        rest = response.iter_lines()
        for line in rest:
            lines.append(line)
            if until in line:
                break
        assert service.answering.starts_with is not None
        service.answering.starts_with.set()
        assert list(rest)
    return lines


@pytest.mark.parametrize(
    ("path", "body", "until"),
    [
        ("/kb/reports/ask", ASK, '{"phase":"retrieving"}'),
        ("/v1/chat/completions", CHAT, '"role"'),
        ("/v1/chat/completions", CHAT_OF_A_BASE, '"role"'),
    ],
    ids=["ask", "chat", "chat-of-a-base"],
)
def test_a_stream_begins_before_there_is_a_word(
    service: ApiService, path: str, body: dict[str, object], until: str
) -> None:
    service.catalog.bases.create("reports")
    service.answering.starts_with = service.chat.starts_with = threading.Event()
    lines = first_words(service, path, body, until)
    assert not any("event: token" in line or "Hello" in line for line in lines)


def test_a_stream_is_kept_alive_while_its_generator_blocks() -> None:
    blocked = threading.Event()

    def numbers() -> object:
        blocked.wait(20)
        yield 1

    async def collect() -> list[int | None]:
        pump = EventPump[int](numbers)  # type: ignore[arg-type]  # a generator of ints
        pump.start()
        seen: list[int | None] = []
        async for event in with_keep_alive(pump.next_event, interval_s=0.02):
            seen.append(event)
            if len(seen) == 3:
                blocked.set()
        return seen

    seen = asyncio.run(collect())
    assert seen[:3] == [None] * 3
    assert seen[-1] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_full_queue_is_503_at_once_and_says_when_to_come_back(
    app: FastAPI, client: TestClient, kb_id: str, stream: bool
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=0)
    response = client.post("/kb/reports/ask", json={**ASK, "stream": stream})
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "busy"
    assert "try again" in response.json()["error"]["message"]
    assert response.headers["retry-after"] == "5"
    assert response.json()["error"]["details"]["retry_after_s"] == 5


def test_a_completion_that_finds_a_full_queue_is_told_when_to_come_back(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=0)
    body = {**CHAT_OF_A_BASE, "stream": False}
    seconds = [client.post("/v1/chat/completions", json=body).headers["retry-after"] for _ in "ab"]
    assert seconds == ["5", "10"]  # who was refused before comes first


def test_a_turn_that_does_not_come_in_time_is_503(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=1, max_wait_s=0.05)
    response = client.post("/kb/reports/ask", json={**ASK, "stream": False})
    assert response.status_code == 503
    assert "none of them ended within 0.05 seconds" in response.json()["error"]["message"]


def test_a_stream_says_that_it_waits_and_when_its_turn_did_not_come(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=1, max_wait_s=0.05)
    response = client.post("/kb/reports/ask", json=ASK)
    assert response.status_code == 200
    assert response.text.startswith(":")
    (status, waiting), (error, busy) = events_of(response.text)
    in_line = {"phase": "waiting", "place": 1, "about_s": 5}
    assert (status, json.loads(waiting)) == ("status", in_line)
    assert (error, json.loads(busy)["error"]["code"]) == ("error", "busy")


@pytest.mark.parametrize("body", [CHAT, CHAT_OF_A_BASE])
def test_a_completion_that_waits_has_its_role_at_once(
    app: FastAPI, client: TestClient, kb_id: str, body: dict[str, object]
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=1, max_wait_s=0.05)
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    pieces = [line for line in response.text.splitlines() if line.startswith("data: ")]
    assert json.loads(pieces[0][6:])["choices"][0]["delta"]["role"] == "assistant"
    assert json.loads(pieces[-1][6:])["error"]["code"] == "busy"


def test_the_faults_of_a_request_are_told_by_status_though_all_slots_are_taken(
    app: FastAPI, client: TestClient, kb_id: str
) -> None:
    app.state.ask_slots = AskSlots(max_running=0, max_waiting=9)
    for changes, status in (({"question": ""}, 422), ({"top_k": 0}, 422)):
        response = client.post("/kb/reports/ask", json={**ASK, **changes})
        assert response.status_code == status
    assert client.post("/kb/absent/ask", json=ASK).status_code == 404


def test_a_fault_before_the_first_word_has_its_status_in_a_stream_too(
    client: TestClient, service: ApiService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chat(request: object) -> object:
        raise GenerationError("too long", code="prompt_too_long")
        yield

    monkeypatch.setattr(service.chat, "chat", chat)
    response = client.post("/v1/chat/completions", json=CHAT)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("leaves_after_s", [0.0, 0.05])
def test_a_client_that_leaves_the_queue_leaves_no_place_taken(
    app: FastAPI, service: ApiService, kb_id: str, stream: bool, leaves_after_s: float
) -> None:
    async def scenario() -> None:
        slots = app.state.ask_slots = AskSlots(max_running=1, max_waiting=5)
        first = slots.take()
        body = json.dumps({**ASK, "stream": stream}).encode()
        call = Call("POST", f"/kb/{kb_id}/ask", body, leaves_after_s=leaves_after_s)
        await call.run(app)
        assert not slots._waiting
        first.give_back()
        assert slots._num_running == 0

    asyncio.run(scenario())
    assert service.answering.requests[:1] == service.answering.requests


def test_slots_let_in_who_waited_longest_and_take_a_place_back_once() -> None:
    async def scenario() -> None:
        slots = AskSlots(max_running=1, max_waiting=2)
        first, second, third = slots.take(), slots.take(), slots.take()
        with pytest.raises(Busy, match="at most 2"):
            slots.take()
        assert (first.is_free, second.is_free, third.is_free) == (True, False, False)
        second.give_back()
        second.give_back()
        first.give_back()
        first.give_back()
        assert third.is_free
        await asyncio.wait_for(third.ready(), 1)
        fourth = slots.take()
        assert not fourth.is_free
        third.give_back()
        assert fourth.is_free

    asyncio.run(scenario())


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ended_every(slots: AskSlots, clock: Clock, seconds: float, times: int) -> None:
    """Let one question after the other end while all places are taken."""
    running = slots.take()
    for _ in range(times):
        following = slots.take()
        clock.now += seconds
        running.give_back()
        running = following


def test_who_waits_is_told_the_place_and_the_seconds_by_the_pace_of_the_last_answers() -> None:
    async def scenario() -> None:
        clock = Clock()
        slots = AskSlots(max_running=1, clock=clock)
        ended_every(slots, clock, 2.0, times=3)
        first, second, third = slots.take(), slots.take(), slots.take()
        told = [(slot.place.number, slot.place.about_s) for slot in (first, second, third)]
        assert told == [(1, 2), (2, 4), (3, 6)]
        second.give_back()
        assert third.place.number == 2

    asyncio.run(scenario())


def test_hours_in_which_nobody_asked_do_not_count_as_slow() -> None:
    async def scenario() -> None:
        clock = Clock()
        slots = AskSlots(max_running=1, clock=clock)
        for _ in range(3):
            slot = slots.take()
            clock.now += 1.0
            slot.give_back()
            clock.now += 3600.0
        slots.take()
        assert slots.take().place.about_s == 1

    asyncio.run(scenario())


def test_those_who_are_refused_together_are_told_one_moment_after_the_other() -> None:
    async def scenario() -> None:
        clock = Clock()
        slots = AskSlots(max_running=1, max_waiting=1, clock=clock)
        ended_every(slots, clock, 2.0, times=2)
        assert not slots.take().is_free

        def seconds() -> object:
            with pytest.raises(Busy) as refused:
                slots.take()
            return (refused.value.details or {})["retry_after_s"]

        assert [seconds() for _ in range(3)] == [2, 4, 6]
        clock.now += 4
        assert [seconds() for _ in range(40)][::39] == [4, 60]  # never longer than a minute

    asyncio.run(scenario())


def test_beats_come_until_the_work_is_done_and_end_with_its_fault() -> None:
    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise Busy("no turn")

    async def scenario() -> int:
        num = 0
        with pytest.raises(Busy):
            async for _ in beats_until(fail(), interval_s=0.02):
                num += 1
        return num

    began = time.monotonic()
    assert asyncio.run(scenario()) >= 1
    assert time.monotonic() - began >= 0.1
