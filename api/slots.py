"""How many questions are answered at once, and how many may wait and how long. Of one event loop.

Knows counts and seconds; nothing of questions, models or HTTP.
"""

import asyncio
from collections import OrderedDict

from kb_service.domain.errors import Busy

MAX_RUNNING = 16
MAX_WAITING = 256
MAX_WAIT_S = 60.0


class AskSlots:
    """A counted gate; who waited longest comes next."""

    def __init__(
        self,
        max_running: int = MAX_RUNNING,
        max_waiting: int = MAX_WAITING,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self.max_running = max_running
        self.max_wait_s = max_wait_s
        self._max_waiting = max_waiting
        self._num_running = 0
        self._waiting: OrderedDict[Slot, None] = OrderedDict()

    def take(self) -> "Slot":
        """Return a place: at once if one is free, else in the queue. Raises Busy when it is full.

        The place must be given back.
        """
        slot = Slot(self)
        if self._num_running < self.max_running:
            self._run(slot)
        elif len(self._waiting) < self._max_waiting:
            self._waiting[slot] = None
        else:
            raise Busy(
                f"{len(self._waiting)} questions are waiting; at most {self._max_waiting} may: "
                "try again later",
                details={"waiting": len(self._waiting), "max": self._max_waiting},
            )
        return slot

    def leave(self, slot: "Slot") -> None:
        """Take a place back, and let the next one in."""
        if slot in self._waiting:
            del self._waiting[slot]
            return
        self._num_running -= 1
        if self._waiting:
            self._run(self._waiting.popitem(last=False)[0])

    def _run(self, slot: "Slot") -> None:
        self._num_running += 1
        slot.came.set()


class Slot:
    """The place of one question; given back once, however often that is said."""

    def __init__(self, slots: AskSlots) -> None:
        self.came = asyncio.Event()
        self._slots = slots
        self._is_back = False

    @property
    def is_free(self) -> bool:
        """True when the question need not wait, or no longer."""
        return self.came.is_set()

    async def ready(self) -> None:
        """Wait for the turn of the question. Raises Busy when it did not come in time."""
        try:
            await asyncio.wait_for(self.came.wait(), self._slots.max_wait_s)
        except TimeoutError as error:
            num, seconds = self._slots.max_running, self._slots.max_wait_s
            raise Busy(
                f"{num} questions are being answered and none of them ended within "
                f"{seconds:g} seconds: try again later",
                details={"running": num, "waited_s": seconds},
            ) from error

    def give_back(self) -> None:
        """Let the next question in."""
        if not self._is_back:
            self._is_back = True
            self._slots.leave(self)
