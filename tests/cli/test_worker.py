"""A worker beside a server leaves the cores to questions, with all its threads and children."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.services.keeping import INGESTING, step_back

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="a niceness of one thread is Linux's"
)


def niceness(thread: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "kb_service.cli"]
    environment = {**os.environ, "KB_DATA_DIR": str(tmp_path / "data")}
    report = tmp_path / "report.txt"
    report.write_text("A pump failed in hall 3.")
    subprocess.run([*command, "ingest", str(report), "--kb", "r"], env=environment, check=True)
    started = subprocess.Popen([*command, "worker"], env=environment)
    yield started
    started.terminate()
    assert started.wait(30) == 0


def children_of(parent: int) -> set[int]:
    threads = Path(f"/proc/{parent}/task").iterdir()
    return {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}


def test_everything_in_a_worker_steps_back_for_questions(
    worker: subprocess.Popen[bytes],
) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and not children_of(worker.pid):
        time.sleep(0.2)
    parsers = children_of(worker.pid)
    assert parsers, "nothing that parses was started"
    threads = {int(thread.name) for thread in Path(f"/proc/{worker.pid}/task").iterdir()}
    assert len(threads) > 1
    assert min(niceness(each) for each in parsers | threads) >= INGESTING


def test_a_thread_that_is_behind_already_does_not_step_forward() -> None:
    found: list[int] = []

    def look() -> None:
        step_back(19)
        step_back(INGESTING)
        found.append(niceness(threading.get_native_id()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [19]
