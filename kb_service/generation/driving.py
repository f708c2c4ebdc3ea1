"""An asynchronous generator run step by step in the calling thread, cancellable while it waits.

Knows event loops. Knows nothing of what is generated.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeVar, cast

Item = TypeVar("Item")
POLL_S = 0.05
"""How soon a cancellation is noticed while nothing comes."""

_END = object()


def drive(
    items: AsyncGenerator[Item, None], cancelled: Callable[[], bool]
) -> Generator[Item, None, None]:
    """Yield the items until they end or `cancelled` says so; closing closes them.

    Raises RuntimeError in a thread whose own event loop is running.
    """
    with asyncio.Runner() as runner:
        try:
            while (item := runner.run(_next(items, cancelled))) is not _END:
                yield cast(Item, item)
        finally:
            runner.run(items.aclose())


async def _next(items: AsyncGenerator[Item, None], cancelled: Callable[[], bool]) -> object:
    pending: asyncio.Future[object] = asyncio.ensure_future(_item(items))
    while not pending.done() and not cancelled():
        await asyncio.wait({pending}, timeout=POLL_S)
    if pending.done():
        return pending.result()
    pending.cancel()
    await asyncio.wait({pending})
    return _END


async def _item(items: AsyncGenerator[Item, None]) -> object:
    return await anext(items, _END)
