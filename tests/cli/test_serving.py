"""What `kb serve` does with its process, so that a crowd of connections does not stop it."""

import gc
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kb_service.cli import main
from kb_service.cli.serving import _listen, out_of_the_collectors_sight


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    interval_s, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval_s)
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Watched:
    """A server that looks, once its warm-up is over, at how its process is set."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.seen: dict[str, Any] = {}

    def warm_up(self, *, publishes: bool) -> None:
        assert publishes
        self.made.append(["a model"])

    def follow(self) -> None:
        """Nothing is committed here."""

    def run(self, _sockets: object) -> None:
        for thread in threading.enumerate():
            if thread.name == "warm-up":
                thread.join()
        self.seen["interval_s"] = sys.getswitchinterval()
        self.seen["collected"] = {id(found) for found in gc.get_objects()}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr("api.server.make_server", lambda _services: watched)
    services: Any = SimpleNamespace(
        readiness=watched, settings=SimpleNamespace(host="127.0.0.1"), close=lambda: None
    )
    listener: Any = SimpleNamespace(getsockname=lambda: ("127.0.0.1", 1))
    _listen(services, [listener], None)
    return watched


def test_a_thread_that_computes_keeps_the_loop_waiting_for_half_a_millisecond(
    watched: Watched,
) -> None:
    assert watched.seen["interval_s"] == pytest.approx(0.0005)


def test_the_collector_no_longer_looks_at_what_a_warm_server_holds(watched: Watched) -> None:
    assert watched.made
    assert {id(watched.made), id(watched.made[0])}.isdisjoint(watched.seen["collected"])


def test_the_collector_of_a_command_leaves_what_it_imports_and_an_answer_over_many_documents_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    monkeypatch.setattr("kb_service.cli.replace_what_cannot_be_shown", lambda: None)
    monkeypatch.setattr("kb_service.cli.app", lambda: seen.append(gc.get_threshold()[0]))
    main()
    assert seen == [50_000]


def test_the_collector_never_looks_at_what_a_start_imports_and_goes_on_afterwards() -> None:
    looked: list[int] = []
    gc.callbacks.append(lambda phase, info: looked.append(info["generation"]))
    before = gc.get_freeze_count()
    try:
        with out_of_the_collectors_sight():
            stays = [[number] for number in range(3 * gc.get_threshold()[0])]
            assert not looked
    finally:
        gc.callbacks.pop()
    assert gc.get_freeze_count() - before >= len(stays)
    assert gc.isenabled()


def test_the_collector_goes_on_also_where_a_start_fails() -> None:
    with pytest.raises(ImportError), out_of_the_collectors_sight():
        raise ImportError
    assert gc.isenabled()
