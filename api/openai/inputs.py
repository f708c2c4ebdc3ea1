"""What a client of the OpenAI protocol may send, as strict pydantic models.

Every legal shape of a message is read. A parameter that would change the answer and is not
supported is refused by name; one that would not (`user`, `metadata`, a penalty of 0, whatever is
null) is taken and has no effect.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.inputs import Input
from api.schema import MAX_CHAT_INTEGER, Temperature, Whole, integer, number, one_or_many
from kb_service.domain.chats import SamplingOptions
from kb_service.services.chatting import MAX_STOP_CHARS, MAX_STOPS, MAX_TOOLS, MAX_TOP_LOGPROBS

MAX_MESSAGES = 10_000
MAX_EMBEDDED_TEXTS = 2048
MAX_DIMENSIONS = 65536
FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Json = dict[str, Any]


class MessagePart(BaseModel):
    """Part of a message; a client that sends an answer back may add fields of its own."""

    model_config = ConfigDict(strict=True, extra="ignore")


class TextPart(MessagePart):
    """A text among the parts of a content."""

    type: Literal["text"]
    text: str


class RefusalPart(MessagePart):
    """A refusal among the parts of an assistant's content."""

    type: Literal["refusal"]
    refusal: str


Content = str | list[TextPart]


class FunctionCallInput(MessagePart):
    """A function and the JSON text of its arguments."""

    name: FunctionName
    arguments: str


class ToolCallInput(MessagePart):
    """A call that the assistant asked for."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCallInput


class InstructionMessage(MessagePart):
    """What the application tells the model."""

    role: Literal["system", "developer"]
    content: Content


class UserMessage(MessagePart):
    """What the user says."""

    role: Literal["user"]
    content: Content


SAYS_SOMETHING: list[Any] = [
    {"required": [name], "properties": {name: form}}
    for name, form in (
        ("content", {"type": ["string", "array"]}),
        ("tool_calls", {"type": "array", "minItems": 1}),
        ("function_call", {"type": "object"}),
    )
]


class AssistantMessage(MessagePart):
    """What the model said, or which calls it asked for."""

    model_config = ConfigDict(json_schema_extra={"anyOf": SAYS_SOMETHING})

    role: Literal["assistant"]
    content: str | list[TextPart | RefusalPart] | None = None
    tool_calls: list[ToolCallInput] | None = None
    function_call: FunctionCallInput | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "AssistantMessage":
        if self.content is None and not self.tool_calls and self.function_call is None:
            raise ValueError("expected content, or tool_calls")
        return self


class ToolMessage(MessagePart):
    """The result of a call."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str


class FunctionMessage(MessagePart):
    """The result of a call, by the name of its function (the protocol's older form)."""

    role: Literal["function"]
    content: str | None
    name: FunctionName


MessageInput = Annotated[
    InstructionMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage,
    Field(discriminator="role"),
]


class FunctionInput(Input):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: FunctionName
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class ToolInput(Input):
    """A tool: only functions exist here."""

    type: Literal["function"]
    function: FunctionInput


class FunctionChoice(Input):
    """The name of the function to call."""

    name: FunctionName


class ToolChoice(Input):
    """Asks for a call of one function."""

    type: Literal["function"]
    function: FunctionChoice


class StreamOptions(Input):
    """`include_usage`: a last chunk tells the tokens."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


A_STOP = {"type": "string", "minLength": 1, "maxLength": MAX_STOP_CHARS}
Stops = Annotated[list[str], BeforeValidator(_as_list), one_or_many(A_STOP, 0, MAX_STOPS)]


class Parameters(Input):
    """A body whose parameters ask for nothing where they are null."""

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None}


class ChatInput(Parameters):
    """Body of POST /v1/chat/completions."""

    model: str
    messages: Annotated[list[MessageInput], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Annotated[float, number(0, 1)] | None = None
    max_tokens: Annotated[int, Whole, integer(1, MAX_CHAT_INTEGER)] | None = None
    max_completion_tokens: Annotated[int, Whole, integer(1, MAX_CHAT_INTEGER)] | None = None
    seed: Annotated[int, Whole, integer(0, MAX_CHAT_INTEGER)] | None = None
    stop: Stops | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Whole, integer(0, MAX_TOP_LOGPROBS)] | None = None
    tools: Annotated[list[ToolInput], Field(json_schema_extra={"maxItems": MAX_TOOLS})] | None = (
        None
    )
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    n: Literal[1] | None = None
    # Accepted at the value that changes nothing.
    presence_penalty: Annotated[float | None, Field(ge=0, le=0)] = None
    frequency_penalty: Annotated[float | None, Field(ge=0, le=0)] = None
    logit_bias: Annotated[dict[str, float] | None, Field(max_length=0)] = None
    repetition_penalty: Annotated[float | None, Field(ge=1, le=1)] = None
    min_p: Annotated[float | None, Field(ge=0, le=0)] = None
    functions: Annotated[list[Json] | None, Field(max_length=0)] = None
    function_call: Literal["none", "auto"] | None = None
    response_format: "TextFormat | None" = None
    modalities: list[Literal["text"]] | None = None
    # Accepted without effect.
    user: str | None = None
    metadata: Json | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "ChatInput":
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) > 1:
            raise ValueError("expected max_tokens and max_completion_tokens to be the same")
        if self.top_logprobs and not self.logprobs:
            raise ValueError("expected logprobs to be true where top_logprobs is given")
        if self.includes_usage and not self.stream:
            raise ValueError("expected stream to be true where include_usage is")
        return self

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with a chunk that tells the tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def options(self) -> SamplingOptions:
        """The sampling that is asked for."""
        limits = (self.max_tokens, self.max_completion_tokens)
        max_tokens = next((limit for limit in limits if limit is not None), None)
        return SamplingOptions(self.temperature, max_tokens, self.seed, self.top_p)


class TextFormat(Input):
    """The only form of answers."""

    type: Literal["text"]


class EmbeddingInput(Parameters):
    """Body of POST /v1/embeddings."""

    model: str
    input: Annotated[
        list[str],
        BeforeValidator(_as_list),
        Field(min_length=1, max_length=MAX_EMBEDDED_TEXTS),
        one_or_many({"type": "string", "pattern": r"\S"}, 1, MAX_EMBEDDED_TEXTS),
    ]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Whole, integer(1, MAX_DIMENSIONS)] | None = None
    user: str | None = None


ChatInput.model_rebuild()
