"""Processes that answer beside a real server: the same answers, whichever answers, whoever dies."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.same_answers import kept
from benchmarks.service import Service, running_service

NUM_QUESTIONS = 50
NUM_CLIENTS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path) -> Path:
    """A data folder with the demo documents in the base `demo`."""
    made = tmp_path_factory.mktemp("answerers") / "data"
    with running_service(made, KB_SERVER__ANSWERERS="0") as service:
        kb = service.create_kb("demo")
        files = [(path.name, path.read_bytes()) for path in sorted(demo_folder.glob("*.pdf"))]
        service.upload(kb, files)
        assert {item["status"] for item in service.wait_idle(kb, 300)} == {"ready"}
        while any(item["vectors"] != "ready" for item in service.documents(kb)):
            time.sleep(0.2)
    return made


@pytest.fixture(scope="module")
def questions(demo_folder: Path) -> list[str]:
    lines = (demo_folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines][:NUM_QUESTIONS]


@pytest.fixture(scope="module")
def expected(folder: Path, questions: list[str]) -> dict[str, dict[str, Any]]:
    """What the server answers alone."""
    with running_service(folder, KB_SERVER__ANSWERERS="0") as service:
        assert not answerers(service)
        return {question: kept(asked(service, question)) for question in questions}


@pytest.fixture(scope="module")
def service(folder: Path, expected: object) -> Iterator[Service]:
    with running_service(folder, KB_SERVER__ANSWERERS="2") as running:
        until_ready(running, 2)
        yield running


def asked(service: Service, question: str, **more: object) -> dict[str, Any]:
    reply = service.client.post("/kb/demo/ask", json={"question": question, **more})
    answer: dict[str, Any] = reply.raise_for_status().json()
    return answer


def answerers(service: Service) -> list[int]:
    command = ["ps", "-o", "pid=,args=", "--ppid", str(service.pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if " answerer " in line]


def until_ready(service: Service, num: int) -> None:
    """Wait until so many said that they are ready since the server was made."""
    end = time.monotonic() + 120
    while service._log.read_text().count("an answering process is ready") < num:
        assert time.monotonic() < end
        time.sleep(0.1)


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_process_beside_the_server_gives_the_same_answers(
    service: Service, questions: list[str], expected: dict[str, Any]
) -> None:
    pids = answerers(service)
    assert len(pids) == 2
    before = sum(map(cpu_ticks, pids))
    given = {question: kept(asked(service, question)) for question in questions}
    assert given == expected
    assert {answer["status"] for answer in given.values()} >= {"answered"}
    assert sum(map(cpu_ticks, pids)) > before  # it was they who answered


def test_a_stream_is_the_answer_without_one_and_is_stored(
    service: Service, questions: list[str], expected: dict[str, Any]
) -> None:
    body = {"question": questions[0], "stream": True}
    text = service.client.post("/kb/demo/ask", json=body).raise_for_status().text
    events = [block.split("\n") for block in text.strip().split("\n\n") if "event:" in block]
    told = [(name[7:], json.loads(data[6:])) for name, data in events]
    name, answer = told[-1]
    assert name == "done"
    assert kept(answer) == expected[questions[0]]
    assert "".join(data["text"] for name, data in told if name == "token") == answer["answer"]
    stored = service.client.get(f"/answers/{answer['id']}").raise_for_status().json()
    assert stored["answer"] == answer["answer"]


def test_a_conversation_goes_on_in_whichever_process(service: Service) -> None:
    first = asked(service, "Where did the accident with NTSB number NYC08CA055 happen?")
    conversation = first["conversation_id"]
    second = asked(service, "And when did it happen?", conversation_id=conversation)
    assert second["conversation_id"] == conversation
    assert second["understood"]["carried"]
    cited = [{one["document_id"] for one in answer["citations"]} for answer in (first, second)]
    assert cited[0] == cited[1] != set()
    told = service.client.get(f"/conversations/{conversation}").raise_for_status().json()
    assert len(told["messages"]) == 4


def test_faults_of_a_request_have_their_own_status(service: Service) -> None:
    def status(path: str, body: dict[str, object]) -> tuple[int, str]:
        reply = service.client.post(f"/kb/demo/{path}", json=body)
        return reply.status_code, reply.json()["error"]["code"]

    unknown = {"question": "Why?", "conversation_id": "conv_none"}
    assert status("ask", unknown) == (404, "conversation_not_found")
    assert status("search", {"query": "pump", "top_k": 0})[0] == 422
    assert status("search", {"query": "pump", "as_of": "soon"}) == (422, "invalid_as_of")
    assert status("ask", {"question": "Why?", "as_of": 10**7}) == (422, "as_of_in_future")


def test_nothing_is_stored_for_a_client_that_left(service: Service, questions: list[str]) -> None:
    def num_stored() -> int:
        listed = service.client.get("/conversations", params={"limit": 1000})
        return len(listed.raise_for_status().json()["items"])

    before = num_stored()
    for question in questions[:5]:
        body = {"question": question, "stream": True}
        with service.client.stream("POST", "/kb/demo/ask", json=body) as response:
            next(response.iter_bytes())
    asked(service, questions[0])
    time.sleep(2)
    assert num_stored() <= before + 1 + 1  # one may have been ready before its client left


class Crowd:
    """Clients that ask the questions once, together."""

    def __init__(self, service: Service, questions: list[str]) -> None:
        self.given: dict[str, Any] = {}
        self.failed: list[str] = []
        self._base_url = service.client.base_url
        self._left, self._lock = iter(questions), threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(NUM_CLIENTS)]
        for thread in self._threads:
            thread.start()

    @property
    def is_asking(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _ask(self) -> None:
        with httpx.Client(base_url=self._base_url, timeout=300) as client:
            while (question := self._next()) is not None:
                reply = client.post("/kb/demo/ask", json={"question": question})
                if reply.status_code == httpx.codes.OK:
                    self.given[question] = kept(reply.json())
                else:
                    self.failed.append(reply.text)

    def _next(self) -> str | None:
        with self._lock:
            return next(self._left, None)


def test_killed_processes_cost_nobody_an_answer_and_come_back(
    service: Service, questions: list[str], expected: dict[str, Any]
) -> None:
    num_ready = service._log.read_text().count("an answering process is ready")
    crowd = Crowd(service, questions)
    num_killed = 0
    while crowd.is_asking:
        time.sleep(0.7)
        for pid in answerers(service)[: num_killed < 6]:
            os.kill(pid, signal.SIGKILL)
            num_killed += 1
    assert crowd.failed == []
    assert crowd.given == expected
    assert num_killed == 6
    assert "was lost" in service._log.read_text()
    until_ready(service, num_ready + 1)
    assert len(answerers(service)) == 2


def test_they_end_with_their_server_however_that_ends(folder: Path, service: Service) -> None:
    for way in ("stop", "kill"):
        with running_service(folder, KB_SERVER__ANSWERERS="1") as running:
            until_ready(running, 1)
            pids = answerers(running)
            if way == "kill":
                running.kill("server")
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < deadline
            time.sleep(0.1)
