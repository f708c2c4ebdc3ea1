"""Running one generation for one request: a slot, a pump, and an end however the client behaves.

Knows slots, pumps and clients that leave. Knows nothing of what is generated.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.slots import AskSlots, Place, Slot
from api.sse import KEEP_ALIVE_S, EventPump, EventStream, beats_until, unless_gone, with_keep_alive

FIRST_EVENT_S = 0.5
"""A fault that shows so soon has its own status; a stream that is silent longer begins."""

TELL_EVERY_S = 1.0
"""How often those who wait are told their place, where it is another one."""

ASK_AGAIN_S = 1.0
"""How long a key that was revoked may go on to be told what was asked with it."""

Event = TypeVar("Event")
IsStopped = Callable[[], bool]
Stream = Callable[[AsyncIterator[Event | None]], AsyncGenerator[bytes, None]]
Waiting = Callable[[Place], Sequence[Event]]
"""What is told to who waits at a place."""


def silent(_: Place) -> Sequence[Any]:
    """Tell nothing to who waits."""
    return ()


async def run_generation(
    request: Request,
    make: Callable[[IsStopped], Iterator[Event]],
    *,
    stream: Stream[Event] | None,
    whole: Callable[[EventPump[Event]], Coroutine[Any, Any, Response]],
    still_may: Callable[[], None],
    waiting: Waiting[Event] = silent,
) -> Response:
    """Return the events that `make` yields: streamed by `stream` if given, else as one response.

    Faults of the request show in `make` or before the first event, so they get their own status. A
    stream begins at once, whether an event is there or not: it gets None for what keeps it alive,
    and the events of `waiting` for its place while others are answered first. A client that leaves
    stops the pump, and with it the generation; so does `still_may`, which is asked meanwhile and
    before the end, when it refuses. Raises Busy when too many wait, and what `still_may` raises.
    """
    slots: AskSlots = request.app.state.ask_slots
    pump = EventPump[Event](lambda: make(pump.is_stopped))
    await unless_gone(request, pump.prepare())
    slot = slots.take()

    def close() -> None:
        pump.stop()
        slot.give_back()

    try:
        if stream is None:
            await unless_gone(request, slot.ready())
            pump.start()
            response = await unless_gone(request, whole(pump))
            await run_in_threadpool(still_may)
        else:
            await unless_gone(request, _begin(slot, pump))
            events = paced(slot, pump, waiting, Permit(still_may))
            return EventStream(stream(events), on_close=close)
    except BaseException:
        close()
        raise
    close()
    return response


async def _begin(slot: Slot, pump: EventPump[Event]) -> None:
    """Start what need not wait, and give a fault before its first event a moment to show."""
    if slot.is_free:
        pump.start()
        await pump.first_event_within(FIRST_EVENT_S)


class Permit:
    """Asks now and then whether a caller who was let in still may be told anything."""

    def __init__(self, still_may: Callable[[], None]) -> None:
        self._still_may = still_may
        self._asked_at = monotonic()

    async def check(self) -> None:
        """Ask when it was not asked of late. Raises what a refusal raises."""
        if monotonic() - self._asked_at >= ASK_AGAIN_S:
            self._asked_at = monotonic()
            await run_in_threadpool(self._still_may)


async def paced(
    slot: Slot, pump: EventPump[Event], waiting: Waiting[Event], permit: Permit
) -> AsyncGenerator[Event | None, None]:
    """Yield events, and None whenever none came for a while.

    Raises Busy when the turn of the question does not come, what the generation raises, or the
    refusal of the permit.
    """
    if not slot.is_free:
        async with aclosing(_in_line(slot, waiting)) as told:
            async for event in told:
                await permit.check()
                yield event
        pump.start()
    async with aclosing(with_keep_alive(pump.next_event)) as events:
        async for event in events:
            await permit.check()
            yield event


async def _in_line(slot: Slot, waiting: Waiting[Event]) -> AsyncGenerator[Event | None, None]:
    """Yield what is told of each new place until the turn has come; None to keep it alive."""
    told, num_silent = slot.place, 0
    for event in waiting(told):
        yield event
    async with aclosing(beats_until(slot.ready(), TELL_EVERY_S)) as beats:
        async for _ in beats:
            place, num_silent = slot.place, num_silent + 1
            news = waiting(place) if place.number != told.number else ()
            told = place
            for event in news:
                yield event
            if not news and num_silent * TELL_EVERY_S >= KEEP_ALIVE_S:
                yield None
            elif not news:
                continue
            num_silent = 0
