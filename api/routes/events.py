"""The events of a knowledge base: a nudge when a job, a document or what else is shown changed.

Reads the base's event number off the event loop: when a nudge tells of a commit, else by the clock.
The rest is looked at by the clock alone. The state itself is always readable by GET.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import Base, PrincipalParam, RequestIdParam, ServicesParam
from api.errors import error_body, safe_json
from api.json_route import JsonRoute
from api.sse import KEEP_ALIVE, KEEP_ALIVE_S, EventStream, sse_event
from kb_service.domain.errors import KbError
from kb_service.domain.jobs import IngestJob
from kb_service.domain.people import Principal
from kb_service.schemas.documents import JobBody
from kb_service.services.jobs import JobService
from kb_service.services.keys import KeyService
from kb_service.services.news import NewsService

router = APIRouter(route_class=JsonRoute, tags=["events"])

POLL_S = 0.5
LOOK_S = 5.0
"""Longest pause between two looks where nudges are heard."""

MARK_S = 3.0
"""What changes seldom is looked at so often, or with the next look after it."""


@router.get(
    "/kb/{kb}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def watch_base(
    base: Base,
    request: Request,
    who: PrincipalParam,
    services: ServicesParam,
    request_id: RequestIdParam,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream `job`, `document` and `state` events until the client leaves."""
    seen = version_of(last_event_id)
    after = await run_in_threadpool(services.jobs.first_version, base.id, seen)
    app = request.app.state
    listener = Listener(services.jobs, services.keys, app.news, who, base.id, after)
    return EventStream(base_events(listener, request_id, app.closing))


def version_of(last_event_id: str | None) -> int | None:
    """Return the version of the last event seen, None when none was."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@dataclass(slots=True)
class Listener:
    """Who listens to a base, and what was told: `version` of its events, `marks` of the rest."""

    jobs: JobService
    keys: KeyService
    news: NewsService
    who: Principal
    kb_id: str
    version: int
    marks: Mapping[str, str] = field(default_factory=dict)
    marked_at_s: float | None = None

    def look(self) -> list[bytes]:
        """Return the events of what changed since the last look, none for nothing. Blocks.

        Raises KbError when the base is gone, or no more for whoever listens.
        """
        still_may = partial(self.keys.check_still, self.who, self.kb_id)
        found = self.jobs.events_since(self.kb_id, self.version, still_may)
        told = []
        if found.version > self.version:
            self.version = found.version
            told.append(news_bytes(self.kb_id, found.version, found.jobs))
        return [*told, *self._rest()]

    def _rest(self) -> list[bytes]:
        now_s = monotonic()
        if self.marked_at_s is not None and now_s - self.marked_at_s < MARK_S:
            return []
        self.marked_at_s = now_s
        marks = self.news.marks(self.who, self.kb_id)
        if marks == self.marks:
            return []
        self.marks = marks
        return [sse_event("state", orjson.dumps({"kb_id": self.kb_id, "marks": marks}))]


async def base_events(
    listener: Listener, request_id: str, closing: threading.Event
) -> AsyncGenerator[bytes, None]:
    """Yield what a listener is told until `closing` is set.

    One `error` event ends the stream when the base is gone, or no more for whoever listens.
    """
    yield KEEP_ALIVE
    num_silent = 0
    came, loop = asyncio.Event(), asyncio.get_running_loop()
    with listener.jobs.waking(listener.kb_id, lambda: _set(loop, came)) as is_heard:
        while not closing.is_set():
            try:
                told = await run_in_threadpool(listener.look)
            except KbError as error:
                yield sse_event("error", safe_json(error_body(error, request_id)))
                return
            for piece in told:
                num_silent = 0
                yield piece
            if not told and num_silent * POLL_S >= KEEP_ALIVE_S:
                num_silent = 0
                yield KEEP_ALIVE
            num_silent += await _pauses(came, is_heard, closing)


def _set(loop: asyncio.AbstractEventLoop, came: asyncio.Event) -> None:
    loop.call_soon_threadsafe(came.set)


async def _pauses(
    came: asyncio.Event, is_heard: Callable[[], bool], closing: threading.Event
) -> int:
    """Wait until it is time to look again; return how many pauses of POLL_S that took."""
    num_pauses = 0
    while not (came.is_set() or closing.is_set()):
        with suppress(TimeoutError):
            await asyncio.wait_for(came.wait(), POLL_S)
        num_pauses += 1
        if not is_heard() or num_pauses * POLL_S >= LOOK_S:
            break
    came.clear()
    return num_pauses


def news_bytes(kb_id: str, version: int, jobs: Sequence[IngestJob]) -> bytes:
    """Return a `job` event for each changed job and a `document` event for each of its documents.

    A change without a job is a deleted document, or of labels, tags, the queue or vectors: one
    `document` event with a null id.
    """
    changed = [sse_event("job", JobBody.of(job).model_dump_json().encode()) for job in jobs]
    ids: list[str | None] = list(dict.fromkeys(job.document_id for job in jobs))
    nudges = [
        sse_event("document", orjson.dumps({"id": document_id, "kb_id": kb_id}), version)
        for document_id in ids or [None]
    ]
    return b"".join((*changed, *nudges))
