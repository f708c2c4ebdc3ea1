"""From a request of the protocol to what the services take: a chat, or a question. Pure."""

from collections.abc import Iterator, Sequence

from api.openai.inputs import (
    AssistantMessage,
    ChatInput,
    Content,
    FunctionMessage,
    MessageInput,
    RefusalPart,
    TextPart,
    ToolChoice,
    ToolInput,
    ToolMessage,
)
from kb_service.domain.chats import ChatMessage, ChatRequest, Tool, ToolCall
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest
from kb_service.services.asking import AskRequest
from kb_service.services.chatting import check_messages

BASE_PREFIX = "kb:"
NO_PARAMETERS = {"type": "object", "properties": {}}
_ALL_TOKENS = 1
"""The `top_p` that leaves no token out."""


def chat_request(body: ChatInput) -> ChatRequest:
    """Return the chat that a body asks for."""
    tools, must_call = _offered(body)
    return ChatRequest(
        messages=chat_messages(body.messages),
        options=body.options,
        stop=tuple(body.stop or ()),
        tools=tools,
        must_call=must_call,
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )


def ask_request(body: ChatInput, base: KnowledgeBase) -> AskRequest:
    """Return the question that a body asks a base: its last message, the earlier ones as history.

    The service says what the model is told about documents, so instructions have no effect.
    Raises InvalidRequest (unsupported_parameter, invalid_messages).
    """
    for name in _of_chats_only(body):
        raise InvalidRequest(
            f"{name} is not supported with the model {body.model!r}: answers from documents "
            "are written and cited by the service",
            code="unsupported_parameter",
            details={"name": name},
        )
    messages = [message for message in chat_messages(body.messages) if message.role != "system"]
    check_messages(messages)
    if messages[-1].role != "user":
        raise InvalidRequest(
            f"the last message is of {messages[-1].role!r}; expected 'user', the question",
            code="invalid_messages",
            details={"name": "messages"},
        )
    turns = (m for m in messages[:-1] if m.role in ("user", "assistant") and m.content)
    return AskRequest(
        base.id, messages[-1].content, options=body.options, history=tuple(turns), base=base
    )


def _of_chats_only(body: ChatInput) -> Iterator[str]:
    """Yield the parameters that would change an answer from documents, and cannot."""
    if body.stop:
        yield "stop"
    if body.logprobs:
        yield "logprobs"
    if body.tools and body.tool_choice != "none":
        yield "tools"
    if body.top_p not in (None, _ALL_TOKENS):
        yield "top_p"


def chat_messages(messages: Sequence[MessageInput]) -> tuple[ChatMessage, ...]:
    """Return the messages as the domain's; calls of the older form get ids of their own.

    Models know one instruction, at the beginning: all of them become that one, in their order.
    """
    found = list(_messages(messages))
    told = [message.content for message in found if message.role == "system" and message.content]
    instruction = [ChatMessage("system", "\n\n".join(told))] if told else []
    return (*instruction, *(message for message in found if message.role != "system"))


def _messages(messages: Sequence[MessageInput]) -> Iterator[ChatMessage]:
    ids: dict[str, str] = {}
    for number, message in enumerate(messages):
        match message:
            case AssistantMessage():
                calls = list(_calls(message, f"function_{number}"))
                ids |= {call.name: call.id for call in calls}
                yield ChatMessage("assistant", text_of(message.content), tuple(calls))
            case ToolMessage():
                yield ChatMessage(
                    "tool", text_of(message.content), tool_call_id=message.tool_call_id
                )
            case FunctionMessage():
                called = ids.get(message.name, message.name)
                yield ChatMessage("tool", text_of(message.content), tool_call_id=called)
            case _:
                role = "user" if message.role == "user" else "system"
                yield ChatMessage(role, text_of(message.content))


def _calls(message: AssistantMessage, own_id: str) -> Iterator[ToolCall]:
    for call in message.tool_calls or ():
        yield ToolCall(call.id, call.function.name, call.function.arguments)
    if message.function_call:
        yield ToolCall(own_id, message.function_call.name, message.function_call.arguments)


def text_of(content: Content | list[TextPart | RefusalPart] | None) -> str:
    """Return a content as one text; its parts on lines of their own."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)


def _offered(body: ChatInput) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools the model may use, and whether it has to."""
    tools = tuple(_tool(tool) for tool in body.tools or ())
    choice = body.tool_choice
    if choice == "none":
        return (), False
    if not isinstance(choice, ToolChoice):
        return tools, choice == "required"
    named = tuple(tool for tool in tools if tool.name == choice.function.name)
    if not named:
        raise InvalidRequest(
            f"tool_choice is {choice.function.name!r}, which is not among the tools",
            code="invalid_tools",
            details={"name": "tool_choice"},
        )
    return named, True


def _tool(tool: ToolInput) -> Tool:
    function = tool.function
    return Tool(function.name, function.description or "", function.parameters or NO_PARAMETERS)
