"""What becomes of jobs, pages and questions while a cluster is away. Needs no Ray."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.reading import PageReader
from kb_service.bootstrap import find_faults, open_services
from kb_service.cluster import pool as pool_module
from kb_service.cluster.pool import ActorPool
from kb_service.cluster_settings import RaySettings
from kb_service.domain.errors import ComputeError
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.ingest_limits import lane_limits
from kb_service.services.parts import Part
from kb_service.services.searching import SearchRequest
from kb_service.settings import IngestSettings, Settings
from kb_service.storage.jobs import queue
from tests.cluster.near_pool import NearPool

AWAY = RaySettings(address="ray://127.0.0.1:9", actors=2, start_s=5)


class Desk:
    """A service whose cluster is nowhere, with its worker."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, ray=AWAY)
        self.services = open_services(self.settings)
        self.base = self.services.bases.create("reports")
        self.ended = threading.Event()
        worker = self.services.starting.worker()
        self.thread = threading.Thread(target=worker.run_until, args=(self.ended.is_set,))
        self.thread.start()

    def upload(self, path: Path, words: str) -> Callable[[], IngestJob]:
        path.write_text(words)
        with path.open("rb") as stream:
            item = self.services.uploads.accept(self.base.id, path.name, stream)
        assert item.job
        job_id = item.job.id
        return lambda: self.services.jobs.show(job_id)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data")
    yield opened
    opened.ended.set()
    opened.thread.join()
    opened.services.close()


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def use(near: NearPool, monkeypatch: pytest.MonkeyPatch, fails: list[str]) -> None:
    """Have the pool be an actor of this process, which is lost for each command in `fails`."""

    def ask(
        _pool: ActorPool, request: Mapping[str, Any]
    ) -> Generator[dict[str, Any] | None, None, None]:
        if request["command"] in fails:
            fails.remove(request["command"])
            raise ComputeError("the actor was lost")
        yield from near.ask(request)

    monkeypatch.setattr(ActorPool, "ask", ask)


def test_jobs_wait_for_an_absent_cluster_and_questions_do_not(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = desk.upload(tmp_path / "a.txt", "The pump of hall 3 failed.")
    wait_for(lambda: job().status is JobStatus.FAILED)
    error = job().error or {}
    assert (error["code"], job().attempt, job().finished_at) == ("compute_unavailable", 0, None)
    assert desk.services.searching.search(SearchRequest(desk.base.id, "pump")).items == ()
    desk.services.readiness.warm_up()
    status = desk.services.readiness.status()
    assert status.impaired["ray"].code == "compute_unavailable"
    assert not status.missing
    found = {found.name: found for found in find_faults(desk.settings)}["ray"]
    assert not found.is_ok
    near = NearPool()
    use(near, monkeypatch, [])
    desk.services.jobs.retry(job().id)
    wait_for(lambda: job().status is JobStatus.SUCCEEDED)
    assert desk.services.searching.search(SearchRequest(desk.base.id, "pump")).items
    near.actor.close()


def test_a_lost_actor_costs_one_of_the_attempts(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "FIRST_RETRY_S", 1.0)
    near, fails = NearPool(), ["load"]
    use(near, monkeypatch, fails)
    job = desk.upload(tmp_path / "a.txt", "The pump of hall 3 failed.")
    wait_for(lambda: job().status is JobStatus.FAILED)
    assert ((job().error or {})["code"], job().attempt) == ("compute_lost", 1)
    wait_for(lambda: job().status is JobStatus.SUCCEEDED)
    assert job().attempt == 2
    near.actor.close()


def test_a_lost_actor_is_no_fault_of_the_page_that_it_read(tmp_path: Path) -> None:
    class Lost:
        def run(self, request: Mapping[str, object], name: str) -> Iterator[None]:
            raise ComputeError(f"lost over {name}")
            yield

    steps = PageReader(Lost()).read(tmp_path, "a", types.PNG, [1, 2], tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ComputeError):
        list(steps)
    assert not list(tmp_path.iterdir())


def test_an_absent_cluster_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, asked = ActorPool(AWAY), []

    def rented(_pool: ActorPool) -> None:
        asked.append(1)
        raise ComputeError("nobody there", code="compute_unavailable")

    monkeypatch.setattr(ActorPool, "_rented", rented)
    for _ in range(3):
        with pytest.raises(ComputeError, match="nobody there"):
            pool.check()
    assert len(asked) == 1
    monkeypatch.setattr(pool_module, "REST_S", 0.0)
    with pytest.raises(ComputeError):
        pool.check()
    assert len(asked) == 2
    pool.close()


def test_as_many_files_are_read_at_a_time_as_there_are_actors() -> None:
    ray = RaySettings(address="local", actors=9)
    assert lane_limits(IngestSettings(), ray).max_slow == 8  # and the fast lane
    assert lane_limits(IngestSettings(slow_lanes=3), ray).max_slow == 3
    assert lane_limits(IngestSettings(), RaySettings()) == lane_limits(IngestSettings())


@pytest.mark.parametrize(
    "address", ["", "local", "ray://h:10001", "10.0.0.1:6379", "ray://[::1]:1"]
)
def test_addresses_of_clusters(address: str) -> None:
    assert RaySettings(address=address).address == address


@pytest.mark.parametrize(
    "wrong",
    [{"address": "http://h:1"}, {"address": "h"}, {"address": "auto"}, {"actors": 0},
     {"actors": 257}, {"cpus": 0}, {"cpus": 65}, {"start_s": 4}, {"start_s": 601}],
)  # fmt: skip
def test_settings_outside_their_ranges_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RaySettings(**wrong)


def test_nothing_of_a_cluster_is_made_without_an_address(tmp_path: Path) -> None:
    from kb_service.model_parts import build_models
    from kb_service.parts import build_parts

    settings = Settings(data_dir=tmp_path)
    parts = build_parts(settings, build_models(settings))
    parts.loader()
    assert isinstance(parts.actors, Part)
    assert parts.actors.built is None
    assert parts.outages()["ray"] is None
    assert ParseLimits() == parts.loader()._limits
    parts.close()
