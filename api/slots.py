"""How many questions are answered at once, and how many may wait and how long. Of one event loop.

Knows counts and seconds; nothing of questions, models or HTTP.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from kb_service.domain.errors import Busy

MAX_RUNNING = 16
MAX_WAITING = 256
MAX_WAIT_S = 60.0

UNKNOWN_PACE_S = 5.0
"""Seconds until a place is free, told before any came free while somebody waited."""
WEIGHT_OF_LAST = 0.1
"""Of the last pause between two ends, beside what was known: about the last twenty count."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the queue a question stands: 1 is next; about so many seconds until its turn."""

    number: int
    about_s: int


class Pace:
    """How often a question ends while all places are taken: what waiting is measured by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock()
        self._pause_s: float | None = None
        self._promised = clock()

    def begin(self) -> None:
        """Note that all places are taken from now on: the next end is waited for."""
        self._since = self._promised = self._clock()

    def end(self) -> None:
        """Note that a question ended while all places were taken."""
        now = self._clock()
        pause, self._since = now - self._since, now
        known = pause if self._pause_s is None else self._pause_s
        self._pause_s = known + WEIGHT_OF_LAST * (pause - known)

    def seconds_for(self, num_ends: int) -> int:
        """Return about how long it takes until so many have ended, at least 1."""
        if self._pause_s is None:
            return math.ceil(UNKNOWN_PACE_S)
        return max(1, math.ceil(num_ends * self._pause_s))

    def promise(self) -> int:
        """Return in how many seconds one who is refused now finds a place.

        Each of those who are refused together is told a later one: only one can have the next.
        """
        now = self._clock()
        pause = UNKNOWN_PACE_S if self._pause_s is None else self._pause_s
        self._promised = min(max(self._promised, now) + pause, now + MAX_WAIT_S)
        return max(1, math.ceil(self._promised - now))


class AskSlots:
    """A counted gate; who waited longest comes next."""

    def __init__(
        self,
        max_running: int = MAX_RUNNING,
        max_waiting: int = MAX_WAITING,
        max_wait_s: float = MAX_WAIT_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self.max_running = max_running
        self.max_wait_s = max_wait_s
        self._max_waiting = max_waiting
        self._num_running = 0
        self._waiting: OrderedDict[Slot, None] = OrderedDict()
        self.pace = Pace(clock)

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
                details={
                    "waiting": len(self._waiting),
                    "max": self._max_waiting,
                    "retry_after_s": self.pace.promise(),
                },
            )
        return slot

    def leave(self, slot: "Slot") -> None:
        """Take a place back, and let the next one in."""
        if slot in self._waiting:
            del self._waiting[slot]
            return
        if self._num_running == self.max_running:
            self.pace.end()
        self._num_running -= 1
        if self._waiting:
            self._run(self._waiting.popitem(last=False)[0])

    def place_of(self, slot: "Slot") -> Place:
        """Return where a slot stands that waits."""
        number = 1 + next((n for n, one in enumerate(self._waiting) if one is slot), 0)
        return Place(number, self.pace.seconds_for(number))

    def _run(self, slot: "Slot") -> None:
        self._num_running += 1
        if self._num_running == self.max_running and not self._waiting:
            self.pace.begin()
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

    @property
    def place(self) -> Place:
        """Where in the queue the question stands."""
        return self._slots.place_of(self)

    async def ready(self) -> None:
        """Wait for the turn of the question. Raises Busy when it did not come in time."""
        try:
            await asyncio.wait_for(self.came.wait(), self._slots.max_wait_s)
        except TimeoutError as error:
            num, seconds = self._slots.max_running, self._slots.max_wait_s
            raise Busy(
                f"{num} questions are being answered and none of them ended within "
                f"{seconds:g} seconds: try again later",
                details={
                    "running": num,
                    "waited_s": seconds,
                    "retry_after_s": self.place.about_s,
                },
            ) from error

    def give_back(self) -> None:
        """Let the next question in."""
        if not self._is_back:
            self._is_back = True
            self._slots.leave(self)
