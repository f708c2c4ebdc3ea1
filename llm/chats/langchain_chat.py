"""A loaded model as a LangChain `BaseChatModel`, for use in somebody's own chain.

Knows LangChain's messages; everything else is the package's. Nothing else here imports LangChain.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from pydantic import ConfigDict, SkipValidation

try:
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
    from langchain_core.messages import (
        AIMessage,
        AIMessageChunk,
        BaseMessage,
        ChatMessage,
        HumanMessage,
        SystemMessage,
        ToolMessage,
    )
    from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
    from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
    from langchain_core.outputs import ChatGenerationChunk, ChatResult
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool
    from langchain_core.utils.function_calling import convert_to_openai_tool
except ModuleNotFoundError as error:
    raise ImportError(
        'langchain_core is not installed: pip install "kb-service[langchain]"'
    ) from error

from llm.chats.chat import prompt_ids
from llm.chats.chat_model import ChatModel
from llm.chats.turns import ClientTurn, TurnCall, TurnReply, chat_messages
from llm.constraints import CallConstraint
from llm.decoding import SamplingParams
from llm.errors import PromptError, ToolCallError

_SAMPLING = ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "seed")
_TURN_TOKENS = 8
"""Allowance for what a format puts around a turn, where the exact prompt is not known."""

_ROLES: dict[type[BaseMessage], str] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    ToolMessage: "tool",
}


class LocalChatGLM(BaseChatModel):
    """Chats with a model of this process: whole, streamed, with tools and stop strings.

    The sampling fields may be given to each call too. Closing a stream ends its generation. The
    package's own errors (llm.errors) come through as they are; ValueError says what LangChain asks
    that the model cannot do.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    model: SkipValidation[ChatModel]
    temperature: float = 0.8
    top_p: float = 0.8
    top_k: int = 50
    repetition_penalty: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    tenant: str = ""

    @property
    def _llm_type(self) -> str:
        return "chatglm"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        sampling = {name: getattr(self, name) for name in _SAMPLING}
        return {"model_name": self.model.folder.name, **sampling}

    def get_token_ids(self, text: str) -> list[int]:
        """The ids of a text by the model's own tokenizer. LangChain's default would fetch GPT-2.

        Raises InvalidPrompt for text that is not Unicode.
        """
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        return self.model.tokenizer.encode(text)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """The length of the prompt that the messages become, tools included.

        Messages that are no whole chat, as LangChain counts them while it trims one, are counted
        turn by turn with an allowance. Raises ValueError for what cannot be sent to this model.
        """
        turns = [_turn(message) for message in messages]
        offered = [convert_to_openai_tool(tool) for tool in tools or ()]
        try:
            asked = chat_messages(turns, self.model.format, offered)
            return len(prompt_ids(self.model.prompt_segments(asked)))
        except (PromptError, ToolCallError):
            texts = [_counted_text(turn) for turn in turns]
            texts += [json.dumps(tool, ensure_ascii=False) for tool in offered]
            return sum(self.get_num_tokens(text) + _TURN_TOKENS for text in texts)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,  # noqa: ANN401  LangChain's signature
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice`: "auto", "none", "any" or "required" for some call, or the
        name of the tool to call. Raises ValueError for another one."""
        offered = [convert_to_openai_tool(tool) for tool in tools]
        if tool_choice == "none":
            return self.bind(**kwargs)
        if tool_choice in (None, "auto"):
            return self.bind(tools=offered, **kwargs)
        if tool_choice not in ("any", "required"):
            offered = [tool for tool in offered if tool["function"]["name"] == tool_choice]
        if not offered:
            raise ValueError(f"tool_choice is {tool_choice!r}, which is not among the tools")
        return self.bind(tools=offered, must_call=True, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ANN401  LangChain's signature
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ANN401  LangChain's signature
    ) -> Iterator[ChatGenerationChunk]:
        tools, must_call = kwargs.pop("tools", ()), kwargs.pop("must_call", False)
        params = self._params(kwargs)
        turns = [_turn(message) for message in messages]
        asked = chat_messages(turns, self.model.format, tools)
        openings = [self.model.format.call_opening(tool) for tool in tools if must_call]
        constraint = CallConstraint(openings) if openings else None
        reply = self.model.chat(asked, params, tenant=self.tenant, constraint=constraint)
        with closing(TurnReply(reply, stop or ())) as turn:
            for text in turn:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                if run_manager:
                    run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        yield ChatGenerationChunk(message=self._last_chunk(turn))

    def _params(self, changes: dict[str, Any]) -> SamplingParams:
        unknown = sorted(changes.keys() - set(_SAMPLING))
        if unknown:
            raise ValueError(f"no parameter {unknown[0]!r}; known: {', '.join(_SAMPLING)}")
        return SamplingParams(**{name: getattr(self, name) for name in _SAMPLING} | changes)

    def _last_chunk(self, turn: TurnReply) -> AIMessageChunk:
        usage = turn.reply.usage
        return AIMessageChunk(
            content="",
            tool_call_chunks=_call_chunks(turn),
            usage_metadata=UsageMetadata(
                input_tokens=usage.prompt_tokens,
                output_tokens=usage.completion_tokens,
                total_tokens=usage.prompt_tokens + usage.completion_tokens,
                input_token_details=InputTokenDetails(cache_read=usage.cached_tokens),
            ),
            response_metadata={
                "finish_reason": turn.end,
                "model_name": self.model.folder.name,
            },
            chunk_position="last",
        )


def _call_chunks(turn: TurnReply) -> list[ToolCallChunk]:
    return [
        tool_call_chunk(
            name=call.name,
            args=call.arguments,
            id=f"call_{secrets.token_hex(12)}",
            index=number,
        )
        for number, call in enumerate(turn.calls)
    ]


def _turn(message: BaseMessage) -> ClientTurn:
    text = _text(message)
    if isinstance(message, ChatMessage):
        return ClientTurn(message.role, text)
    role = next((name for kind, name in _ROLES.items() if isinstance(message, kind)), None)
    if role is None:
        raise ValueError(f"no {type(message).__name__} can be sent to this model")
    if isinstance(message, ToolMessage):
        return ClientTurn(role, text, call_id=message.tool_call_id)
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    made = tuple(
        TurnCall(call["id"] or "", call["name"], json.dumps(call["args"], ensure_ascii=False))
        for call in calls
    )
    return ClientTurn(role, text, made)


def _counted_text(turn: ClientTurn) -> str:
    calls = (f"{call.name}\n{call.arguments}" for call in turn.calls)
    return "\n".join((turn.content, *calls))


def _text(message: BaseMessage) -> str:
    """The text of a message's content. Raises ValueError for a block of another kind."""
    content = message.content
    if isinstance(content, str):
        return content
    texts = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type") == "text":
            texts.append(str(block["text"]))
        elif block.get("type") not in ("tool_call", "tool_use", "tool_call_chunk"):
            raise ValueError(f"a content block is of the type {block.get('type')!r}; expected text")
    return "".join(texts)
