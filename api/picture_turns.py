"""Whose picture is drawn when: several at a time, of one content one at a time.

So a document whose pages take long waits for itself, and the others go past it. Those who wait hold
no thread: other calls are answered meanwhile. Belongs to one event loop. Knows nothing of pictures.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, to_thread

MAX_DRAWN = 4


class PictureTurns:
    """Runs drawing functions on threads, fairly between contents."""

    def __init__(self, max_drawn: int = MAX_DRAWN) -> None:
        self._lanes = CapacityLimiter(max_drawn)
        self._locks: dict[str, asyncio.Lock] = {}
        self._num_users: dict[str, int] = {}

    async def drawn(self, content: str, draw: Callable[[], bytes]) -> bytes:
        """Return what `draw` returns, once the content has no other picture under way."""
        async with self._alone(content):
            return await to_thread.run_sync(draw, limiter=self._lanes)

    @asynccontextmanager
    async def _alone(self, content: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(content, asyncio.Lock())
        self._num_users[content] = self._num_users.get(content, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._num_users[content] -= 1
            if not self._num_users[content]:
                del self._num_users[content], self._locks[content]
