"""The values of one generation: what the caller asks for, what comes out, what it cost.

Plain data without torch, so that callers can build requests without loading a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llm.errors import InvalidSampling

FinishReason = Literal["stop", "length"]

# The released code treats anything at or below this as greedy.
GREEDY_TEMPERATURE = 1e-5
MAX_SEED = 2**63 - 1
MAX_TOP_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to choose tokens; the defaults are those of ChatGLM3's own chat().

    temperature 0 is greedy; top_k 0 keeps every token; repetition_penalty 1 changes nothing;
    seed None draws a fresh one. top_logprobs None reports no log probabilities, 0 only that of
    the chosen token.

    Raises:
        InvalidSampling: a value outside its range.
    """

    temperature: float = 0.8
    top_p: float = 0.8
    top_k: int = 50
    repetition_penalty: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    top_logprobs: int | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.temperature <= 100, "temperature", self.temperature, "0 to 100")
        _require(0 < self.top_p <= 1, "top_p", self.top_p, "above 0, up to 1")
        _require(self.top_k >= 0, "top_k", self.top_k, "0 (off) or more")
        _require(
            0.1 <= self.repetition_penalty <= 10,
            "repetition_penalty",
            self.repetition_penalty,
            "0.1 to 10",
        )
        _require(self.max_tokens >= 1, "max_tokens", self.max_tokens, "1 or more")
        _require(
            self.seed is None or 0 <= self.seed <= MAX_SEED, "seed", self.seed, "0 to 2^63 - 1"
        )
        _require(
            self.top_logprobs is None or 0 <= self.top_logprobs <= MAX_TOP_LOGPROBS,
            "top_logprobs",
            self.top_logprobs,
            f"0 to {MAX_TOP_LOGPROBS}",
        )

    @property
    def greedy(self) -> bool:
        return self.temperature <= GREEDY_TEMPERATURE


@dataclass(frozen=True, slots=True)
class GeneratedToken:
    """One generated id; the last one of a generation carries the reason it ended.

    After "stop" the id is the stop id itself, which is no part of the text. `logprob` is the
    natural logarithm of the model's own probability, before temperature and filters;
    `top_logprobs` pairs the likeliest ids with theirs. Both only when they were asked for.
    """

    id: int
    finish_reason: FinishReason | None = None
    logprob: float | None = None
    top_logprobs: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens read and tokens generated, a final stop id included.

    `cached_tokens` of the prompt were not computed anew: their keys and values were at hand.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


def _require(holds: bool, name: str, value: object, accepted: str) -> None:
    if not holds:
        raise InvalidSampling(f"{name} is {value!r}; accepted: {accepted}")
