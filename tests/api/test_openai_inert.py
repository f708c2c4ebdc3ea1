"""What documents say is words to every client of the protocol: no tag, image or link."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.openai.events import Cited, Words, of_answer
from kb_service.domain.spans import TextSpan
from kb_service.services.asking import AskEvent, CitationEvent, TokenEvent
from tests.api.service import ApiService, sample_answer
from tests.api.test_chat_completions import PATH, chunks_of
from tests.domain.test_inert import ACTIVE, active_parts

QUESTION = {"role": "user", "content": "When did the pump fail?"}
BODY: dict[str, Any] = {"model": "kb:reports", "messages": [QUESTION]}


def say(service: ApiService, text: str) -> None:
    """Let the base answer with that text, in pieces of three characters."""
    service.answering.words = tuple(text[at : at + 3] for at in range(0, len(text), 3))


@pytest.mark.parametrize("name", ACTIVE)
def test_an_answer_carries_nothing_active(
    client: TestClient, service: ApiService, kb_id: str, name: str
) -> None:
    said = f"It reads {ACTIVE[name]} and so on."
    say(service, said)
    whole = client.post(PATH, json=BODY).json()
    content = whole["choices"][0]["message"]["content"]
    assert active_parts(content) == []
    assert content.replace(" ", "") == said.replace(" ", "")
    chunks = chunks_of(client.post(PATH, json=BODY | {"stream": True}).text)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content") or "" for delta in deltas) == content
    assert [c for chunk in chunks for c in chunk.get("kb_citations", ())] == whole["kb_citations"]


def test_citations_point_into_the_words_as_sent_and_keep_those_of_the_document(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    service.answering.title = "![t](http://127.0.0.1:9/t).pdf"
    text = "![a](http://127.0.0.1:9) <b>1</b> tail"
    say(service, text)
    body = client.post(PATH, json=BODY).json()
    message, (cited,) = body["choices"][0]["message"], body["kb_citations"]
    (annotation,) = message["annotations"]
    place = annotation["url_citation"]
    shown = message["content"][place["start_index"] : place["end_index"]]
    assert shown == "! [a] (http://127.0.0.1:9) "
    assert (cited["answer"]["start"], cited["answer"]["end"]) == (
        place["start_index"], place["end_index"],
    )  # fmt: skip
    assert cited["cited_text"] == text[:25]
    assert cited["title"] == place["title"] == "! [t] (http://127.0.0.1:9/t).pdf"


def test_places_of_unsupported_words_count_in_the_words_as_sent() -> None:
    text = "<b>1</b> tail"
    (cited,) = sample_answer("kb_1", words=(text,)).citations
    told = replace(cited, answer=TextSpan(0, 13), unsupported=(TextSpan(3, 4), TextSpan(9, 13)))

    def events() -> Generator[AskEvent, None, None]:
        yield TokenEvent(text)
        yield CitationEvent(told)

    words, shown = of_answer(events())
    assert isinstance(words, Words) and isinstance(shown, Cited)
    assert [span.of(words.text) for span in shown.citation.unsupported] == ["1", "tail"]


def test_the_services_own_api_serves_data_as_it_is(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    text = ACTIVE["an image"] + ACTIVE["a script"]
    say(service, text)
    answer = client.post("/kb/reports/ask", json={"question": QUESTION["content"]})
    assert answer.json()["answer"] == text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_plain_chat_passes_the_models_words_on(client: TestClient, service: ApiService) -> None:
    chat = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}
    content = client.post(PATH, json=chat).json()["choices"][0]["message"]["content"]
    assert content == "Hello there。"
