"""Lanes: a file that takes long holds nobody up, and nothing of it is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import KbError, ParseAccident, ParserFailed
from kb_service.domain.jobs import JobStage, JobStatus, Progress
from kb_service.services.uploads import UploadItem
from kb_service.services.worker import IngestWorker, LaneLimits
from tests.services.conftest import Desk
from tests.services.fakes import TextLoader

WITHIN_S = 120.0


class PatientLoader:
    """Holds every file whose text begins with HOLD until it is let go; counts its tries."""

    def __init__(self) -> None:
        self.is_let_go = threading.Event()
        self.tries: list[str] = []

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        self.tries.append(name)
        while path.read_text().startswith("HOLD") and not self.is_let_go.is_set():
            time.sleep(0.01)
            yield Progress(JobStage.LOAD, 0, 0)
        yield from TextLoader().load(path, name, media_type)


@pytest.fixture
def loader() -> PatientLoader:
    return PatientLoader()


@pytest.fixture
def worker(desk: Desk, loader: PatientLoader) -> Iterator[IngestWorker]:
    desk.worker._ingestion._loader = loader
    worker = IngestWorker(desk.jobs, desk.worker._ingestion, "w", 5, LaneLimits(turn_s=0.2))
    yield worker
    loader.is_let_go.set()
    worker.stop()


def status_of(desk: Desk, item: UploadItem) -> JobStatus:
    assert item.job is not None
    return desk.jobs.get(item.job.id).status


def work_until(worker: IngestWorker, is_reached: Callable[[], bool]) -> None:
    """Let the worker go on until something holds."""
    deadline = time.monotonic() + WITHIN_S
    while not is_reached():
        assert time.monotonic() < deadline
        worker.step()


def test_a_good_file_is_ready_while_the_slow_one_before_it_still_runs(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    slow, good = desk.upload("slow.txt", "HOLD"), desk.upload("good.txt", "water")
    work_until(worker, lambda: status_of(desk, good) is JobStatus.SUCCEEDED)
    assert status_of(desk, slow) is JobStatus.RUNNING
    loader.is_let_go.set()
    work_until(worker, lambda: status_of(desk, slow) is JobStatus.SUCCEEDED)
    assert loader.tries == ["slow.txt", "good.txt"]  # what was begun went on


def test_many_slow_files_let_every_good_one_pass_and_are_all_done_in_the_end(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    slow = [desk.upload(f"slow{number}.txt", f"HOLD {number}") for number in range(4)]
    good = [desk.upload(f"good{number}.txt", f"water {number}") for number in range(4)]
    work_until(worker, lambda: all(status_of(desk, item) is JobStatus.SUCCEEDED for item in good))
    assert sum(worker._num_turns.values()) >= 3  # the first took the slow lane
    loader.is_let_go.set()
    work_until(worker, lambda: all(status_of(desk, item) is JobStatus.SUCCEEDED for item in slow))
    assert worker._num_turns == {}


class StubbornLoader(PatientLoader):
    """Says nothing while it holds a file whose text has STUBBORN in it: nobody can stop it."""

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        if "STUBBORN" in path.read_text():
            self.tries.append(name)
            self.is_let_go.wait(WITHIN_S)
            yield from TextLoader().load(path, name, media_type)
        else:
            yield from super().load(path, name, media_type)


def test_the_next_file_begins_while_one_that_was_put_off_still_ends(
    desk: Desk, worker: IngestWorker
) -> None:
    stubborn = StubbornLoader()
    desk.worker._ingestion._loader = stubborn
    for number in range(3):
        desk.upload(f"{number}.txt", f"STUBBORN {number}" if number else "HOLD")
    good = desk.upload("good.txt", "water")
    work_until(worker, lambda: len(stubborn.tries) == 3)
    reached = time.monotonic()
    work_until(worker, lambda: time.monotonic() - reached > 0.8)
    # One in the slow lane, one that ends, one in the fast lane, and no more at a time.
    assert stubborn.tries == ["0.txt", "1.txt", "2.txt"]
    assert status_of(desk, good) is JobStatus.QUEUED
    stubborn.is_let_go.set()
    work_until(worker, lambda: worker.is_idle and status_of(desk, good) is JobStatus.SUCCEEDED)


def test_turns_grow_so_that_no_file_is_begun_again_without_end(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    for number in range(4):
        desk.upload(f"{number}.txt", f"HOLD {number}")
    started = time.monotonic()
    work_until(worker, lambda: time.monotonic() - started > 5)
    assert max(loader.tries.count(f"{number}.txt") for number in range(4)) <= 5


def test_a_file_that_was_put_off_has_used_up_no_attempt(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    items = [desk.upload(f"{number}.txt", f"HOLD {number}") for number in range(3)]
    work_until(worker, lambda: len(worker._put_off) >= 1)
    worker.stop(finish_s=0)
    assert {status_of(desk, item) for item in items} == {JobStatus.QUEUED}
    loader.is_let_go.set()
    other = IngestWorker(desk.jobs, desk.worker._ingestion, "other", 5)
    work_until(other, lambda: all(status_of(desk, item) is JobStatus.SUCCEEDED for item in items))


def test_a_slow_file_alone_is_not_put_off(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    items = [desk.upload(f"{number}.txt", f"HOLD {number}") for number in range(2)]
    started = time.monotonic()
    work_until(worker, lambda: time.monotonic() - started > 1)
    assert {status_of(desk, item) for item in items} == {JobStatus.RUNNING}
    assert loader.tries == ["0.txt", "1.txt"]


def test_a_cancelled_file_that_was_put_off_is_forgotten(
    desk: Desk, worker: IngestWorker, loader: PatientLoader
) -> None:
    for number in range(3):
        desk.upload(f"{number}.txt", f"HOLD {number}")
    work_until(worker, lambda: len(worker._put_off) == 1)
    for job_id in worker._put_off:
        desk.jobs.cancel(job_id)
    loader.is_let_go.set()
    work_until(worker, lambda: worker.is_idle and not worker._put_off)


class DyingLoader:
    """Ends every load with the next of its errors."""

    def __init__(self, *errors: KbError) -> None:
        self.errors = list(errors)

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        yield Progress(JobStage.LOAD, 0, 1)
        raise self.errors.pop(0)


def crash(exit_status: int) -> ParseAccident:
    return ParseAccident("died", details={"exit_status": exit_status})


def failed_at(place: str) -> ParserFailed:
    return ParserFailed("failed", details={"exception": "KeyError", "raised_at": place})


@pytest.mark.parametrize(
    ("errors", "num_tries"),
    [
        ([crash(-11), crash(-11), crash(-11)], 2),
        ([crash(-11), crash(-6), crash(-11)], 3),
        ([failed_at("a.py:1"), failed_at("a.py:1"), failed_at("a.py:1")], 2),
        ([failed_at("a.py:1"), failed_at("b.py:2"), failed_at("a.py:1")], 3),
        ([ParseAccident("late", code="parse_timeout")] * 3, 2),
    ],
)
def test_the_same_death_twice_is_poison_and_another_one_bad_luck(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, errors: list[KbError], num_tries: int
) -> None:
    monkeypatch.setattr("kb_service.storage.jobs.queue.FIRST_RETRY_S", 0.0)
    desk.jobs._max_attempts = 3
    dying = DyingLoader(*errors)
    desk.worker._ingestion._loader = dying
    item = desk.upload("a.txt", "text")
    work_until(desk.worker, lambda: status_of(desk, item) is JobStatus.DEAD)
    assert len(errors) - len(dying.errors) == num_tries
