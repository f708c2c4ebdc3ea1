"""Running one generation for one request: a slot, a pump, and an end however the client behaves.

Knows slots, pumps and clients that leave. Knows nothing of what is generated.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import Response

from api.slots import AskSlots
from api.sse import EventPump, EventStream, unless_gone

Event = TypeVar("Event")
IsStopped = Callable[[], bool]


async def run_generation(
    request: Request,
    make: Callable[[IsStopped], Iterator[Event]],
    *,
    stream: Callable[[Event, EventPump[Event]], AsyncGenerator[bytes, None]] | None,
    whole: Callable[[Event, EventPump[Event]], Coroutine[Any, Any, Response]],
) -> Response:
    """Return the events that `make` yields: streamed by `stream` if given, else as one response.

    Faults of the request show before the first event, so they get their own status. A client that
    leaves stops the pump, and with it the generation. Raises Busy when too many wait.
    """
    slots: AskSlots = request.app.state.ask_slots
    await unless_gone(request, slots.acquire())
    pump = EventPump[Event](lambda: make(pump.is_stopped))
    close = slots.release_after(pump.stop)
    try:
        pump.start()
        first = await unless_gone(request, pump.next_event())
        if stream is not None:
            return EventStream(stream(first, pump), on_close=close)
        response = await unless_gone(request, whole(first, pump))
    except BaseException:
        close()
        raise
    close()
    return response
