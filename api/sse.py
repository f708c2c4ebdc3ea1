"""Server-sent events: their bytes, a response that notices when its client leaves, and a pump that
turns a blocking iterator into asynchronous events.

Knows nothing of what the events mean.
"""

import asyncio
import threading
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP_ALIVE_S = 5.0
KEEP_ALIVE = b": keep-alive\n\n"

Event = TypeVar("Event")
Result = TypeVar("Result")


def sse_data(data: bytes) -> bytes:
    """Return an event without a name; `data` is on a single line."""
    return b"data: " + data + b"\n\n"


def sse_event(name: str, data: bytes, event_id: int | None = None) -> bytes:
    """Return one event; `data` is JSON on a single line."""
    head = f"event: {name}\n" if event_id is None else f"id: {event_id}\nevent: {name}\n"
    return head.encode() + b"data: " + data + b"\n\n"


class EventStream(Response):
    """Sends events as they come and stops as soon as the client is gone.

    `on_close` runs at the end however the stream ended.
    """

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], on_close: Callable[[], None] | None = None
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._on_close = on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            if self._on_close is not None:
                self._on_close()

    async def _send_all(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await send(start)
            async with aclosing(self._events) as events:
                async for piece in events:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            return  # how a server says that the client left


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of `work`; raise ClientDisconnect, and cancel it, when the client leaves.

    The body of the request must have been read.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for pending in (task, gone):
            pending.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def with_keep_alive(
    next_event: Callable[[], Awaitable[Event]], interval_s: float = KEEP_ALIVE_S
) -> AsyncGenerator[Event | None, None]:
    """Yield events until StopAsyncIteration, and None whenever none came for a while."""
    pending = asyncio.ensure_future(next_event())
    try:
        while True:
            await asyncio.wait({pending}, timeout=interval_s)
            if not pending.done():
                yield None
                continue
            try:
                event = pending.result()
            except StopAsyncIteration:
                return
            yield event
            pending = asyncio.ensure_future(next_event())
    finally:
        pending.cancel()


async def beats_until(
    work: Coroutine[Any, Any, object], interval_s: float = KEEP_ALIVE_S
) -> AsyncGenerator[None, None]:
    """Yield whenever `work` is not done after a while; raise what it raises; cancel it if left."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=interval_s))[0]:
            yield None
        task.result()
    finally:
        task.cancel()


class _End:
    """What the thread posts after the last event; `error` when it ended by an exception."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class EventPump(Generic[Event]):
    """Runs a blocking generator in a thread of its own, so that it sees one thread all its life.

    `stop` closes the generator in that thread as soon as its present step ends. Must be made inside
    a running event loop.
    """

    def __init__(self, make: Callable[[], Iterator[Event]]) -> None:
        self._make = make
        self._made: list[Iterator[Event]] = []
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | _End] = asyncio.Queue()
        self._first: asyncio.Future[Event | _End] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-pump", daemon=True)

    async def prepare(self) -> None:
        """Make the generator, which checks its request, before `start`; raise what that raises."""
        self._made.append(await run_in_threadpool(self._make))

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to close the generator and end; returns at once."""
        self._stopped.set()

    def is_stopped(self) -> bool:
        """True once `stop` was called: what the generator may ask while it waits for something."""
        return self._stopped.is_set()

    async def first_event_within(self, seconds: float) -> None:
        """Wait a moment for the first event; raise what the generator raised in place of it."""
        self._first = asyncio.ensure_future(self._queue.get())
        await asyncio.wait({self._first}, timeout=seconds)
        item = self._first.result() if self._first.done() else None
        if isinstance(item, _End) and item.error is not None:
            raise item.error

    async def next_event(self) -> Event:
        """Return the next event.

        Raises StopAsyncIteration after the last one, or what the generator raised.
        """
        first, self._first = self._first, None
        item = await (first or self._queue.get())
        if not isinstance(item, _End):
            return item
        self._queue.put_nowait(item)
        if item.error is not None:
            raise item.error
        raise StopAsyncIteration

    def _run(self) -> None:
        try:
            self._drain()
            self._post(_End(None))
        except Exception as error:  # noqa: BLE001  edge of the thread: raised again by next_event
            self._post(_End(error))

    def _drain(self) -> None:
        events = self._made.pop() if self._made else self._make()
        try:
            for event in events:
                if self._stopped.is_set():
                    return
                self._post(event)
        finally:
            if isinstance(events, Generator):
                events.close()

    def _post(self, item: Event | _End) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
