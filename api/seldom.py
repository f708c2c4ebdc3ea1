"""A warning that may come a thousand times a second, told at most once a minute with its count."""

import time
from collections.abc import Callable

from structlog.typing import WrappedLogger

INTERVAL_S = 60.0


class Seldom:
    """Counts every occasion; logs the first, and then at most one line in `interval_s`."""

    def __init__(
        self,
        log: WrappedLogger,
        event: str,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._interval_s = interval_s
        self._clock = clock
        self._num = 0
        self._num_told = 0
        self._told_at: float | None = None

    def warn(self) -> None:
        """Note one more occasion."""
        self.count_to(self._num + 1)

    def count_to(self, num: int) -> None:
        """Note that there were `num` occasions so far."""
        self._num = num
        now = self._clock()
        is_quiet = self._told_at is None or now - self._told_at >= self._interval_s
        if self._num > self._num_told and is_quiet:
            self._log.warning(self._event, count=self._num - self._num_told)
            self._num_told, self._told_at = self._num, now
