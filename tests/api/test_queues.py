"""Pausing queues over HTTP: who may, what is told, and what is not touched by it."""

import re

import pytest
from starlette.testclient import TestClient

from kb_service.cli import app as commands
from kb_service.domain.people import Right, Rights
from kb_service.services.ingest_run import run_jobs
from tests.api.service import ApiService


@pytest.fixture
def waiting(client: TestClient, kb_id: str) -> str:
    """The id of a job that waits."""
    sent = client.post(f"/kb/{kb_id}/documents", files=[("files", ("a.txt", b"one"))]).json()
    return str(sent["items"][0]["job"]["id"])


def test_a_base_is_paused_by_whom_and_since_when(
    client: TestClient, service: ApiService, kb_id: str, waiting: str
) -> None:
    service.keys.add("admin", "", Rights(is_admin=True))
    rights = {right: Rights(by_base={kb_id: right}) for right in Right}
    keys = {
        right: {"x-api-key": service.keys.add(right, "", rights[right]).secret} for right in Right
    }
    path = f"/kb/{kb_id}/queue"
    assert client.post(f"{path}/pause", headers=keys[Right.WRITE]).status_code == 403
    paused = client.post(f"{path}/pause", headers=keys[Right.MANAGE]).json()["paused"]
    assert (paused["by"], paused["is_everywhere"]) == ("manage", False)
    assert client.get(path, headers=keys[Right.READ]).json() == {"paused": paused}
    listed = client.get(f"/kb/{kb_id}/documents", headers=keys[Right.READ]).json()
    assert (listed["paused"], listed["totals"]["pending"]) == (paused, 1)
    assert service.jobs.claim("worker-1") is None
    assert client.post("/queue/pause", headers=keys[Right.MANAGE]).status_code == 403
    assert client.post(f"{path}/resume", headers=keys[Right.MANAGE]).json() == {"paused": None}
    assert service.jobs.claim("worker-1") is not None


def test_the_whole_service_is_paused_and_only_told_of(
    client: TestClient, service: ApiService, kb_id: str, waiting: str
) -> None:
    ready = client.get("/readyz")
    client.post(f"/kb/{kb_id}/queue/pause")
    assert client.post("/queue/pause").json()["paused"]["is_everywhere"]
    still = client.post(f"/kb/{kb_id}/queue/resume").json()["paused"]
    assert still["is_everywhere"] and service.jobs.claim("worker-1") is None
    client.post(f"/kb/{kb_id}/queue/pause")
    told = client.get("/readyz")
    assert told.json() == ready.json() | {"paused": {"service": 1, "bases": 1}}
    assert told.status_code == ready.status_code
    metrics = client.get("/metrics").text
    assert re.findall(r'kb_paused\{scope="(\w+)"\} 1.0', metrics) == ["service", "bases"]
    assert client.post(f"/kb/{kb_id}/search", json={"query": "one"}).status_code == 200
    assert client.post(f"/jobs/{waiting}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/jobs/{waiting}/retry").json()["status"] == "queued"
    assert client.post("/queue/resume").json() == {"paused": None}
    assert service.jobs.claim("worker-1") is None
    client.post(f"/kb/{kb_id}/queue/resume")
    assert service.jobs.claim("worker-1") is not None


def test_who_waits_for_a_paused_queue_is_told_instead(
    client: TestClient, service: ApiService, kb_id: str, waiting: str
) -> None:
    class Idle:
        is_idle = True

        def step(self) -> None:
            return None

        def stop(self, finish_s: float) -> None:
            assert finish_s == 0

    client.post(f"/kb/{kb_id}/queue/pause")
    run = run_jobs(service.jobs, Idle, [waiting])  # type: ignore[arg-type,return-value]  # a worker that finds nothing
    assert [failure["code"] for failure in run.failures] == ["queue_paused"]
    assert run.num_succeeded == 0


def test_there_is_a_command_for_both() -> None:
    assert {"pause", "resume"} <= {command.name for command in commands.registered_commands}
