"""A ChatGLM checkpoint in this process as a Generator.

Turns messages into the model's chat, its errors into ours, and its numbers into the audit record.
Knows no passages and no citations; the maths, the prompt ids and the sampling are llm's.
"""

import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.chats import ChatMessage, SamplingOptions, Usage
from kb_service.domain.errors import ConfigurationError, GenerationError
from llm.chat import ROLES, Role, Segment
from llm.chat import ChatMessage as ModelMessage
from llm.chat_model import ChatModel, ChatReply
from llm.errors import CheckpointError, LlmError, PromptError, PromptTooLong
from llm.generation import SamplingParams

MAX_DRAWN_SEED = 2**31 - 1


class ChatGlmGenerator:
    """Answers with a loaded model. `max_tokens`, `temperature`: used when a request names none."""

    def __init__(self, model: ChatModel, *, max_tokens: int, temperature: float) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._temperature = temperature

    @classmethod
    def load(
        cls, folder: str, *, device: str, dtype: str, max_tokens: int, temperature: float
    ) -> "ChatGlmGenerator":
        """Load a released ChatGLM3-6B folder. Raises ConfigurationError (model_unavailable, …)."""
        path = Path(folder)
        if not path.is_dir():
            raise ConfigurationError(
                f"KB_LLM__MODEL is {folder!r}; expected the folder of a ChatGLM3-6B checkpoint",
                code="model_unavailable",
                details={"model": folder},
            )
        try:
            model = ChatModel.load(path, device=device, dtype=dtype)
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
    def max_prompt_tokens(self) -> int:
        """The longest prompt to build: it leaves room for an answer, at most half the context."""
        longest = self._model.max_prompt_tokens
        return longest - min(self._max_tokens, longest // 2)

    def prompt_segments(self, messages: Sequence[ChatMessage]) -> tuple[Segment, ...]:
        """Return the exact prompt of a chat. Raises GenerationError (invalid_prompt)."""
        with _translated():
            return self._model.prompt_segments(_to_model(messages))

    def num_prompt_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return the length of a chat's prompt. Raises GenerationError (invalid_prompt)."""
        return sum(len(segment.ids) for segment in self.prompt_segments(messages))

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the reply as it is decoded. Raises GenerationError (prompt_too_long, …).

        A seed is drawn when sampling without one, so that every answer can be repeated.
        """
        params = self._params(request.options)
        with _translated():
            reply = self._model.chat(_to_model(request.messages), params)
            with closing(reply):
                text = ""
                for piece in reply:
                    text += piece
                    yield piece
        return _generation(text, reply, params)

    def _params(self, options: SamplingOptions) -> SamplingParams:
        temperature = self._temperature if options.temperature is None else options.temperature
        params = SamplingParams(
            temperature=temperature,
            max_tokens=options.max_tokens or self._max_tokens,
            seed=options.seed,
        )
        if params.greedy or params.seed is not None:
            return params
        return SamplingParams(
            temperature=temperature,
            max_tokens=params.max_tokens,
            seed=secrets.randbelow(MAX_DRAWN_SEED),
        )


def _to_model(messages: Sequence[ChatMessage]) -> list[ModelMessage]:
    return [ModelMessage(_role(message.role), message.content) for message in messages]


def _role(name: str) -> Role:
    for role in ROLES:
        if role == name:
            return role
    raise GenerationError(
        f"message role is {name!r}; expected one of {', '.join(ROLES)}", code="invalid_prompt"
    )


def _generation(text: str, reply: ChatReply, params: SamplingParams) -> Generation:
    return Generation(
        text=text,
        usage=Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens),
        prompt_token_ids=reply.prompt_ids,
        sampling={
            "temperature": params.temperature,
            "top_p": params.top_p,
            "top_k": params.top_k,
            "repetition_penalty": params.repetition_penalty,
            "max_tokens": params.max_tokens,
            "seed": params.seed,
        },
        finish_reason=reply.finish_reason or "stop",
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
    except PromptError as error:
        raise GenerationError(str(error), code="invalid_prompt") from error
    except LlmError as error:
        raise GenerationError(str(error), code="generation_failed") from error
