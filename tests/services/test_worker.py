"""How jobs end: searchable, failed with a reason, or given up without a trace."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.errors import LeaseLost
from kb_service.domain.jobs import JobStage, JobStatus, Progress
from kb_service.services import job_run
from kb_service.services.job_run import JobLease
from kb_service.services.worker import new_worker_id, release_dead_workers
from tests.services.conftest import Desk


def test_a_good_file_becomes_ready_and_a_bad_one_beside_it_fails_with_its_reason(
    desk: Desk,
) -> None:
    good, bad = desk.upload("good.txt", "water"), desk.upload("bad.txt", "BROKEN")
    run = desk.run(good, bad)
    assert run.num_succeeded == 1
    assert [failure["code"] for failure in run.failures] == ["corrupt_document"]
    statuses = {item.name: item.status for item in desk.catalog.documents.list(desk.base.id).items}
    assert statuses == {"good.txt": DocumentStatus.READY, "bad.txt": DocumentStatus.FAILED}


def test_a_file_that_kills_the_parser_is_dead_after_its_attempts(desk: Desk) -> None:
    run = desk.run(desk.upload("poison.txt", "CRASH"))
    assert [failure["code"] for failure in run.failures] == ["parse_crashed"]


@pytest.mark.parametrize(
    ("text", "status"), [("CRASH", JobStatus.FAILED), ("SLOW", JobStatus.DEAD)]
)
def test_a_crash_is_tried_again_and_a_file_past_its_time_limit_is_not(
    desk: Desk, text: str, status: JobStatus
) -> None:
    desk.jobs._max_attempts = 3
    item = desk.upload("a.txt", text)
    assert item.job is not None
    desk.worker.run_once()
    assert desk.jobs.get(item.job.id).status is status


def test_a_file_is_said_to_be_in_use_while_it_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []
    item = desk.upload("a.txt", "water")
    monkeypatch.setattr(desk.blobs, "in_use", used.append)
    assert desk.run(item).num_succeeded == 1
    assert item.job is not None
    assert used == [desk.blobs.path(item.job.blob_sha256)]


def test_bytes_that_changed_on_disk_are_not_read_and_the_same_upload_heals_them(
    desk: Desk,
) -> None:
    item = desk.upload("a.txt", "water")
    assert item.job is not None
    path = desk.blobs.path(item.job.blob_sha256)
    path.write_bytes(b"wine!")
    run = desk.run(item)
    assert [failure["code"] for failure in run.failures] == ["blob_damaged"]
    assert desk.run(desk.upload("a.txt", "water")).num_succeeded == 1
    assert path.read_bytes() == b"water"


def test_only_the_changed_paragraph_is_embedded_after_an_edit(desk: Desk) -> None:
    paragraphs = [f"paragraph {number} about the pump" for number in range(10)]
    desk.run(desk.upload("a.txt", "\n\n".join(paragraphs)))
    desk.embed()
    desk.embedder.embedded.clear()
    paragraphs[4] = "paragraph 4 about the valve"
    desk.run(desk.upload("a.txt", "\n\n".join(paragraphs)))
    desk.embed()
    assert desk.embedder.embedded == ["a\nparagraph 4 about the valve"]


def test_a_cancelled_job_stops_at_its_next_step(desk: Desk) -> None:
    item = desk.upload("a.txt", "text")
    claim = desk.jobs.claim("other")
    assert claim is not None
    assert item.job is not None
    desk.jobs.cancel(item.job.id)
    lease = JobLease(desk.jobs, claim, interval_s=60)
    with pytest.raises(LeaseLost):
        lease.report(Progress(JobStage.COMMIT, 0, 1))


def test_the_heartbeat_notices_that_a_job_was_taken_away(desk: Desk) -> None:
    item = desk.upload("a.txt", "text")
    claim = desk.jobs.claim("other")
    assert claim is not None
    assert item.job is not None
    with JobLease(desk.jobs, claim, interval_s=0.01) as lease:
        desk.jobs.cancel(item.job.id)
        lease._thread.join(5)
        with pytest.raises(LeaseLost):
            lease.report(Progress(JobStage.LOAD, 1, 2))


def test_the_jobs_of_a_dead_process_are_given_back_at_once(desk: Desk) -> None:
    item = desk.upload("a.txt", "text")
    host = os.uname().nodename
    assert desk.jobs.claim(f"{host}:{2**22 + 1}:dead") is not None
    assert release_dead_workers(desk.jobs) == 1
    assert item.job is not None
    assert desk.jobs.get(item.job.id).status is JobStatus.QUEUED


def test_the_jobs_of_a_living_process_and_of_other_hosts_are_left_alone(desk: Desk) -> None:
    desk.upload("a.txt", "text")
    desk.upload("b.txt", "text")
    parent = f"{os.uname().nodename}:{os.getppid()}:alive"
    assert desk.jobs.claim(parent) is not None
    assert desk.jobs.claim(f"elsewhere:{2**22 + 1}:x") is not None
    assert release_dead_workers(desk.jobs) == 0


def test_worker_names_differ_within_one_process() -> None:
    assert new_worker_id() != new_worker_id()


def test_a_document_deleted_while_its_job_waits_is_no_endless_wait(desk: Desk) -> None:
    item = desk.upload("a.txt", "text")
    assert item.document is not None
    desk.catalog.documents.delete(desk.base.id, item.document.id)
    run = desk.run(item)
    assert [failure["code"] for failure in run.failures] == ["job_not_found"]


def test_a_job_that_ends_soon_writes_its_claim_and_its_end_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_run, "MIN_REPORT_INTERVAL_S", 60)
    desk.upload("a.txt", "text")
    writes: list[str] = []
    write = desk.database.write

    @contextmanager
    def noted(*given: Any, **named: Any) -> Iterator[Connection]:  # noqa: ANN401
        writes.append("write")
        with write(*given, **named) as connection:
            yield connection

    with patch.object(desk.database, "write", noted):
        end = desk.worker.run_once()
    assert end is not None
    assert end.code == "succeeded"
    assert len(writes) == 2


def test_a_job_that_lasts_tells_what_it_does(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.upload("a.txt", "text")
    claim = desk.jobs.claim("one")
    assert claim is not None
    monkeypatch.setattr(job_run, "MIN_REPORT_INTERVAL_S", 0.05)
    with JobLease(desk.jobs, claim, interval_s=60) as lease:
        lease.report(Progress(JobStage.CHUNK, 0, 1))
        assert desk.jobs.get(claim.job.id).stage is JobStage.LOAD
        deadline = time.monotonic() + 20
        while desk.jobs.get(claim.job.id).stage is not JobStage.CHUNK:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        lease.report(Progress(JobStage.COMMIT, 0, 1))
        assert desk.jobs.get(claim.job.id).stage is JobStage.COMMIT
