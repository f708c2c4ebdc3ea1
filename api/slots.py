"""How many questions are answered at once, and how many may wait. Belongs to one event loop.

Knows counts; nothing of questions, models or HTTP.
"""

import asyncio
from collections.abc import Callable

from kb_service.domain.errors import Busy

MAX_RUNNING = 16
MAX_WAITING = 256


class AskSlots:
    """A counted gate; a slot is given back exactly once."""

    def __init__(self, max_running: int = MAX_RUNNING, max_waiting: int = MAX_WAITING) -> None:
        self._free = asyncio.Semaphore(max_running)
        self._max_waiting = max_waiting
        self._num_waiting = 0

    async def acquire(self) -> None:
        """Wait for a slot. Raises Busy when too many wait already."""
        if self._num_waiting >= self._max_waiting:
            raise Busy(
                f"{self._num_waiting} questions are waiting; at most {self._max_waiting} may",
                details={"waiting": self._num_waiting, "max": self._max_waiting},
            )
        self._num_waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._num_waiting -= 1

    def release_after(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Return a function that stops the work and gives the slot back, once."""
        is_open = True

        def close() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                stop()
                self._free.release()

        return close
