"""Chats as other programs keep them: calls with ids, several at a time, results by id.

Turns them into the messages of a format, which has one call for each message and the result right
behind it, and reads a reply back: up to a stop string, with its calls. Knows no HTTP and no
framework.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llm.chats.chat import ROLES, ModelMessage, Role
from llm.chats.chat_formats import ChatFormat
from llm.chats.chat_model import ChatReply
from llm.chats.stop_strings import StopStrings
from llm.chats.tool_calls import ParsedToolCall
from llm.chats.tool_prompts import Tool
from llm.decoding import GeneratedToken
from llm.errors import RoleOrderError, ToolCallError

TurnEnd = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class TurnCall:
    """A call of an assistant's turn; `arguments` is the text of a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ClientTurn:
    """One turn: role is system, user, assistant or tool; a tool's turn answers `call_id`."""

    role: str
    content: str
    calls: tuple[TurnCall, ...] = ()
    call_id: str = ""


def chat_messages(
    turns: Sequence[ClientTurn], chat_format: ChatFormat, tools: Sequence[Tool] = ()
) -> list[ModelMessage]:
    """The turns as messages; user turns that follow each other become one.

    Raises:
        RoleOrderError: an unknown role, a result without its call, a call by a model that makes
            none.
        ToolCallError: a call whose arguments are no JSON object.
    """
    messages: list[ModelMessage] = []
    for message in _in_order(turns, chat_format):
        if messages and messages[-1].role == message.role == "user":
            text = f"{messages.pop().content}\n\n{message.content}"
            message = ModelMessage("user", text)  # noqa: PLW2901  the joined one takes its place
        messages.append(message)
    return _offering(messages, tuple(tools)) if tools else messages


def _in_order(turns: Sequence[ClientTurn], chat_format: ChatFormat) -> Iterator[ModelMessage]:
    results = {turn.call_id: turn.content for turn in turns if turn.role == "tool"}
    called = {call.id for turn in turns for call in turn.calls}
    for turn in turns:
        if turn.role == "tool":
            if turn.call_id not in called:
                raise RoleOrderError(
                    f"a tool's turn answers the call {turn.call_id!r}; none has it"
                )
        elif turn.calls:
            yield from _calls(turn, results, chat_format)
        else:
            yield ModelMessage(_role(turn.role), turn.content)


def _calls(
    turn: ClientTurn, results: Mapping[str, str], chat_format: ChatFormat
) -> Iterator[ModelMessage]:
    if turn.content:
        yield ModelMessage("assistant", turn.content)
    for call in turn.calls:
        yield chat_format.call_message(call.name, call.arguments)
        if call.id in results:
            yield ModelMessage("observation", results[call.id])


def _role(name: str) -> Role:
    for role in ROLES:
        if role == name != "observation":
            return role
    raise RoleOrderError(f"unknown role {name!r}; expected system, user, assistant or tool")


def _offering(messages: list[ModelMessage], tools: tuple[Tool, ...]) -> list[ModelMessage]:
    if messages and messages[0].role == "system":
        return [ModelMessage("system", messages[0].content, tools=tools), *messages[1:]]
    return [ModelMessage("system", "", tools=tools), *messages]


class TurnReply(Iterator[str]):
    """The pieces of a reply up to the first stop string; afterwards why it ended and its calls.

    Closing it closes the reply.
    """

    def __init__(self, reply: ChatReply, stops: Sequence[str] = ()) -> None:
        self.reply = reply
        self._stops = StopStrings(stops)
        self._num_told = 0
        self._is_over = False

    def __next__(self) -> str:
        while not self._is_over:
            piece = next(self.reply, None)
            text = self._stops.flush() if piece is None else self._stops.feed(piece)
            if piece is None or self._stops.is_found:
                self._is_over = True
                self.reply.close()
            if text:
                return text
        raise StopIteration

    @property
    def end(self) -> TurnEnd | None:
        """Why the reply ended; None while it streams, and for ever if it was cancelled."""
        if self._stops.is_found:
            return "stop"
        if self.reply.raw_calls and self.reply.finish_reason == "stop":
            return "tool_calls"
        return self.reply.finish_reason

    @property
    def calls(self) -> tuple[ParsedToolCall, ...]:
        """The calls of a reply that ended with them; the text of one that cannot be read is its
        arguments, which the caller's own parser will refuse."""
        if self.end != "tool_calls":
            return ()
        try:
            return self.reply.tool_calls
        except ToolCallError:
            return tuple(ParsedToolCall(name, text, text) for name, text in self.reply.raw_calls)

    def new_tokens(self) -> Sequence[GeneratedToken]:
        """The tokens since the last time this was asked, without a final stop id."""
        tokens = self.reply.tokens[self._num_told :]
        self._num_told += len(tokens)
        return [token for token in tokens if token.finish_reason != "stop"]

    def close(self) -> None:
        """End the generation."""
        self._is_over = True
        self.reply.close()
