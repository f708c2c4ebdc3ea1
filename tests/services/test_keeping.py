"""Indexes are kept by a thread of their own, and no job waits for it."""

import threading

from kb_service.domain.errors import StorageError
from kb_service.services.keeping import IndexKeeper


def test_before_it_begins_a_base_is_published_at_once() -> None:
    published: list[str] = []
    IndexKeeper(published.append, lambda _: False).refresh("kb_a")
    assert published == ["kb_a"]


def test_a_job_goes_on_while_an_index_is_published_and_merged() -> None:
    done: list[tuple[str, str]] = []
    may_publish, is_over = threading.Event(), threading.Event()
    waiting = 2

    def refresh(kb_id: str) -> None:
        assert may_publish.wait(20)
        done.append(("refresh", kb_id))

    def tend(kb_id: str) -> bool:
        nonlocal waiting
        done.append(("tend", kb_id))
        waiting -= 1
        if waiting < 0:
            is_over.set()
        return waiting >= 0

    keeper = IndexKeeper(refresh, tend, pause_s=0)
    keeper.begin()
    for _ in range(5):
        keeper.refresh("kb_a")
    assert done == []
    may_publish.set()
    assert is_over.wait(20)
    assert [verb for verb, _ in done].count("tend") == 3


def test_an_index_that_cannot_be_published_does_not_end_the_keeping() -> None:
    is_over = threading.Event()

    def refresh(kb_id: str) -> None:
        if kb_id == "kb_bad":
            raise StorageError("full", code="disk_full")
        is_over.set()

    keeper = IndexKeeper(refresh, lambda _: False, pause_s=0)
    keeper.begin()
    keeper.refresh("kb_bad")
    keeper.refresh("kb_good")
    assert is_over.wait(20)


def test_what_comes_in_during_a_pause_is_brought_in_together() -> None:
    looks: list[str] = []
    is_first, is_second = threading.Event(), threading.Event()

    def refresh(kb_id: str) -> None:
        looks.append(kb_id)
        (is_second if is_first.is_set() else is_first).set()

    keeper = IndexKeeper(refresh, lambda _: False, pause_s=1)
    keeper.begin()
    keeper.refresh("kb_a")
    assert is_first.wait(20)
    for _ in range(20):
        keeper.refresh("kb_a")
    assert is_second.wait(20)
    assert looks == ["kb_a", "kb_a"]
