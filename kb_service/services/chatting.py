"""Plain chat: the values of a request are checked, then the model writes the next turn.

Knows the accepted range of every value and the order of messages. Knows no documents, no HTTP and
no concrete model.
"""

from collections.abc import Generator, Sequence

from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.chats import ChatEvent, ChatMessage, ChatRequest
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.ports import ChatGenerator
from kb_service.services.ranges import MAX_TEMPERATURE, check_range

MAX_INTEGER = 2**63 - 1
"""What the protocol says of seeds and tokens; the model names its own limits."""

MAX_TOP_LOGPROBS = 20
MAX_STOPS = 4
MAX_STOP_CHARS = 1000
MAX_TOOLS = 128


class ChattingService:
    """Chats with the configured model; with none when the extractive reader answers."""

    def __init__(self, model: ChatGenerator | None) -> None:
        self._model = model

    @property
    def info(self) -> GeneratorInfo | None:
        """Which model chats, None when none does."""
        return self._model.info if self._model else None

    def stream(self, name: str, request: ChatRequest) -> Generator[ChatEvent, None, None]:
        """Check the request now, then yield ChatPieces and one ChatEnd; closing it cancels.

        Raises NotFound (model_not_found) and InvalidRequest from this call, GenerationError, Busy
        and InvalidRequest from the iterator.
        """
        if self._model is None or name != self._model.info.name:
            raise NotFound(f"no model {name!r}", code="model_not_found")
        check_chat(request)
        return self._model.chat(request)


def check_chat(request: ChatRequest) -> None:
    """Raise InvalidRequest that names the value and what is accepted."""
    options = request.options
    check_range("temperature", options.temperature, 0.0, MAX_TEMPERATURE)
    check_range("top_p", options.top_p, 0.0, 1.0)
    check_range("seed", options.seed, 0, MAX_INTEGER)
    check_range("top_logprobs", request.top_logprobs, 0, MAX_TOP_LOGPROBS)
    check_range("max_tokens", options.max_tokens, 1, MAX_INTEGER)
    _check_stops(request.stop)
    _check_tools(request)
    check_messages(request.messages)


def check_messages(messages: Sequence[ChatMessage]) -> None:
    """Raise InvalidRequest (invalid_messages) unless a model can write the next turn.

    One system message at most, and first; a tool message answers an earlier call, once; the last
    message is the user's or a tool's.
    """
    if not messages:
        raise _invalid("there are 0 messages; expected at least 1")
    open_calls: set[str] = set()
    for number, message in enumerate(messages, start=1):
        problem = _problem(message, number, open_calls)
        if problem:
            raise _invalid(f"message {number} of {len(messages)}: {problem}")
        open_calls.discard(message.tool_call_id)
        open_calls.update(call.id for call in message.tool_calls)
    if messages[-1].role not in ("user", "tool"):
        raise _invalid(f"the last message is of {messages[-1].role!r}; expected 'user' or 'tool'")


def _problem(message: ChatMessage, number: int, open_calls: set[str]) -> str:
    if message.role == "system" and number > 1:
        return "a system message can only be the first, and there is one at most"
    if message.role == "tool" and message.tool_call_id not in open_calls:
        return f"no assistant message before it has an open call {message.tool_call_id!r}"
    return ""


def _check_stops(stops: Sequence[str]) -> None:
    if len(stops) > MAX_STOPS or not all(1 <= len(stop) <= MAX_STOP_CHARS for stop in stops):
        raise InvalidRequest(
            f"stop has {len(stops)} texts of {[len(stop) for stop in stops[:9]]} characters; "
            f"expected up to {MAX_STOPS} of 1 to {MAX_STOP_CHARS}",
            code="invalid_stop",
            details={"name": "stop"},
        )


def _check_tools(request: ChatRequest) -> None:
    names = [tool.name for tool in request.tools]
    if len(names) > MAX_TOOLS or len(set(names)) < len(names):
        raise InvalidRequest(
            f"tools has {len(names)} functions, {len(set(names))} by name; "
            f"expected up to {MAX_TOOLS} with names of their own",
            code="invalid_tools",
            details={"name": "tools"},
        )
    if request.must_call and not names:
        raise InvalidRequest(
            "tool_choice asks for a call and tools is empty",
            code="invalid_tools",
            details={"name": "tool_choice"},
        )


def _invalid(problem: str) -> InvalidRequest:
    return InvalidRequest(problem, code="invalid_messages", details={"name": "messages"})
