"""How each family writes a chat: messages to segments of ids.

Every field is encoded on its own, as plain text, and control ids are put between by name: no text
can become one. Knows formats, their stop ids and how their calls look. Does not know files,
sampling, or how a reply's text is cleaned (see reply.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from llm.chats.chat import (
    CHATGLM2_ORDER,
    CHATGLM3_ORDER,
    CHATGLM_ORDER,
    GLM4_ORDER,
    GLM_EDGE_ORDER,
    ModelMessage,
    PromptSegment,
    RoleOrder,
)
from llm.chats.reply import ReplyRules, ReplyText
from llm.chats.tool_calls import (
    ParsedToolCall,
    read_json_call,
    read_python_call,
    write_json_call,
    write_python_call,
)
from llm.chats.tool_prompts import (
    GLM4_NAME,
    Tool,
    chatglm3_system,
    chatglm3_tool_name,
    glm4_tools,
    tool_name,
)
from llm.errors import RoleOrderError, UnsupportedCheckpoint
from llm.released_texts import ANSWER, QUESTION
from llm.tokenizers import Tokenizer

_ROLE_TOKENS = ("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
SystemTexts = Callable[[ModelMessage], Sequence[str]]


def _content_alone(message: ModelMessage) -> tuple[str, ...]:
    return (message.content,)


def _chatglm3_system(message: ModelMessage) -> tuple[str, ...]:
    return (chatglm3_system(message.content, message.tools),)


def _glm4_system(message: ModelMessage, name: str) -> tuple[str, ...]:
    """Tools are a system message of their own, before the caller's."""
    tools = (glm4_tools(message.tools, name),) if message.tools else ()
    return (*tools, message.content) if message.content or not tools else tools


def _control_ids(tokenizer: Tokenizer, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(tokenizer.control_id(name) for name in names)


class ChatFormat(Protocol):
    """One family's way to write a chat and to read its reply."""

    @property
    def stop_ids(self) -> frozenset[int]:
        """Ids that end a reply and are no part of it."""

    def segments(self, messages: Sequence[ModelMessage]) -> tuple[PromptSegment, ...]:
        """The segments of a prompt that ends where the assistant's reply begins.

        Raises:
            RoleOrderError: an order that the format does not allow.
            InvalidPrompt: text that is not Unicode, or a tool that cannot be described.
        """

    def continuation(self, text: str) -> tuple[PromptSegment, ...]:
        """The segments of a prompt that a base model goes on writing: no roles, no turns."""

    def reply_text(self, messages: Sequence[ModelMessage]) -> ReplyText:
        """A fresh reader for the reply to these messages."""

    def read_call(self, name: str, text: str) -> ParsedToolCall:
        """A call in a reply. Raises ToolCallError: it cannot be read."""

    def call_message(self, name: str, arguments: str) -> ModelMessage:
        """An earlier call, given as JSON arguments, as the message that made it.

        Raises:
            RoleOrderError: this family calls no tools.
            ToolCallError: the arguments are no JSON object.
        """

    def call_opening(self, tool: Tool) -> tuple[int, ...]:
        """The ids by which a reply that calls the tool begins.

        Raises:
            RoleOrderError: this family calls no tools.
        """


@dataclass(frozen=True, slots=True)
class RoundsFormat:
    """ChatGLM and ChatGLM2: a running text of numbered questions and answers.

    There is no system role: its text stands before the first question, as in the released
    demonstrations. `before` and `after` are the control tokens around the text.
    """

    tokenizer: Tokenizer
    order: RoleOrder
    rules: ReplyRules
    first_round: int
    gap: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    bare_first_question: bool = False

    @property
    def stop_ids(self) -> frozenset[int]:
        return frozenset((self.tokenizer.eos_id,))

    def segments(self, messages: Sequence[ModelMessage]) -> tuple[PromptSegment, ...]:
        self.order.check(messages)
        return self.continuation(self._rounds(messages))

    def continuation(self, text: str) -> tuple[PromptSegment, ...]:
        prefix = PromptSegment("prefix", _control_ids(self.tokenizer, self.before))
        reply = PromptSegment("reply", _control_ids(self.tokenizer, self.after))
        rounds = PromptSegment("rounds", tuple(self.tokenizer.encode(text)))
        return tuple(part for part in (prefix, rounds, reply) if part.ids)

    def reply_text(self, messages: Sequence[ModelMessage]) -> ReplyText:
        return ReplyText(self.tokenizer, self.rules)

    def read_call(self, name: str, text: str) -> ParsedToolCall:
        raise RoleOrderError(f"{self.order.model} calls no tools; asked for one of {name!r}")

    def call_message(self, name: str, arguments: str) -> ModelMessage:
        raise RoleOrderError(f"{self.order.model} calls no tools; asked for one of {name!r}")

    def call_opening(self, tool: Tool) -> tuple[int, ...]:
        raise RoleOrderError(f"{self.order.model} calls no tools")

    def _rounds(self, messages: Sequence[ModelMessage]) -> str:
        system = "".join(turn.content for turn in messages if turn.role == "system")
        questions = [turn.content for turn in messages if turn.role == "user"]
        answers = [turn.content for turn in messages if turn.role == "assistant"]
        questions[0] = system + questions[0]
        if self.bare_first_question and not answers:
            return questions[0]
        gap = self.gap
        text = ""
        for number, question in enumerate(questions):
            text += f"[Round {number + self.first_round}]{gap}{QUESTION}{question}{gap}{ANSWER}"
            text += f"{answers[number]}{gap}" if number < len(answers) else ""
        return text


@dataclass(frozen=True, slots=True)
class RolesFormat:
    """ChatGLM3, GLM-4 and GLM-Edge: each message is a role id, a line of metadata, its content.

    `joins_header` encodes that line and the content as one text. `system_texts` makes of a system
    message the contents of one or more segments.
    """

    tokenizer: Tokenizer
    order: RoleOrder
    prefix: tuple[str, ...] = ()
    joins_header: bool = False
    system_texts: SystemTexts = _content_alone
    read: Callable[[str, str], ParsedToolCall] = read_json_call
    write: Callable[[str, str], str] = write_json_call
    called_name: Callable[[Tool], str] = tool_name

    def __post_init__(self) -> None:
        _control_ids(self.tokenizer, (*_ROLE_TOKENS, *self.prefix))

    @property
    def stop_ids(self) -> frozenset[int]:
        turns = _control_ids(self.tokenizer, ("<|user|>", "<|observation|>"))
        return frozenset((self.tokenizer.eos_id, *turns))

    def segments(self, messages: Sequence[ModelMessage]) -> tuple[PromptSegment, ...]:
        self.order.check(messages)
        opening = _control_ids(self.tokenizer, ("<|assistant|>",))
        parts = [part for message in messages for part in self._parts(message)]
        return (*self._prefix(), *parts, PromptSegment("reply", opening))

    def continuation(self, text: str) -> tuple[PromptSegment, ...]:
        return (*self._prefix(), PromptSegment("user", tuple(self.tokenizer.encode(text))))

    def reply_text(self, messages: Sequence[ModelMessage]) -> ReplyText:
        names = [self.called_name(tool) for message in messages for tool in message.tools]
        rules = ReplyRules(new_part_id=self.tokenizer.control_id("<|assistant|>"))
        return ReplyText(self.tokenizer, rules, names)

    def read_call(self, name: str, text: str) -> ParsedToolCall:
        return self.read(name, text)

    def call_message(self, name: str, arguments: str) -> ModelMessage:
        if not self.order.knows_tools:
            raise RoleOrderError(f"{self.order.model} calls no tools; asked for one of {name!r}")
        return ModelMessage("assistant", self.write(name, arguments), metadata=name)

    def call_opening(self, tool: Tool) -> tuple[int, ...]:
        if not self.order.knows_tools:
            raise RoleOrderError(f"{self.order.model} calls no tools")
        return tuple(self.tokenizer.encode(self.called_name(tool) + "\n"))

    def _prefix(self) -> tuple[PromptSegment, ...]:
        ids = _control_ids(self.tokenizer, self.prefix)
        return (PromptSegment("prefix", ids),) if ids else ()

    def _parts(self, message: ModelMessage) -> tuple[PromptSegment, ...]:
        texts = self.system_texts(message) if message.role == "system" else (message.content,)
        role_id = self.tokenizer.control_id(f"<|{message.role}|>")
        return tuple(
            PromptSegment(message.role, (role_id, *self._text_ids(message.metadata + "\n", text)))
            for text in texts
        )

    def _text_ids(self, header: str, content: str) -> list[int]:
        if self.joins_header:
            return self.tokenizer.encode(header + content)
        return self.tokenizer.encode(header) + self.tokenizer.encode(content)


def chatglm_format(tokenizer: Tokenizer) -> ChatFormat:
    """Rounds from 0; the model reads [gMASK] and <sop> after the text."""
    return RoundsFormat(
        tokenizer,
        CHATGLM_ORDER,
        ReplyRules(widens_punctuation=True),
        first_round=0,
        gap="\n",
        after=("[gMASK]", "<sop>"),
        bare_first_question=True,
    )


def chatglm2_format(tokenizer: Tokenizer) -> ChatFormat:
    """Rounds from 1 with blank lines."""
    return RoundsFormat(
        tokenizer,
        CHATGLM2_ORDER,
        ReplyRules(),
        first_round=1,
        gap="\n\n",
        before=("[gMASK]", "sop"),
    )


def chatglm3_format(tokenizer: Tokenizer) -> ChatFormat:
    """Role ids; tools and a code interpreter, called in Python's syntax."""
    return RolesFormat(
        tokenizer,
        CHATGLM3_ORDER,
        prefix=("[gMASK]", "sop"),
        system_texts=_chatglm3_system,
        read=read_python_call,
        write=write_python_call,
        called_name=chatglm3_tool_name,
    )


def glm4_format(tokenizer: Tokenizer, name: str = GLM4_NAME) -> ChatFormat:
    """Role ids; tools in sections, called in JSON. `name` is what the model is told to be."""
    return RolesFormat(
        tokenizer,
        GLM4_ORDER,
        prefix=("[gMASK]", "<sop>"),
        system_texts=partial(_glm4_system, name=name),
    )


def glm_edge_format(tokenizer: Tokenizer) -> ChatFormat:
    """Role ids without a prefix, tools or results."""
    return RolesFormat(tokenizer, GLM_EDGE_ORDER, joins_header=True)


_FORMATS: dict[str, Callable[[Tokenizer], ChatFormat]] = {
    "chatglm1": chatglm_format,
    "chatglm2": chatglm2_format,
    "chatglm3": chatglm3_format,
    "glm4": glm4_format,
}


def chat_format(family: str, tokenizer: Tokenizer, *, has_prefix: bool = True) -> ChatFormat:
    """The format of a family; native GLM checkpoints are told apart by their prefix.

    Raises:
        UnsupportedCheckpoint: an unknown family.
        CheckpointError: the tokenizer lacks one of the format's control tokens.
    """
    if family == "glm":
        return glm4_format(tokenizer) if has_prefix else glm_edge_format(tokenizer)
    if family not in _FORMATS:
        raise UnsupportedCheckpoint(
            f"the generation is {family!r}; chats are known for {', '.join(_FORMATS)}, glm"
        )
    return _FORMATS[family](tokenizer)
