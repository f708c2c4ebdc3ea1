"""Many generations from one model: schedule, run, postprocess.

Knows requests and how a step's scores become tokens. Does not know text, roles or HTTP. There is
no thread of its own: whoever waits for a token computes the next step, for everybody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from torch import Tensor

from llm.batch import Chunk, lay_out
from llm.errors import GenerationFailed, InvalidPrompt, OutOfMemory, PromptTooLong
from llm.generation import SamplingParams, Token
from llm.kv_cache import slot_bytes
from llm.model import ChatGLM
from llm.pages import Pages
from llm.sampling import new_generator, sample
from llm.scheduler import EngineLimits, Scheduler, Share
from llm.sequence import Constraint, SequenceState
from llm.speculation import PromptLookup

# Room of a cache whose size is not given, bounded by four full contexts.
DEFAULT_CACHE_BYTES = 2**30


class Engine:
    """Generates from one model, for many callers at a time.

    `num_ids` is the number of ids that have a meaning; the scores of the padding rows behind
    them are never looked at.
    """

    def __init__(
        self, model: ChatGLM, num_ids: int | None = None, limits: EngineLimits | None = None
    ) -> None:
        self.model = model
        self.num_ids = num_ids or model.config.vocab_size
        self.limits = limits or EngineLimits()
        page_tokens = self.limits.page_tokens
        num_pages = -(-(self.limits.cache_tokens or _default_cache_tokens(model)) // page_tokens)
        self.max_context = min(model.config.max_context, num_pages * page_tokens + 1)
        self._pages = Pages(num_pages)
        self._cache = model.new_cache(num_pages, page_tokens)
        self._scheduler = Scheduler(self.limits, self._pages)
        self._book = threading.Lock()  # guards the scheduler, and is never held during a run
        self._turn = threading.Lock()  # held by the one caller that computes a step

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for one token of answer."""
        return self.max_context - 1

    @property
    def num_free_pages(self) -> int:
        """Pages of the cache that no running sequence holds."""
        return self._pages.num_free

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
        *,
        tenant: str = "",
        constraint: Constraint | None = None,
    ) -> TokenStream:
        """Stream tokens until a stop id, max_tokens or the end of the context.

        Closing or dropping the stream ends the work and frees its pages; `cancelled` is asked
        before every step and does the same from another thread. Cached prompts are shared within
        a `tenant` only, and tenants take turns in the queue.

        Raises:
            InvalidPrompt, PromptTooLong, EngineBusy: at the call, before any work.
            GenerationFailed: from the stream.
        """
        self.check_prompt(prompt_ids)
        sequence = SequenceState(
            ids=list(prompt_ids),
            max_tokens=min(params.max_tokens, self.max_context - len(prompt_ids)),
            params=params,
            stop_ids=frozenset(stop_ids),
            layout=self.model.layout(prompt_ids),
            tenant=tenant,
            cancelled=cancelled,
            constraint=constraint,
            lookup=self._new_lookup(),
            generator=new_generator(params.seed),
        )
        with self._book:
            self._scheduler.submit(sequence)
        return TokenStream(self, sequence)

    def advance(self, sequence: SequenceState) -> None:
        """Compute the next step, unless another caller has just brought the sequence on."""
        with self._turn:
            if not sequence.outbox and not sequence.finished:
                self._step()

    def leave(self, sequence: SequenceState) -> None:
        """Forget a sequence that nobody reads any more; its pages are free at once."""
        sequence.closed = True
        with self._book:
            self._scheduler.drop_gone()

    def _step(self) -> None:
        with self._book:
            shares = self._scheduler.schedule()
        if not shares:
            return
        scores: Tensor | GenerationFailed
        try:
            scores = self._run(shares)
        except (RuntimeError, MemoryError) as error:
            scores = _failure(error)
        with self._book:
            self._postprocess(shares, scores)

    @torch.inference_mode()
    def _run(self, shares: Sequence[Share]) -> Tensor:
        """Scores (rows, num_ids), float32 on the CPU, of every token that is to be chosen."""
        chunks = [
            Chunk(each.ids, each.sequence.num_cached, each.sequence.pages, each.sequence.layout)
            for each in shares
        ]
        batch = lay_out(chunks, self.limits.page_tokens, self.model.device)
        states = self.model.hidden(batch, self._cache)
        rows = [
            row
            for share, span in zip(shares, batch.spans, strict=True)
            for row in range(span.stop - share.num_scored, span.stop)
        ]
        if not rows:
            return torch.empty(0)
        scores = self.model.head(states[rows])[:, : self.num_ids]
        return scores.to(device="cpu", dtype=torch.float32)

    def _postprocess(self, shares: Sequence[Share], scores: Tensor | GenerationFailed) -> None:
        first_row = 0
        for share in shares:
            sequence = share.sequence
            if isinstance(scores, GenerationFailed):
                sequence.fail(scores)
            elif not sequence.finished:  # as it is when its reader left during the run
                rows = scores[first_row : first_row + share.num_scored]
                self._scheduler.record(share, _accept(share, rows))
            first_row += share.num_scored
        self._scheduler.drop_gone()

    def _new_lookup(self) -> PromptLookup | None:
        longest = self.limits.max_draft_tokens
        return PromptLookup(longest) if longest and self.limits.max_drafting else None


class TokenStream(Iterator[Token]):
    """The tokens of one generation, computed as they are asked for; close it to leave early."""

    def __init__(self, engine: Engine, sequence: SequenceState) -> None:
        self._engine = engine
        self._sequence = sequence

    @property
    def cached_tokens(self) -> int:
        """Tokens of the prompt whose keys and values were found, not computed."""
        return self._sequence.num_reused

    def __next__(self) -> Token:
        sequence = self._sequence
        while not sequence.outbox:
            if sequence.finished:
                raise StopIteration
            self._engine.advance(sequence)
        item = sequence.outbox.popleft()
        if isinstance(item, GenerationFailed):
            raise item
        return item

    def close(self) -> None:
        """End the generation, from any thread; safe to call again."""
        if not self._sequence.finished:
            self._engine.leave(self._sequence)

    def __del__(self) -> None:
        self.close()


def _accept(share: Share, scores: Tensor) -> int:
    """Append the tokens that the rows of scores choose; how many drafted ones were among them.

    Row i follows the draft's first i ids, so it counts only while they were all chosen.
    """
    sequence = share.sequence
    num_accepted = 0
    for number, row in enumerate(scores):
        rule = sequence.constraint
        restriction = None if rule is None else rule.restriction(sequence.generated_ids)
        try:
            token = sample(row, sequence.params, sequence.ids, sequence.generator, restriction)
        except GenerationFailed as error:
            sequence.fail(error)
            return num_accepted
        goes_on = sequence.append(token)
        drafted = number < len(share.draft) and share.draft[number] == token.id
        if not drafted or not goes_on:
            return num_accepted
        num_accepted += 1
    return num_accepted


def _failure(error: RuntimeError | MemoryError) -> GenerationFailed:
    text = str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
        return OutOfMemory(f"a step ran out of memory: {text[:200]}")
    return GenerationFailed(f"a step failed: {text[:200]}")


def _default_cache_tokens(model: ChatGLM) -> int:
    fitting = DEFAULT_CACHE_BYTES // slot_bytes(model.config, model.dtype)
    return min(fitting, 4 * model.config.max_context)
