"""POST /v1/chat/completions: a chat with the model, or an answer from a knowledge base.

Both run as one stream of events, which becomes chunks or one completion. A client that leaves
closes the stream, and with it the generation.
"""

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import MetricsParam, PrincipalParam, RequestIdParam, ServicesParam
from api.errors import safe_json
from api.forwarding import site_of
from api.json_route import JsonRoute
from api.metrics import Metrics
from api.openai.bodies import Completion
from api.openai.errors import openai_error_body
from api.openai.events import CompletionEvent, Finish, Words, of_answer, of_chat
from api.openai.inputs import ChatInput
from api.openai.requests import BASE_PREFIX, ask_request, chat_request
from api.running import IsStopped, run_generation
from api.sse import KEEP_ALIVE, EventPump, sse_data
from kb_service.domain.chats import TokenScore
from kb_service.domain.errors import GenerationError, KbError, NotFound
from kb_service.domain.people import Principal, Right
from kb_service.operations import Services

router = APIRouter(route_class=JsonRoute, tags=["openai"])
log = structlog.get_logger("api")

STREAM_CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}
Events = Iterator[CompletionEvent]


@router.post(
    "/v1/chat/completions", response_class=Response, responses={200: {"content": STREAM_CONTENT}}
)
async def complete_chat(
    body: ChatInput,
    request: Request,
    services: ServicesParam,
    metrics: MetricsParam,
    request_id: RequestIdParam,
    who: PrincipalParam,
) -> Response:
    """Write the next message of a chat; `stream` chooses server-sent events."""
    completion = Completion(
        id=f"chatcmpl-{uuid.uuid4().hex}",
        created=int(time.time()),
        model=body.model,
        site=site_of(request.scope).url,
        kb=body.model.removeprefix(BASE_PREFIX),
        includes_usage=body.includes_usage,
    )

    def stream(events: AsyncIterator[CompletionEvent | None]) -> AsyncGenerator[bytes, None]:
        return chunk_events(completion, events, metrics, request_id)

    async def whole(pump: EventPump[CompletionEvent]) -> Response:
        return await whole_completion(completion, pump, metrics)

    return await run_generation(
        request,
        lambda is_stopped: events_of(body, services, who, is_stopped),
        stream=stream if body.stream else None,
        whole=whole,
        still_may=lambda: check_still(body, services, who),
    )


def check_still(body: ChatInput, services: Services, who: Principal) -> None:
    """Raise Unauthorized or NotFound when the key, or its right in the base, has ended since."""
    now = services.keys.now(who)
    if body.model.startswith(BASE_PREFIX):
        services.bases.show_to(now, body.model.removeprefix(BASE_PREFIX), Right.READ)


def events_of(body: ChatInput, services: Services, who: Principal, is_stopped: IsStopped) -> Events:
    """Start the generation that a body asks for. Raises KbError for a fault of the request.

    Cached prompts of plain chats are shared between requests with the same key only.
    """
    if not body.model.startswith(BASE_PREFIX):
        chat = replace(chat_request(body), tenant=f"key:{who.key_id}", cancelled=is_stopped)
        return of_chat(services.chatting().stream(body.model, chat))
    try:
        named = body.model.removeprefix(BASE_PREFIX)
        base = services.bases.show_to(who, named, Right.READ)
    except NotFound as error:
        raise NotFound(error.message, code="model_not_found", details=error.details) from error
    question = replace(ask_request(body, base), who=who, cancelled=is_stopped)
    return of_answer(services.answering().stream(question))


async def chunk_events(
    completion: Completion,
    events: AsyncIterator[CompletionEvent | None],
    metrics: Metrics,
    request_id: str,
) -> AsyncGenerator[bytes, None]:
    """Yield the stream of a completion; a failure ends it without [DONE]."""
    try:
        yield sse_data(safe_json(completion.opening()))
        async for event in events:
            if event is None:
                yield KEEP_ALIVE
                continue
            for piece in chunk_bytes(completion, event, metrics):
                yield piece
        yield sse_data(b"[DONE]")
    except KbError as error:
        yield sse_data(safe_json(openai_error_body(error, request_id)))
    except Exception as error:  # outer edge of the stream: logged, told as a typed error
        log.exception("completion failed unexpectedly")
        unexpected = KbError(f"unexpected {type(error).__name__}; the log has its trace")
        yield sse_data(safe_json(openai_error_body(unexpected, request_id)))


def chunk_bytes(completion: Completion, event: CompletionEvent, metrics: Metrics) -> list[bytes]:
    """Return the chunks of an event as they go over the wire."""
    count_answer(event, metrics)
    return [sse_data(safe_json(chunk)) for chunk in completion.chunks(event)]


async def whole_completion(
    completion: Completion, pump: EventPump[CompletionEvent], metrics: Metrics
) -> Response:
    """Read to the last event and return the completion."""
    text = ""
    scores: list[TokenScore] = []
    while True:
        try:
            event = await pump.next_event()
        except StopAsyncIteration as error:
            raise GenerationError("the reply ended without its last event") from error
        if isinstance(event, Finish):
            break
        if isinstance(event, Words):
            text += event.text
            scores += event.scores
    count_answer(event, metrics)
    body = completion.whole(text, scores, event)
    return Response(safe_json(body), media_type="application/json")


def count_answer(event: CompletionEvent, metrics: Metrics) -> None:
    """Count an answer from a knowledge base when it is finished."""
    if isinstance(event, Finish) and event.answer:
        metrics.observe_answer(event.answer.status)
