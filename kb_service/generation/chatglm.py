"""A ChatGLM checkpoint in this process as a Generator and ChatGenerator.

Turns chats into the model's, its errors into ours, and its numbers into the audit record. Knows no
passages and no citations; the maths, the prompt ids and the sampling are llm's.
"""

import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import (
    ChatEnd,
    ChatEvent,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    SamplingOptions,
    TokenScore,
    Tool,
    ToolCall,
    Usage,
)
from kb_service.domain.errors import (
    Busy,
    ConfigurationError,
    GenerationError,
)
from kb_service.generation.by_chat import answer_by_chat
from kb_service.services.ranges import check_range
from llm.chats.chat import ModelMessage, PromptSegment
from llm.chats.chat_model import ChatModel, ChatReply
from llm.chats.tool_prompts import Tool as ModelTool
from llm.chats.turns import ClientTurn, TurnCall, TurnReply, chat_messages
from llm.checkpoints.checkpoint import LoadOptions
from llm.constraints import CallConstraint, Constraint
from llm.decoding import GeneratedToken, SamplingParams
from llm.engine.scheduler import EngineLimits
from llm.errors import (
    CheckpointError,
    EngineBusy,
    LlmError,
    PromptError,
    PromptTooLong,
    ToolCallError,
)

MAX_DRAWN_SEED = 2**31 - 1
SMALLEST_TOP_P = 1e-6
"""What 0 stands for: the likeliest token alone."""


class ChatGlmGenerator:
    """Answers with a loaded model. `max_tokens`, `temperature`: used when a request names none."""

    def __init__(self, model: ChatModel, *, max_tokens: int, temperature: float) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._temperature = temperature

    @classmethod
    def load(
        cls,
        folder: str,
        *,
        max_tokens: int,
        temperature: float,
        limits: EngineLimits | None = None,
        **options: Unpack[LoadOptions],
    ) -> "ChatGlmGenerator":
        """Load a released checkpoint; `options` are those of llm's load_model.

        Raises ConfigurationError (model_unavailable, model_corrupt).
        """
        path = Path(folder)
        if not path.is_dir():
            raise ConfigurationError(
                f"KB_LLM__MODEL is {folder!r}; expected the folder of a ChatGLM checkpoint or "
                "the http(s) address of an OpenAI-compatible server",
                code="model_unavailable",
                details={"model": folder},
            )
        try:
            model = ChatModel.load(path, limits, **options)
        except CheckpointError as error:
            raise ConfigurationError(
                f"KB_LLM__MODEL cannot be loaded: {error}",
                code="model_corrupt",
                details={"model": folder},
            ) from error
        return cls(model, max_tokens=max_tokens, temperature=temperature)

    @property
    def info(self) -> GeneratorInfo:
        """Name and hashes of the checkpoint; the first call reads every weight file once."""
        fingerprint = self._model.fingerprint
        return GeneratorInfo(
            kind="chatglm",
            name=self._model.folder.name,
            model_sha256=fingerprint.model,
            tokenizer_sha256=fingerprint.tokenizer,
        )

    @property
    def description(self) -> str:
        """Family, shape, type and place of the loaded weights, for the operator."""
        model = self._model.engine.model
        config = model.config
        kinds = {type(module).__name__ for module in model.modules()}
        width = next((w for w in ("Int4", "Int8") if any(k.startswith(w) for k in kinds)), "")
        quantised = f", linear layers in {width.lower()}" if width else ""
        return (
            f"{config.family}: {config.num_layers} layers of {config.hidden_size}, "
            f"{config.num_parameters / 1e6:,.0f} M weights, "
            f"{str(model.dtype).removeprefix('torch.')} on {model.device}{quantised}"
        )

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt to build: it leaves room for an answer, at most half the context."""
        longest = self._model.max_prompt_tokens
        return longest - min(self._max_tokens, longest // 2)

    def prompt_segments(self, messages: Sequence[ChatMessage]) -> tuple[PromptSegment, ...]:
        """Return the exact prompt of a chat. Raises GenerationError (invalid_prompt)."""
        with _translated():
            return self._model.prompt_segments(self._to_model(messages))

    def num_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the length of a chat's prompt. Raises GenerationError (invalid_prompt)."""
        return sum(len(segment.ids) for segment in self.prompt_segments(messages))

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the reply as it is decoded. Raises GenerationError (prompt_too_long, …), Busy."""
        return answer_by_chat(self, request)

    def chat(self, request: ChatRequest) -> Generator[ChatEvent, None, None]:
        """Yield the reply as it is decoded; a cancelled one just ends.

        A seed is drawn when sampling without one, so that every answer can be repeated. Raises
        InvalidRequest, GenerationError (prompt_too_long, invalid_prompt, generation_failed), Busy.
        """
        params = self._params(request.options, request.top_logprobs)
        with _translated():
            reply = self._reply(request, params)
            with closing(TurnReply(reply, request.stop)) as turn:
                for text in turn:
                    yield ChatPiece(text, self._scores(turn, request))
            rest = self._scores(turn, request)
        if rest:
            yield ChatPiece("", rest)
        if turn.end is not None:
            yield _end(turn, params)

    def _reply(self, request: ChatRequest, params: SamplingParams) -> ChatReply:
        offered = [_offer(tool) for tool in request.tools]
        return self._model.chat(
            self._to_model(request.messages, offered),
            params,
            request.cancelled,
            tenant=request.tenant,
            constraint=self._constraint(request, offered),
        )

    def _constraint(self, request: ChatRequest, tools: Sequence[ModelTool]) -> Constraint | None:
        if request.must_call:
            return CallConstraint([self._model.format.call_opening(tool) for tool in tools])
        if request.quote_sources is not None:
            return self._model.quote_constraint(request.quote_sources)
        return None

    def _to_model(
        self, messages: Sequence[ChatMessage], tools: Sequence[ModelTool] = ()
    ) -> list[ModelMessage]:
        return chat_messages([_turn(message) for message in messages], self._model.format, tools)

    def _params(self, options: SamplingOptions, top_logprobs: int | None) -> SamplingParams:
        check_range("max_tokens", options.max_tokens, 1, self._model.max_prompt_tokens)
        temperature = self._temperature if options.temperature is None else options.temperature
        drawn = None if temperature == 0 else secrets.randbelow(MAX_DRAWN_SEED)
        params = SamplingParams(
            temperature=temperature,
            max_tokens=options.max_tokens or self._max_tokens,
            seed=drawn if options.seed is None else options.seed,
            top_logprobs=top_logprobs,
        )
        if options.top_p is None:
            return params
        return replace(params, top_p=max(options.top_p, SMALLEST_TOP_P))

    def _scores(self, turn: TurnReply, request: ChatRequest) -> tuple[TokenScore, ...]:
        if request.top_logprobs is None:
            return ()
        return tuple(self._score(token) for token in turn.new_tokens())

    def _score(self, token: GeneratedToken) -> TokenScore:
        bytes_of = self._model.tokenizer.token_bytes
        others = (TokenScore(bytes_of(other), value) for other, value in token.top_logprobs)
        return TokenScore(bytes_of(token.id), token.logprob or 0.0, tuple(others))


def _offer(tool: Tool) -> ModelTool:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _turn(message: ChatMessage) -> ClientTurn:
    calls = tuple(TurnCall(call.id, call.name, call.arguments) for call in message.tool_calls)
    return ClientTurn(message.role, message.content, calls, message.tool_call_id)


def _end(turn: TurnReply, params: SamplingParams) -> ChatEnd:
    reply = turn.reply
    usage = reply.usage
    calls = tuple(
        ToolCall(f"call_{secrets.token_hex(12)}", call.name, call.arguments) for call in turn.calls
    )
    return ChatEnd(
        finish_reason=turn.end or "stop",
        usage=Usage(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens),
        tool_calls=calls,
        prompt_token_ids=reply.prompt_ids,
        sampling={
            "temperature": params.temperature,
            "top_p": params.top_p,
            "top_k": params.top_k,
            "repetition_penalty": params.repetition_penalty,
            "max_tokens": params.max_tokens,
            "seed": params.seed,
        },
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the model's errors into the service's, each with a stable code."""
    try:
        yield
    except PromptTooLong as error:
        raise GenerationError(
            str(error),
            code="prompt_too_long",
            details={"num_tokens": error.num_tokens, "max_tokens": error.max_prompt_tokens},
        ) from error
    except (PromptError, ToolCallError) as error:
        raise GenerationError(str(error), code="invalid_prompt") from error
    except EngineBusy as error:
        raise Busy(str(error), details={"max_waiting": error.max_waiting}) from error
    except LlmError as error:
        raise GenerationError(str(error), code="generation_failed") from error
