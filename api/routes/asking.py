"""Asking: one answer, as JSON or as a stream of tokens, citations and the whole.

Both come from the same event stream, so that they are equal by construction. A client that leaves
closes the stream, and with it the generation.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace
from functools import partial

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import Base, MetricsParam, PrincipalParam, RequestIdParam, ServicesParam
from api.errors import error_body, safe_json
from api.inputs import AskInput
from api.json_route import JsonRoute
from api.metrics import Metrics
from api.running import IsStopped, run_generation
from api.slots import Place
from api.sse import KEEP_ALIVE, EventPump, sse_event
from kb_service.domain.answers import Answer
from kb_service.domain.errors import GenerationError, KbError
from kb_service.schemas.answers import AnswerBody, answer_body, citation_body
from kb_service.schemas.suggestions import SuggestionBody, SuggestionListBody
from kb_service.services.asking import (
    AskEvent,
    CitationEvent,
    DoneEvent,
    Phase,
    PhaseEvent,
    TokenEvent,
)

router = APIRouter(route_class=JsonRoute, tags=["ask"])
log = structlog.get_logger("api")

STREAM_CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get("/kb/{kb}/suggestions")
def list_suggestions(base: Base, services: ServicesParam) -> SuggestionListBody:
    """List questions that the documents were found to answer, as they are now."""
    found = services.suggesting.listed(base.id)
    return SuggestionListBody(items=[SuggestionBody.of(one) for one in found])


@router.post(
    "/kb/{kb}/ask", response_model=AnswerBody, responses={200: {"content": STREAM_CONTENT}}
)
async def ask(
    base: Base,
    body: AskInput,
    request: Request,
    who: PrincipalParam,
    services: ServicesParam,
    metrics: MetricsParam,
    request_id: RequestIdParam,
) -> Response:
    """Answer a question from the base; `stream` chooses server-sent events."""
    question = replace(body.to_domain(base), who=who)

    def events(is_stopped: IsStopped) -> Iterator[AskEvent]:
        return services.answering().stream(replace(question, cancelled=is_stopped))

    def stream(events: AsyncIterator[AskEvent | None]) -> AsyncGenerator[bytes, None]:
        return stream_events(events, metrics, request_id)

    async def whole(pump: EventPump[AskEvent]) -> Response:
        answer = await whole_answer(pump)
        metrics.observe_answer(answer.status)
        return Response(answer_body(answer).model_dump_json(), media_type="application/json")

    return await run_generation(
        request,
        events,
        stream=stream if body.stream else None,
        whole=whole,
        still_may=partial(services.keys.check_still, who, base.id),
        waiting=in_line,
    )


def in_line(place: Place) -> tuple[AskEvent, ...]:
    """Return what is told to who waits."""
    return (PhaseEvent(Phase.WAITING, place.number, place.about_s),)


async def whole_answer(pump: EventPump[AskEvent]) -> Answer:
    """Read to the last event and return its answer."""
    while True:
        try:
            event = await pump.next_event()
        except StopAsyncIteration as error:
            raise GenerationError("the answer ended without its last event") from error
        if isinstance(event, DoneEvent):
            return event.answer


async def stream_events(
    events: AsyncIterator[AskEvent | None], metrics: Metrics, request_id: str
) -> AsyncGenerator[bytes, None]:
    """Yield the events of an answer; a failure becomes one `error` event."""
    try:
        yield KEEP_ALIVE
        async for event in events:
            yield KEEP_ALIVE if event is None else event_bytes(event, metrics)
    except KbError as error:
        yield sse_event("error", safe_json(error_body(error, request_id)))
    except Exception as error:  # outer edge of the stream: logged, told as a typed error
        log.exception("answer failed unexpectedly")
        unexpected = KbError(f"unexpected {type(error).__name__}; the log has its trace")
        yield sse_event("error", safe_json(error_body(unexpected, request_id)))


def event_bytes(event: AskEvent, metrics: Metrics) -> bytes:
    """Return an event as it goes over the wire."""
    match event:
        case PhaseEvent(phase, place, about_s):
            stands = {} if place is None else {"place": place, "about_s": about_s}
            return sse_event("status", orjson.dumps({"phase": phase, **stands}))
        case TokenEvent(text):
            return sse_event("token", orjson.dumps({"text": text}))
        case CitationEvent(citation):
            return sse_event("citation", citation_body(citation).model_dump_json().encode())
        case DoneEvent(answer):
            metrics.observe_answer(answer.status)
            return sse_event("done", answer_body(answer).model_dump_json().encode())
