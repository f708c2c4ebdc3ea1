"""The decode loop: prompt ids in, a stream of tokens out, for one sequence at a time.

Knows the context limit, chunked prefill, stop ids and when to end. Does not know text, roles or
threads. schedule -> run -> postprocess: a step feeds the ids that the cache has not seen, and
turns the scores behind them into the next token.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm.errors import InvalidPrompt, PromptTooLong
from llm.generation import FinishReason, SamplingParams, Token
from llm.kv_cache import KVCache
from llm.model import ChatGLM
from llm.sampling import new_generator, sample

# Bounds the memory of attention scores and of the feed-forward activations during prefill.
PREFILL_CHUNK_TOKENS = 256


@dataclass(slots=True)
class _Sequence:
    """One request under way; positions are slots, because a single sequence has no padding."""

    ids: list[int]
    max_tokens: int
    stop_ids: frozenset[int]
    cancelled: Callable[[], bool]
    num_generated: int = 0

    @property
    def max_slots(self) -> int:
        """Cache slots to the end; one less than ids, as the last one is never fed back."""
        return len(self.ids) + self.max_tokens - self.num_generated - 1

    def append(self, token_id: int) -> FinishReason | None:
        """Take the next token; returns why it is the last one, if it is."""
        self.ids.append(token_id)
        self.num_generated += 1
        if token_id in self.stop_ids:
            return "stop"
        return "length" if self.num_generated == self.max_tokens else None


class Engine:
    """Generates from one model.

    `num_ids` is the number of ids that have a meaning; the scores of the padding rows behind
    them are never looked at.
    """

    def __init__(
        self,
        model: ChatGLM,
        num_ids: int | None = None,
        prefill_chunk_tokens: int = PREFILL_CHUNK_TOKENS,
    ) -> None:
        self.model = model
        self.num_ids = num_ids or model.config.vocab_size
        self.max_context = model.config.max_context
        self._chunk = prefill_chunk_tokens

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for one token of answer."""
        return self.max_context - 1

    def check_prompt(self, prompt_ids: Sequence[int]) -> None:
        """Raise InvalidPrompt or PromptTooLong for a prompt that `generate` would refuse."""
        if not prompt_ids:
            raise InvalidPrompt("the prompt has 0 tokens; at least 1 is needed")
        for token_id in (min(prompt_ids), max(prompt_ids)):
            if not 0 <= token_id < self.num_ids:
                raise InvalidPrompt(
                    f"the prompt holds the id {token_id}; accepted: 0 to {self.num_ids - 1}"
                )
        if len(prompt_ids) > self.max_prompt_tokens:
            raise PromptTooLong(len(prompt_ids), self.max_prompt_tokens)

    def generate(
        self,
        prompt_ids: Sequence[int],
        params: SamplingParams,
        stop_ids: Collection[int] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Generator[Token, None, None]:
        """Stream tokens until a stop id, max_tokens or the end of the context.

        Closing the generator ends the work and frees the cache. `cancelled` is asked before
        every chunk, so that another thread can end a long prefill; the stream then just ends.

        Raises:
            InvalidPrompt, PromptTooLong: at the call, before any work.
            NonFiniteLogits: from the stream.
        """
        self.check_prompt(prompt_ids)
        max_tokens = min(params.max_tokens, self.max_context - len(prompt_ids))
        sequence = _Sequence(list(prompt_ids), max_tokens, frozenset(stop_ids), cancelled)
        return self._stream(sequence, params)

    def _stream(self, sequence: _Sequence, params: SamplingParams) -> Generator[Token, None, None]:
        cache = self.model.new_cache(sequence.max_slots)
        generator = new_generator(params.seed)
        reason = None
        while reason is None:
            logits = self._run(sequence, cache)
            if logits is None:
                return
            chosen = sample(logits, params, torch.tensor(sequence.ids), generator)
            reason = sequence.append(chosen)
            yield Token(chosen, reason)

    @torch.inference_mode()
    def _run(self, sequence: _Sequence, cache: KVCache) -> Tensor | None:
        """Feed the ids that the cache lacks: scores (num_ids,) of the next, None if cancelled."""
        device = self.model.device
        hidden = torch.empty(0)
        while cache.length < len(sequence.ids):
            if sequence.cancelled():
                return None
            end = min(cache.length + self._chunk, len(sequence.ids))
            positions = torch.arange(cache.length, end, device=device)[None]
            ids = torch.tensor([sequence.ids[cache.length : end]], device=device)
            hidden = self.model.hidden(ids, positions, cache)
        return self.model.head(hidden[0, -1])[: self.num_ids]
