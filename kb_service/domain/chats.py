"""Chats: messages, tools, sampling, and what a model writes next. Values only.

Knows no documents and no prompt format; answers from documents are in `answers`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def never() -> bool:
    """Say that nobody cancelled."""
    return False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants made; `arguments` is the text of a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn: role is `system`, `user`, `assistant` or `tool`.

    `tool_calls`: what an assistant's turn asks for. `tool_call_id`: which of them a tool's turn
    answers.
    """

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one generation; who counts none (an extractive reader) reports zeros."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """None means the generator's own default. `temperature` 0 is greedy."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    top_p: float | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a chat model needs to write the next turn.

    `stop`: texts that end the reply and are no part of it. `must_call`: the reply has to call one
    of `tools`. `top_logprobs`: so many alternatives with each token's log probability; None for
    no log probabilities. `quote_sources`: what the reply puts between quotation marks has to stand
    in one of these word for word, where the model can be held to it; None leaves quotations free.
    `tenant`: whose cached prompts may be used again. `cancelled` may be asked from another thread
    at any time.
    """

    messages: tuple[ChatMessage, ...]
    options: SamplingOptions = field(default_factory=SamplingOptions)
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    top_logprobs: int | None = None
    quote_sources: tuple[str, ...] | None = None
    tenant: str = ""
    cancelled: Callable[[], bool] = field(default=never, compare=False)


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token with its natural log probability and those of the likeliest ones in its place.

    `raw`: its bytes, which may be half a character.
    """

    raw: bytes
    logprob: float
    alternatives: tuple["TokenScore", ...] = ()

    @property
    def text(self) -> str:
        """The token for a reader."""
        return self.raw.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ChatPiece:
    """The next words of a reply; `scores`: the tokens decoded since the piece before, if asked."""

    text: str
    scores: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatEnd:
    """The last event of a reply. `finish_reason`: `stop`, `length` or `tool_calls`.

    `prompt_token_ids` is empty when the model runs elsewhere. `sampling`: the parameters in
    force, after defaults.
    """

    finish_reason: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_token_ids: tuple[int, ...] = ()
    sampling: dict[str, float | int | None] = field(default_factory=dict)


ChatEvent = ChatPiece | ChatEnd
