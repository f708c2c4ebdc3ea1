"""The JSON of the OpenAI chat protocol as its client writes and reads it.

Pure: values in, values out. Knows no HTTP.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

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


class _Function(BaseModel):
    name: str | None = None
    arguments: str | None = None


class _CallPart(BaseModel):
    index: Annotated[int, Field(ge=0, lt=MAX_TOOL_CALLS)] = 0
    id: str | None = None
    function: _Function = Field(default_factory=_Function)


class _Delta(BaseModel):
    content: str | None = None
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
    delta: _Delta = Field(default_factory=_Delta)
    finish_reason: str | None = None
    logprobs: _Scores | None = None


class _Details(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None

    def to_domain(self) -> Usage:
        details = self.prompt_tokens_details
        cached = details.cached_tokens if details else None
        return Usage(self.prompt_tokens, self.completion_tokens, cached or 0)


class _Chunk(BaseModel):
    choices: list[_Choice] = Field(default_factory=list)
    usage: _Usage | None = None
    error: object | None = None


class RemoteReply:
    """Feed the chunks of one reply, get its pieces; `end` is the last event."""

    def __init__(self, url: str, sampling: Mapping[str, float | int | None]) -> None:
        self._url = url
        self._sampling = dict(sampling)
        self._calls: dict[int, ToolCall] = {}
        self._finish_reason = ""
        self._usage = Usage()
        self._num_chars = 0

    def feed(self, value: object) -> Iterator[ChatPiece]:
        """Yield the words of a chunk. Raises RemoteError (remote_malformed, remote_failed)."""
        chunk = self._checked(value)
        if chunk.usage:
            self._usage = chunk.usage.to_domain()
        for choice in chunk.choices[:1]:
            self._finish_reason = choice.finish_reason or self._finish_reason
            for part in choice.delta.tool_calls or ():
                self._add_call(part)
            scores = tuple(s.to_domain() for s in (choice.logprobs or _Scores()).content or ())
            if choice.delta.content or scores:
                self._count(choice.delta.content or "")
                yield ChatPiece(choice.delta.content or "", scores)

    def end(self) -> ChatEnd:
        """Return the last event. Raises RemoteError when the stream broke off before its end."""
        if not self._finish_reason:
            raise self._error("the stream ended without a finish_reason")
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
            raise RemoteError(f"{self._url} failed while it answered", code="remote_failed")
        return chunk

    def _add_call(self, part: _CallPart) -> None:
        known = self._calls.get(part.index, ToolCall(f"call_{part.index}", "", ""))
        arguments = part.function.arguments or ""
        self._count(arguments)
        self._calls[part.index] = ToolCall(
            part.id or known.id,
            part.function.name or known.name,
            known.arguments + arguments,
        )

    def _count(self, text: str) -> None:
        self._num_chars += len(text)
        if self._num_chars > MAX_REPLY_CHARS:
            raise self._error(f"a reply has more than {MAX_REPLY_CHARS} characters")

    def _error(self, problem: str) -> RemoteError:
        return RemoteError(
            f"{self._url} does not speak the protocol: {problem}",
            code="remote_malformed",
            details={"url": self._url},
        )
