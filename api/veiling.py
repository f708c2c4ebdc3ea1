"""The one place where personal data is hidden: all that leaves for a caller who may not see it.

Knows JSON, server-sent events and the addresses of routes; what is hidden is the service's. What it
cannot read leaves only where its route says that it hides by itself. Text that comes in pieces is
held until it is whole: what a piece holds may be known by the next one only.
"""

from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import safe_json
from api.names import SLASH_IN_SEGMENT
from api.openai.errors import error_response_to
from api.security import is_open
from api.sse import sse_data, sse_event
from kb_service.domain.errors import KbError, NotFound, RightMissing
from kb_service.domain.people import STRANGER, Principal
from kb_service.operations import Services
from kb_service.services.veiled import Veiling

BASE_PREFIX = "kb:"
BY_NAME = frozenset({"/kb", "/kb/{kb}/documents", "/kb/{kb}/watches"})
"""Lists whose cursors hold a name, to be read by this service alone."""
_NO_WORDS = frozenset({"/metrics"})
_NEWS = frozenset({"job", "document", "state"})
"""Events that hold no words of a document, unless something failed."""
_JSON, _EVENTS = "application/json", "text/event-stream"


class VeilDoor:
    """Hides what is personal in every response to a caller without the right to see it."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or who_of(scope).sees_personal or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        masking = self._services.masking
        try:
            every = await run_in_threadpool(masking.masked_bases)
        except KbError as error:
            await error_response_to(scope, error)(scope, receive, send)
            return
        bases = {kb_id: masked for kb_id, masked in every.items() if who_of(scope).sees(kb_id)}
        if not bases:
            await self._app(scope, receive, send)
            return
        veiling = scope.setdefault("state", {})["veiling"] = Veiling(masking, bases)
        veiled = _Veiled(scope, receive, send, self._services, veiling)
        await self._app(scope, receive, veiled.send)


def who_of(scope: Scope) -> Principal:
    """Return who asks; a stranger reaches nothing that any document fills."""
    who: Principal = scope.get("state", {}).get("principal", STRANGER)
    return who


def veiling_of(scope: Scope) -> Veiling | None:
    """Return what hides personal data from the caller; None: the caller sees it."""
    veiling: Veiling | None = scope.get("state", {}).get("veiling")
    return veiling


def hides_itself(scope: Scope) -> None:
    """Note that a response which is no JSON has nothing personal in it any more."""
    scope.setdefault("state", {})["is_veiled"] = True


def masked_error(what: str) -> RightMissing:
    """Return the error for what cannot be shown without personal data."""
    return RightMissing(
        f"{what} shows personal data, which is masked for this key", code="personal_data_masked"
    )


def base_of_request(scope: Scope, services: Services, body: Any = None) -> str | None:  # noqa: ANN401  JSON
    """Return the id of the base that a request is about, None where it tells none."""
    state = scope.setdefault("state", {})
    if "veiled_base" not in state or body is not None:
        key = scope.get("path_params", {}).get("kb")
        model = body.get("model") if isinstance(body, dict) else None
        if key is None and isinstance(model, str) and model.startswith(BASE_PREFIX):
            key = model.removeprefix(BASE_PREFIX)
        try:
            base = services.bases.show(str(key).replace(SLASH_IN_SEGMENT, "/")) if key else None
        except NotFound:
            base = None
        # One that is not there for who asks is answered like one that is not there.
        state["veiled_base"] = base.id if base and who_of(scope).sees(base.id) else None
    found: str | None = state["veiled_base"]
    return found


def is_by_name(scope: Scope, veiling: Veiling, kb_id: str | None) -> bool:
    """True for a list in the order of names some of which may be hidden."""
    return getattr(scope.get("route"), "path", "") in BY_NAME and veiling.is_masked(kb_id)


class _Veiled:
    """Sends one response on, hidden; holds it back until it can be."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, services: Services, veiling: Veiling
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._services, self._veiling = services, veiling
        self._start: Message | None = None
        self._content = bytearray()
        self._stream: VeiledStream | None = None
        self._is_refused = False

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] != "http.response.body" or self._is_refused:
            return
        elif self._stream is not None:
            piece = await run_in_threadpool(self._stream.feed, message.get("body", b""))
            await self._send({**message, "body": piece})
        elif self._start is None:
            await self._send(message)
        else:
            await self._hold(self._start, message)

    async def _begin(self, start: Message) -> None:
        kind = (Headers(raw=start["headers"]).get("content-type") or "").partition(";")[0]
        if kind == _JSON:
            self._start = start
            return
        if kind == _EVENTS:
            veiling, base = await run_in_threadpool(self._about)
            if veiling.is_masked(base):
                self._stream = VeiledStream(veiling, base)
        elif kind and not await run_in_threadpool(self._may_leave):
            self._is_refused = True
            refused = error_response_to(self._scope, masked_error("what was asked for"))
            await refused(self._scope, self._receive, self._send)
            return
        await self._send(start)

    async def _hold(self, start: Message, message: Message) -> None:
        self._content += message.get("body", b"")
        if message.get("more_body"):
            return
        try:
            content = await run_in_threadpool(self._hidden, bytes(self._content))
        except KbError as error:
            await error_response_to(self._scope, error)(self._scope, self._receive, self._send)
            return
        MutableHeaders(scope=start)["content-length"] = str(len(content))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": content, "more_body": False})

    def _about(self) -> tuple[Veiling, str | None]:
        return self._veiling, base_of_request(self._scope, self._services)

    def _may_leave(self) -> bool:
        state, path = self._scope.get("state", {}), self._scope["path"]
        veiling, base = self._about()
        if state.get("is_veiled") or path in _NO_WORDS or "route" not in self._scope:
            return True
        return not veiling.is_masked(base)

    def _hidden(self, content: bytes) -> bytes:
        if not content:
            return content
        veiling, base = self._about()
        document = self._scope.get("path_params", {}).get("document")
        place = (str(document), None) if document else None
        shown = veiling.shown(orjson.loads(content), base, place)
        if is_by_name(self._scope, veiling, base) and (cursor := shown.get("next_cursor")):
            shown["next_cursor"] = self._services.masking.seal(cursor)
        return safe_json(shown)


class VeiledStream:
    """A stream of events with what is personal hidden. Feed it bytes; it returns what may leave.

    Text that grows leaves when the event comes that tells what it was made from; after an error it
    does not leave at all.
    """

    def __init__(self, veiling: Veiling, kb_id: str | None) -> None:
        self._veiling, self._kb_id = veiling, kb_id
        self._rest = b""
        self._held = ""
        self._told: list[Any] = []
        self._opening: dict[str, Any] = {}

    def feed(self, piece: bytes) -> bytes:
        """Return what of the stream may leave now."""
        *frames, self._rest = (self._rest + piece).split(b"\n\n")
        return b"".join(self._frame(frame) for frame in frames)

    def _frame(self, frame: bytes) -> bytes:
        lines = frame.decode().split("\n")
        data = next((line[6:] for line in lines if line.startswith("data: ")), None)
        if data is None or data == "[DONE]":
            return frame + b"\n\n"
        name = next((line[7:] for line in lines if line.startswith("event: ")), "")
        value = orjson.loads(data)
        if self._grows(name, value):
            return b""
        is_news = name in _NEWS and not value.get("error")
        if not is_news:
            self._told.append(value)
        held = self._released(value) if name == "done" or _is_last(value) else b""
        hide = self._veiling.plain if is_news else self._veiling.shown
        shown = safe_json(hide(value, self._kb_id))
        kept = [line for line in lines if not line.startswith("data: ")]
        return held + "\n".join((*kept, f"data: {shown.decode()}")).encode() + b"\n\n"

    def _grows(self, name: str, value: Any) -> bool:  # noqa: ANN401  JSON
        """Keep a piece of text; False for what is none."""
        if name == "token":
            self._held += value["text"]
            return True
        text = _delta(value).get("content")
        if name or not isinstance(text, str) or not text:
            return False
        self._held += text
        self._opening = value
        return True

    def _released(self, last: Any) -> bytes:  # noqa: ANN401  JSON
        """Return the text that was held, hidden by all that is known of it."""
        if not self._held:
            return b""
        whole = {"text": self._held, "told": self._told, "last": last}
        text = self._veiling.shown(whole, self._kb_id)["text"]
        self._held = ""
        if not self._opening:
            return sse_event("token", safe_json({"text": text}))
        choice = {**self._opening["choices"][0], "delta": {"content": text}, "logprobs": None}
        return sse_data(safe_json({**self._opening, "choices": [choice]}))


def _delta(value: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    choices = value.get("choices") if isinstance(value, dict) else None
    delta = choices[0].get("delta") if choices else None
    return delta if isinstance(delta, dict) else {}


def _is_last(value: Any) -> bool:  # noqa: ANN401  JSON
    choices = value.get("choices") if isinstance(value, dict) else None
    return choices[0].get("finish_reason") is not None if choices else False
