"""What a worker does before its first job."""

import threading
from types import SimpleNamespace
from typing import Any

from kb_service.services.starting import StartService


def test_a_worker_takes_jobs_while_what_their_files_need_is_still_loading() -> None:
    has_worked, is_loaded = threading.Event(), threading.Event()

    def warm_up() -> None:
        assert has_worked.wait(20)
        is_loaded.set()

    nothing: Any = SimpleNamespace()
    storage: Any = SimpleNamespace(database=SimpleNamespace(refusal=None))
    jobs: Any = SimpleNamespace(leaseholders=list)
    worker: Any = SimpleNamespace(run_until=lambda _is_stopped: has_worked.set())

    def post(*_: object) -> None:
        """Nothing to post."""

    kept: list[str] = []
    start = StartService(
        storage,
        nothing,
        nothing,
        nothing,
        jobs,
        lambda: worker,
        warm_up,
        post,
        lambda: kept.append("indexes"),
    )
    start.work_until(lambda: True, str)
    assert is_loaded.wait(20)
    assert kept == ["indexes"]
