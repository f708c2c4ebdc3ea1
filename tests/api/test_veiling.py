"""A stream is masked however its bytes are cut, and nothing of a failed one leaves."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from api.sse import KEEP_ALIVE, sse_data, sse_event
from api.veiling import VeiledStream
from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.services.veiled import Veiling
from kb_service.services.veils import MaskingService, Place
from kb_service.storage.maskings import KeptText, Maskings
from tests.api.asgi import events_of
from tests.api.service import ApiService

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))


@pytest.fixture
def stream(service: ApiService) -> VeiledStream:
    masking = MaskingService(Maskings(service.database), lambda _: [])
    return VeiledStream(Veiling(masking, {"kb_1": ALL}), "kb_1")


def event(name: str, value: Any) -> bytes:  # noqa: ANN401  JSON
    return sse_event(name, json.dumps(value, ensure_ascii=False).encode())


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_words_leave_with_the_last_event_however_the_bytes_are_cut(
    stream: VeiledStream, size: int
) -> None:
    words = ("报警人张伟的电话是13", "812", "345", "678，张伟", "在场。")
    sent = KEEP_ALIVE + b"".join(event("token", {"text": word}) for word in words)
    sent += event("status", {"phase": "writing"}) + event("done", {"answer": "".join(words)})
    told = b"".join(stream.feed(sent[at : at + size]) for at in range(0, len(sent), size))
    found = events_of(told.decode())
    assert [name for name, _ in found] == ["status", "token", "done"]
    masked = "报警人张*的电话是138****5678，张*在场。"
    assert json.loads(found[1][1]) == {"text": masked}
    assert json.loads(found[2][1]) == {"answer": masked}


def test_words_before_an_error_do_not_leave(stream: VeiledStream) -> None:
    sent = event("token", {"text": "电话138"}) + event("error", {"error": {"message": "x"}})
    assert [name for name, _ in events_of(stream.feed(sent).decode())] == ["error"]


def test_chunks_of_a_completion_are_one_chunk_before_the_last(stream: VeiledStream) -> None:
    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse_data(json.dumps({"id": "c", "choices": [choice]}).encode())

    sent = chunk({"role": "assistant", "content": ""})
    sent += chunk({"content": "call 212-555"}) + chunk({"content": "-0188 now"})
    sent += chunk({}, "stop") + sse_data(b"[DONE]")
    told = stream.feed(sent).decode().split("\n\n")
    assert told[-2:] == ["data: [DONE]", ""]
    deltas = [json.loads(one[6:])["choices"][0]["delta"] for one in told[:-2]]
    assert [delta.get("content") for delta in deltas] == ["", "call 212-***-**** now", None]


def test_news_of_jobs_read_no_marks_and_are_not_kept(
    stream: VeiledStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Place] = []

    def texts(_: Maskings, kb_id: str, places: Iterable[Place]) -> list[KeptText]:
        asked.extend(places)
        return []

    monkeypatch.setattr(Maskings, "texts", texts)
    job = {"id": "job_1", "kb_id": "kb_1", "document_id": "doc_1", "status": "done", "error": None}
    sent = event("job", job) + event("document", {"id": "doc_1", "kb_id": "kb_1"})
    assert stream.feed(sent) == sent
    assert asked == []
    failed = job | {"error": {"message": "电话13812345678"}}
    assert "138****5678" in stream.feed(event("job", failed)).decode()
    assert asked == [("doc_1", None)]
    asked.clear()
    stream.feed(event("token", {"text": "a"}) + event("done", {"answer": "a"}))
    assert asked == [("doc_1", None)]  # what is told of the answer is kept, no job that was well
