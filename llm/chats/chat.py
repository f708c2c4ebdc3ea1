"""Messages of a chat, the order they may come in, and the segments of ids that they become.

Knows roles and their order. Does not know how a family writes a chat (see chat_formats.py),
where messages come from, or how long a prompt may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from llm.chats.tool_prompts import Tool
from llm.errors import RoleOrderError

Role = Literal["system", "user", "assistant", "observation"]
# "rounds" holds all turns at once, where the format is one running text.
SegmentRole = Literal["prefix", "system", "user", "assistant", "observation", "rounds", "reply"]

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """One turn. `metadata` names the tool of an assistant's call; `tools` describes what a
    system message offers (see tool_prompts.py)."""

    role: Role
    content: str
    metadata: str = ""
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptSegment:
    """Ids that belong together: the prefix, one message, or the opening of the reply."""

    role: SegmentRole
    ids: tuple[int, ...]


def prompt_ids(segments: Sequence[PromptSegment]) -> list[int]:
    """The ids of all segments, one after the other: what the model reads."""
    return [token_id for segment in segments for token_id in segment.ids]


@dataclass(frozen=True, slots=True)
class RoleOrder:
    """What one family's chats may look like.

    `may_follow` names, for each role that there is, the roles that may stand before it, with ""
    for the start of the chat. `model` is how errors call the family.
    """

    model: str
    may_follow: Mapping[str, tuple[str, ...]]
    knows_tools: bool

    def check(self, messages: Sequence[ModelMessage]) -> None:
        """Raise RoleOrderError unless the messages can be a prompt of this family."""
        if not messages:
            raise RoleOrderError("there are 0 messages; at least 1 is needed")
        before: ModelMessage | None = None
        for number, message in enumerate(messages, start=1):
            problem = self._misplaced(message, before) or self._misused(message)
            if problem:
                raise RoleOrderError(f"message {number} of {len(messages)}: {problem}")
            before = message
        enders = [role for role in ("user", "observation") if role in self.may_follow]
        if messages[-1].role not in enders:
            raise RoleOrderError(
                f"the last message has the role {messages[-1].role!r};"
                f" expected {' or '.join(map(repr, enders))}"
            )

    def _misplaced(self, message: ModelMessage, before: ModelMessage | None) -> str:
        role = message.role
        allowed = self.may_follow.get(role)
        if allowed is None:
            return f"unknown role {role!r}; {self.model} knows {', '.join(self.may_follow)}"
        if (before.role if before else "") in allowed:
            return _uncalled(message, before)
        if allowed == ("",):
            return f"{_named(role)} can only be the first"
        found = _named(before.role) if before else "nothing"
        expected = " or ".join(repr(name) if name else "nothing" for name in allowed)
        return f"{_named(role)} cannot follow {found}; expected {expected} before it"

    def _misused(self, message: ModelMessage) -> str:
        if message.metadata and (message.role != "assistant" or not self.knows_tools):
            return f"metadata is {message.metadata!r}; {self._only('assistant')} has any"
        if "\n" in message.metadata:
            return f"metadata is {message.metadata!r}; expected one line"
        if message.tools and (message.role != "system" or not self.knows_tools):
            return f"tools are given; {self._only('system')} offers any"
        return ""

    def _only(self, role: str) -> str:
        return f"only {_named(role)}" if self.knows_tools else f"no message of {self.model}"


def _named(role: str) -> str:
    return f"{'an' if role[0] in 'ao' else 'a'} {role!r} message"


def _uncalled(message: ModelMessage, before: ModelMessage | None) -> str:
    answers = message.role == "observation" and before and before.role == "assistant"
    if answers and before and not before.metadata:
        return "an 'observation' must follow a call; the message before it has no metadata"
    return ""


_ANY = ("", "system", "user", "assistant", "observation")

ROUNDS_ORDER = {
    "system": ("",),
    "user": ("", "system", "assistant"),
    "assistant": ("user",),
}
CHATGLM_ORDER = RoleOrder("ChatGLM", ROUNDS_ORDER, knows_tools=False)
CHATGLM2_ORDER = RoleOrder("ChatGLM2", ROUNDS_ORDER, knows_tools=False)
CHATGLM3_ORDER = RoleOrder(
    "ChatGLM3",
    {
        "system": ("",),
        "user": ("", "system", "assistant", "observation"),
        "assistant": _ANY,
        "observation": ("assistant",),
    },
    knows_tools=True,
)
GLM4_ORDER = RoleOrder(
    "GLM-4",
    {
        "system": ("",),
        "user": _ANY,
        "assistant": _ANY,
        "observation": ("assistant", "observation"),
    },
    knows_tools=True,
)
GLM_EDGE_ORDER = RoleOrder(
    "GLM-Edge", {"system": ("",), "user": _ANY, "assistant": _ANY}, knows_tools=False
)
