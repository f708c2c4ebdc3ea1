"""ChatGLM3's chat format: messages to segments of ids.

Each message is a role id, then the ids of its metadata line, then those of its content, each
encoded on its own: no text can become a control id. Knows roles and their order. Does not know
where messages come from, how long a prompt may be, or how a reply is read (see reply.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from llm.errors import RoleOrderError

Role = Literal["system", "user", "assistant", "observation"]
SegmentRole = Literal["prefix", "system", "user", "assistant", "observation", "reply"]

ROLES: tuple[Role, ...] = get_args(Role)


class ChatTokenizer(Protocol):
    """What the format needs of a tokenizer."""

    eos_id: int

    def encode(self, text: str) -> list[int]: ...

    def control_id(self, name: str) -> int: ...


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn. `metadata` names the tool of an assistant's call; `tools` describes what a
    system message offers, each with name, description and parameters."""

    role: Role
    content: str
    metadata: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Ids that belong together: the prefix, one message, or the opening of the reply."""

    role: SegmentRole
    ids: tuple[int, ...]


def prompt_segments(
    messages: Sequence[ChatMessage], tokenizer: ChatTokenizer
) -> tuple[Segment, ...]:
    """The segments of a prompt that ends where the assistant's reply begins.

    Raises:
        RoleOrderError: an order that the format does not allow.
        InvalidPrompt: text that is not Unicode.
    """
    check_order(messages)
    prefix = (tokenizer.control_id("[gMASK]"), tokenizer.control_id("sop"))
    opening = (tokenizer.control_id("<|assistant|>"),)
    return (
        Segment("prefix", prefix),
        *(Segment(message.role, _message_ids(message, tokenizer)) for message in messages),
        Segment("reply", opening),
    )


def prompt_ids(segments: Sequence[Segment]) -> list[int]:
    """The ids of all segments, one after the other: what the model reads."""
    return [token_id for segment in segments for token_id in segment.ids]


def stop_ids(tokenizer: ChatTokenizer) -> frozenset[int]:
    """Ids that end a reply: end of text, the user's turn, or a wait for a tool's result."""
    return frozenset(
        (
            tokenizer.eos_id,
            tokenizer.control_id("<|user|>"),
            tokenizer.control_id("<|observation|>"),
        )
    )


def check_order(messages: Sequence[ChatMessage]) -> None:
    """Raise RoleOrderError unless the messages can be a prompt.

    A system message comes first or not at all; a user message never follows another; an
    observation follows an assistant's call; the last message is the user's or an observation.
    """
    if not messages:
        raise RoleOrderError("there are 0 messages; at least 1 is needed")
    before: str | None = None
    for number, message in enumerate(messages, start=1):
        problem = _problem(message, before)
        if problem:
            raise RoleOrderError(f"message {number} of {len(messages)}: {problem}")
        before = message.role
    if before not in ("user", "observation"):
        raise RoleOrderError(
            f"the last message has the role {before!r}; expected 'user' or 'observation'"
        )


def _problem(message: ChatMessage, before: str | None) -> str:
    role = message.role
    if role not in ROLES:
        return f"unknown role {role!r}; expected one of {', '.join(ROLES)}"
    if role == "system" and before is not None:
        return "a 'system' message can only be the first"
    if role == "user" and before == "user":
        return "a 'user' message cannot follow another; join them"
    if role == "observation" and before != "assistant":
        return f"an 'observation' must follow an 'assistant' message, not {before or 'nothing'}"
    if message.metadata and role != "assistant":
        return f"metadata is {message.metadata!r}; only an 'assistant' message has any"
    if "\n" in message.metadata:
        return f"metadata is {message.metadata!r}; expected one line"
    if message.tools and role != "system":
        return "tools are given; only a 'system' message offers any"
    return ""


def _message_ids(message: ChatMessage, tokenizer: ChatTokenizer) -> tuple[int, ...]:
    content = message.content
    if message.tools:
        # Indented JSON below the text is how the model was trained to read tools.
        content += "\n" + json.dumps(list(message.tools), indent=4, ensure_ascii=False)
    return (
        tokenizer.control_id(f"<|{message.role}|>"),
        *tokenizer.encode(message.metadata + "\n"),
        *tokenizer.encode(content),
    )
