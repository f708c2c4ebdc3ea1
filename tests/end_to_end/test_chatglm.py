"""With KB_LLM__MODEL set, a question goes through prompt, decode loop, stream and citations."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.service import Service, running_service
from tests.end_to_end.scripted_checkpoint import write_scripted_checkpoint
from tests.end_to_end.test_answers import sse_events

SAID = "某化工厂发生泄漏事故，造成三人受伤。"
REPORT = f"# 事故通报\n\n二〇二三年五月，{SAID}\n\n直接经济损失约一百二十万元。"
QUESTION = "化工厂泄漏事故造成几人受伤？"


@pytest.fixture(scope="module")
def chatglm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("chatglm")
    folder = write_scripted_checkpoint(place / "chatglm3-tiny", SAID)
    with running_service(place / "data", KB_LLM__MODEL=str(folder)) as service:
        kb = service.create_kb("demo")
        service.upload(kb, [("report.md", REPORT.encode())])
        service.wait_idle(kb)
        yield service


@pytest.fixture(scope="module")
def remote(chatglm: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A second service whose model is the first service."""
    data = tmp_path_factory.mktemp("remote") / "data"
    address = f"http://127.0.0.1:{chatglm.port}/v1"
    with running_service(data, KB_LLM__MODEL=address, KB_LLM__NAME="chatglm3-tiny") as service:
        kb = service.create_kb("demo")
        service.upload(kb, [("report.md", REPORT.encode())])
        service.wait_idle(kb)
        yield service


def ask(service: Service) -> dict[str, Any]:
    response = service.client.post("/kb/demo/ask", json={"question": QUESTION, "temperature": 0})
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


def test_the_models_sentence_is_cited_by_the_system(chatglm: Service) -> None:
    answer = ask(chatglm)
    assert (answer["status"], answer["answer"]) == ("answered", SAID)
    assert answer["model"] == "chatglm3-tiny"
    citation = answer["citations"][0]
    assert citation["status"] == "verified"
    assert citation["cited_text"] in REPORT
    assert answer["usage"]["completion_tokens"] > 5


def test_the_audit_record_holds_the_prompt_that_the_command_line_prints(chatglm: Service) -> None:
    saved = chatglm.client.get(f"/answers/{ask(chatglm)['id']}").raise_for_status().json()
    printed = json.loads(chatglm.cli("prompt-ids", QUESTION, "--kb", "demo", "--json").stdout)
    segments = printed["segments"]
    assert [segment["role"] for segment in segments] == ["prefix", "system", "user", "reply"]
    ids = [number for segment in segments for number in segment["ids"]]
    assert saved["audit"]["prompt_token_ids"] == ids
    assert saved["usage"]["prompt_tokens"] == len(ids)


def test_the_stream_carries_the_same_answer(chatglm: Service) -> None:
    body = {"question": QUESTION, "temperature": 0, "stream": True}
    with chatglm.client.stream("POST", "/kb/demo/ask", json=body) as response:
        events = list(sse_events(response.iter_lines()))
    assert "".join(data["text"] for name, data in events if name == "token") == SAID
    assert events[-1][1]["citations"][0]["cited_text"] == ask(chatglm)["citations"][0]["cited_text"]


def test_the_page_is_told_which_model_answers(chatglm: Service) -> None:
    generator = chatglm.client.get("/readyz").raise_for_status().json()["generator"]
    assert generator["kind"] == "chatglm"


def complete(service: Service, **changes: object) -> dict[str, Any]:
    messages = [{"role": "user", "content": QUESTION}]
    body = {"model": "chatglm3-tiny", "messages": messages, "temperature": 0} | changes
    response = service.client.post("/v1/chat/completions", json=body)
    completion: dict[str, Any] = response.raise_for_status().json()
    return completion


@pytest.mark.parametrize("name", ["chatglm", "remote"])
def test_the_model_chats_under_its_own_name_from_near_and_far(
    request: pytest.FixtureRequest, name: str
) -> None:
    service: Service = request.getfixturevalue(name)
    assert complete(service)["choices"][0]["message"]["content"] == SAID
    cut = complete(service, stop="，", logprobs=True)
    assert cut["choices"][0]["message"]["content"] == SAID.partition("，")[0]
    first = cut["choices"][0]["logprobs"]["content"][0]
    assert first["logprob"] < 0
    from_base = complete(service, model="kb:demo")
    assert from_base["choices"][0]["message"]["content"] == SAID
    assert from_base["kb_citations"][0]["cited_text"] in REPORT


def test_the_audit_record_of_a_remote_answer_claims_no_token_ids(remote: Service) -> None:
    answer = ask(remote)
    assert (answer["status"], answer["answer"], answer["model"]) == (
        "answered", SAID, "chatglm3-tiny",
    )  # fmt: skip
    audit = remote.client.get(f"/answers/{answer['id']}").raise_for_status().json()["audit"]
    assert (audit["prompt_token_ids"], audit["model_sha256"]) == ([], "")
    assert audit["sampling"]["temperature"] == 0.0
    assert remote.client.get("/readyz").json()["generator"]["kind"] == "remote"
