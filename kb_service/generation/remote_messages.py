"""The JSON of the OpenAI chat protocol as its client writes and reads it.

Pure: values in, values out. Knows no HTTP.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from kb_service.domain.chats import (
    ChatEnd,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    TokenScore,
    Tool,
    ToolCall,
    Usage,
)
from kb_service.domain.errors import RemoteError

MAX_REPLY_CHARS = 4_000_000
MAX_TOOL_CALLS = 128
MAX_COUNT = 2**53
_FAILED = ("error", "abort")
"""Ends that say the words are not all there."""

Sampling = Mapping[str, float | int | None]


def chat_body(name: str, request: ChatRequest, sampling: Sampling) -> dict[str, object]:
    """Return the body of POST /chat/completions; what is not asked for is left out."""
    body: dict[str, object] = {
        "model": name,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **{key: value for key, value in sampling.items() if value is not None},
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if request.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        body["tool_choice"] = "required" if request.must_call else "auto"
    return body


def _message(message: ChatMessage) -> dict[str, object]:
    body: dict[str, object] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    return body


def _tool(tool: Tool) -> dict[str, object]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def _nothing(value: object) -> object:
    return {} if value is None else value


def _as_text(value: object) -> object:
    """Return the text of a content: a list of parts joined, those of another kind left out."""
    if not isinstance(value, list):
        return value
    texts = (part.get("text") if isinstance(part, dict) else part for part in value)
    return "".join(text for text in texts if isinstance(text, str))


def _as_arguments(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


Filled = BeforeValidator(_nothing)
"""null is the same as nothing there."""

MaybeText = Annotated[str | None, BeforeValidator(_as_text)]


class _Function(BaseModel):
    name: str | None = None
    arguments: Annotated[str | None, BeforeValidator(_as_arguments)] = None


class _CallPart(BaseModel):
    index: Annotated[int, Field(ge=0, lt=MAX_TOOL_CALLS)] | None = None
    id: str | None = None
    function: Annotated[_Function, Filled] = Field(default_factory=_Function)


class _Delta(BaseModel):
    content: MaybeText = None
    tool_calls: list[_CallPart] | None = None


class _Score(BaseModel):
    token: str
    logprob: float
    bytes: list[Annotated[int, Field(ge=0, le=255)]] | None = None
    top_logprobs: list["_Score"] | None = None

    def to_domain(self) -> TokenScore:
        raw = self.token.encode("utf-8", "replace") if self.bytes is None else bytes(self.bytes)
        others = tuple(other.to_domain() for other in self.top_logprobs or ())
        return TokenScore(raw, self.logprob, others)


class _Scores(BaseModel):
    content: list[_Score] | None = None


class _Choice(BaseModel):
    """`message`: the whole reply at once, by a server that does not stream."""

    delta: Annotated[_Delta, Filled] = Field(default_factory=_Delta)
    message: _Delta | None = None
    finish_reason: str | None = None
    logprobs: _Scores | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] | None = None
    usage: object | None = None
    error: object | None = None


def usage_of(value: object) -> Usage:
    """Return the tokens that a server counted, 0 for what it does not say in numbers."""
    counts = value if isinstance(value, dict) else {}
    details = counts.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return Usage(_count(prompt), _count(completion), _count(cached))


def _count(value: object) -> int:
    is_number = isinstance(value, int | float) and 0 <= value < MAX_COUNT  # false for NaN
    return int(value) if is_number else 0  # type: ignore[call-overload]  # a number, as just seen


class RemoteReply:
    """Feed the chunks of one reply, get its pieces; `end` is the last event."""

    def __init__(self, url: str, sampling: Mapping[str, float | int | None]) -> None:
        self._url = url
        self._sampling = dict(sampling)
        self._calls: dict[int, ToolCall] = {}
        self._has_choice = False
        self._is_complete = False
        self._finish_reason = ""
        self._usage = Usage()
        self._num_chars = 0

    def feed(self, value: object) -> Iterator[ChatPiece]:
        """Yield the words of a chunk. Raises RemoteError (remote_malformed, remote_failed)."""
        chunk = self._checked(value)
        if chunk.usage is not None:
            self._usage = usage_of(chunk.usage)
        for choice in (chunk.choices or ())[:1]:
            self._has_choice = True
            self._finish_reason = choice.finish_reason or self._finish_reason
            said = choice.message or choice.delta
            for number, part in enumerate(said.tool_calls or ()):
                self._add_call(part, number)
            scores = tuple(s.to_domain() for s in (choice.logprobs or _Scores()).content or ())
            if said.content or scores:
                self._count(said.content or "")
                yield ChatPiece(said.content or "", scores)

    def complete(self) -> None:
        """Take note that the server has sent all that it wanted to send."""
        self._is_complete = True

    def end(self) -> ChatEnd:
        """Return the last event. Raises RemoteError when the stream broke off before its end."""
        if not self._has_choice:
            raise self._error("its reply holds no choice")
        if not self._finish_reason and not self._is_complete:
            raise self._error("the stream ended without a finish_reason")
        if self._finish_reason in _FAILED:
            raise self._failed()
        calls = tuple(call for _, call in sorted(self._calls.items()))
        reason = "tool_calls" if calls else self._finish_reason
        known = reason if reason in ("stop", "length", "tool_calls") else "stop"
        return ChatEnd(known, self._usage, calls, sampling=self._sampling)

    def _checked(self, value: object) -> _Chunk:
        try:
            chunk = _Chunk.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise self._error(f"a chunk is malformed: {place} {first['msg']}") from error
        if chunk.error is not None:
            raise self._failed()
        return chunk

    def _add_call(self, part: _CallPart, number: int) -> None:
        index = number if part.index is None else part.index
        known = self._calls.get(index, ToolCall(f"call_{index}", "", ""))
        arguments = part.function.arguments or ""
        self._count(arguments)
        self._calls[index] = ToolCall(
            part.id or known.id,
            part.function.name or known.name,
            known.arguments + arguments,
        )

    def _count(self, text: str) -> None:
        self._num_chars += len(text)
        if self._num_chars > MAX_REPLY_CHARS:
            raise self._error(f"a reply has more than {MAX_REPLY_CHARS} characters")

    def _failed(self) -> RemoteError:
        return RemoteError(f"{self._url} failed while it answered", code="remote_failed")

    def _error(self, problem: str) -> RemoteError:
        return RemoteError(
            f"{self._url} does not speak the protocol: {problem}",
            code="remote_malformed",
            details={"url": self._url},
        )
