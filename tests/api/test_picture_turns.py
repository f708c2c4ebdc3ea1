"""Pictures and fairness: a document whose pages take long waits for itself alone."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from api.picture_turns import PictureTurns

WITHIN_S = 20.0


class Slow:
    """Drawings that last until they are let go; counts those under way."""

    def __init__(self) -> None:
        self.is_let_go = threading.Event()
        self.num_running = 0

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + WITHIN_S
        while self.num_running < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.05)  # for one too many

    def draw(self) -> bytes:
        self.num_running += 1
        assert self.is_let_go.wait(WITHIN_S)
        return b"slow"


@pytest.fixture
def slow() -> Slow:
    return Slow()


def soon(turns: PictureTurns, content: str, draw: Callable[[], bytes]) -> asyncio.Task[bytes]:
    return asyncio.ensure_future(turns.drawn(content, draw))


def test_one_slow_document_never_queues_the_others(slow: Slow) -> None:
    async def run() -> None:
        turns = PictureTurns(max_drawn=2)
        waiting = [soon(turns, "slow", slow.draw) for _ in range(20)]
        for number in range(5):
            drawing = turns.drawn(f"good {number}", lambda: b"good")
            assert await asyncio.wait_for(drawing, WITHIN_S) == b"good"
        assert slow.num_running <= 1
        slow.is_let_go.set()
        assert await asyncio.gather(*waiting) == [b"slow"] * 20
        assert turns._locks == {}

    asyncio.run(run())


def test_no_more_than_so_many_are_drawn_at_a_time(slow: Slow) -> None:
    async def run() -> None:
        turns = PictureTurns(max_drawn=2)
        waiting = [soon(turns, str(number), slow.draw) for number in range(5)]
        await asyncio.to_thread(slow.wait_for, 2)
        assert slow.num_running == 2
        slow.is_let_go.set()
        await asyncio.gather(*waiting)

    asyncio.run(run())


def test_a_client_that_leaves_while_it_waits_leaves_nothing_behind(slow: Slow) -> None:
    async def run() -> None:
        turns = PictureTurns()
        first, second = (soon(turns, "same", slow.draw) for _ in range(2))
        await asyncio.sleep(0.01)
        second.cancel()
        slow.is_let_go.set()
        assert await first == b"slow"
        with pytest.raises(asyncio.CancelledError):
            await second
        assert turns._locks == {}

    asyncio.run(run())
