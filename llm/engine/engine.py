"""Many generations from one model: schedule, run, postprocess.

Knows requests and how a step's scores become tokens. Does not know text, roles or HTTP. There is
no thread of its own: whoever waits for a token computes the next step, for everybody.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from llm.constraints import Constraint
from llm.decoding import GeneratedToken, SamplingParams
from llm.engine.pages import Pages
from llm.engine.runner import new_runner
from llm.engine.sampling import new_generator, sample
from llm.engine.scheduler import EngineLimits, PlannedSlice, Scheduler
from llm.engine.sequence import SequenceState
from llm.engine.speculation import PromptLookup
from llm.errors import (
    GenerationFailed,
    InvalidPrompt,
    NonFiniteLogits,
    OutOfMemory,
    PromptTooLong,
)
from llm.models.kv_cache import slot_bytes
from llm.models.model import ChatGLM

# Room of a cache whose size is not given, bounded by four full contexts.
DEFAULT_CACHE_BYTES = 2**30

# While a prompt is read, a reply pauses for as long as a step takes: on a CPU a second or two for
# a large model. A GPU is not busy with fewer tokens.
CPU_STEP_TOKENS = 128
GPU_STEP_TOKENS = 2048

log = logging.getLogger(__name__)


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
        self.limits = _settled(limits or EngineLimits(), model)
        page_tokens = self.limits.page_tokens
        num_pages = -(-self.limits.cache_tokens // page_tokens)
        self.max_context = min(model.config.max_context, num_pages * page_tokens + 1)
        self._pages = Pages(num_pages)
        # One page more than is given out: the runner's own.
        cache = model.new_cache(num_pages + 1, page_tokens)
        self._runner = new_runner(model, cache, self.limits, self.max_context)
        self._scheduler = Scheduler(self.limits, self._pages)
        self._book = threading.Lock()  # guards the scheduler, and is never held during a run
        self._left = False  # whether somebody left since the book was last cleared
        self._turns = threading.Condition()  # where readers wait for the one that computes
        self._computing = False

    @property
    def max_prompt_tokens(self) -> int:
        """The longest prompt that leaves room for one token of answer."""
        return self.max_context - 1

    @property
    def num_free_pages(self) -> int:
        """Pages of the cache that no running sequence holds."""
        return self._pages.num_free

    @property
    def num_preemptions(self) -> int:
        """How often a sequence has lost its pages to older ones, to be computed again."""
        return self._scheduler.num_preemptions

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

        Closing or dropping the stream ends the work and frees its pages. Its reader's thread asks
        `cancelled` before every step it waits for, and a yes does the same. Cached prompts are
        shared within a `tenant` only, and tenants take turns in the queue.

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
            constraint=constraint,
            lookup=self._new_lookup(),
            generator=new_generator(params.seed),
        )
        with self._booked() as scheduler:
            scheduler.submit(sequence)
        return TokenStream(self, sequence, cancelled)

    def advance(self, sequence: SequenceState) -> None:
        """Compute the next step for everybody or, while another reader does, await its end."""
        with self._turns:
            if sequence.outbox or sequence.finished:
                return
            if self._computing:
                self._turns.wait()
                return
            self._computing = True
        try:
            self._step()
        finally:
            with self._turns:
                self._computing = False
                self._turns.notify_all()

    def leave(self, sequence: SequenceState) -> None:
        """Forget a sequence that nobody reads any more; its pages are free at once.

        Never waits: the garbage collector may call it inside any other method, in any thread.
        """
        sequence.closed = True
        if not sequence.finished:
            self._left = True
            self._drop_left()

    @contextmanager
    def _booked(self) -> Iterator[Scheduler]:
        """The scheduler, for one thread at a time."""
        try:
            with self._book:
                yield self._scheduler
        finally:
            self._drop_left()

    def _drop_left(self) -> None:
        """Drop who left. Whoever has the book meanwhile does so when he gives it back."""
        while self._left and self._book.acquire(blocking=False):
            try:
                self._left = False
                self._scheduler.drop_ended()
            finally:
                self._book.release()

    def _step(self) -> None:
        with self._booked() as scheduler:
            slices = scheduler.schedule()
        scores = self._scores(slices) if slices else []
        with self._booked() as scheduler:
            for planned, rows in zip(slices, scores, strict=True):
                self._postprocess(planned, rows)
            scheduler.drop_ended()

    def _scores(self, slices: Sequence[PlannedSlice]) -> Sequence[Tensor | GenerationFailed]:
        """Scores of each slice; when a step of several fails, each is tried again alone."""
        try:
            return self._run(slices)
        except Exception as error:  # outer edge: becomes the failure of those who caused it
            log.exception("a step of %d sequences failed", len(slices))
            failure = _failure(error)
        if len(slices) == 1:
            return [failure]
        return [self._scores([planned])[0] for planned in slices]

    @torch.inference_mode()
    def _run(self, slices: Sequence[PlannedSlice]) -> Sequence[Tensor | GenerationFailed]:
        """Scores (num_scored, num_ids) of each slice, float32 on the CPU."""
        nums_scored = [planned.num_scored for planned in slices]
        computed = self._runner.run([planned.tokens for planned in slices], nums_scored)
        scores = computed.scores[:, : self.num_ids].to(device="cpu", dtype=torch.float32)
        # The scores tell of the scored tokens; of the others, nobody must find what is no number.
        return [
            part if sound else _unread_prompt()
            for part, sound in zip(
                scores.split_with_sizes(nums_scored), computed.sound, strict=True
            )
        ]

    def _postprocess(self, planned: PlannedSlice, scores: Tensor | GenerationFailed) -> None:
        """Bring one sequence on by what was computed, or end it with its own failure."""
        sequence = planned.sequence
        if sequence.finished:
            return  # its reader left during the run
        try:
            if isinstance(scores, GenerationFailed):
                raise scores
            num_accepted = _accept(planned, scores)
        except GenerationFailed as error:
            sequence.fail(error)
        except Exception as error:  # outer edge: a constraint may raise anything
            log.exception("a token could not be chosen")
            sequence.fail(_failure(error))
        else:
            self._scheduler.record(planned, num_accepted)

    def _new_lookup(self) -> PromptLookup | None:
        longest = self.limits.max_draft_tokens
        return PromptLookup(longest) if longest and self.limits.max_drafting else None


class TokenStream(Iterator[GeneratedToken]):
    """The tokens of one generation, computed as they are asked for; close it to leave early."""

    def __init__(
        self, engine: Engine, sequence: SequenceState, cancelled: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._sequence = sequence
        self._cancelled = cancelled

    @property
    def cached_tokens(self) -> int:
        """Tokens of the prompt whose keys and values were found, not computed."""
        return self._sequence.num_reused

    def __next__(self) -> GeneratedToken:
        sequence = self._sequence
        while not sequence.outbox and not sequence.finished:
            if self._cancelled():
                self.close()
            else:
                self._engine.advance(sequence)
        if sequence.closed or not sequence.outbox:
            raise StopIteration
        item = sequence.outbox.popleft()
        if isinstance(item, GenerationFailed):
            try:
                raise item
            finally:
                del item  # this frame is in its traceback: a cycle that would hold all it saw
        return item

    def close(self) -> None:
        """End the generation, from any thread; safe to call again."""
        self._engine.leave(self._sequence)

    def __del__(self) -> None:
        self.close()


def _accept(planned: PlannedSlice, scores: Tensor) -> int:
    """Append the tokens that the rows of scores choose; how many drafted ones were among them.

    Row i follows the draft's first i ids, so it counts only while they were all chosen.

    Raises:
        NonFiniteLogits: from a row that counts.
    """
    sequence = planned.sequence
    num_accepted = 0
    for number, row in enumerate(scores):
        rule = sequence.constraint
        restriction = None if rule is None else rule.restriction(sequence.generated_ids)
        token = sample(row, sequence.params, sequence.ids, sequence.generator, restriction)
        goes_on = sequence.append(token)
        drafted = number < len(planned.draft) and planned.draft[number] == token.id
        if not drafted or not goes_on:
            return num_accepted
        num_accepted += 1
    return num_accepted


def _unread_prompt() -> NonFiniteLogits:
    return NonFiniteLogits("what the model made of the prompt holds NaN or infinity")


def _failure(error: Exception) -> GenerationFailed:
    text = str(error) or type(error).__name__
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
        return OutOfMemory(f"a step ran out of memory: {text[:200]}")
    return GenerationFailed(f"a step failed: {text[:200]}")


def _settled(limits: EngineLimits, model: ChatGLM) -> EngineLimits:
    """Limits with the defaults that depend on the model and its device."""
    fitting = DEFAULT_CACHE_BYTES // slot_bytes(model.config, model.dtype)
    default_step = CPU_STEP_TOKENS if model.device.type == "cpu" else GPU_STEP_TOKENS
    return replace(
        limits,
        cache_tokens=limits.cache_tokens or min(fitting, 4 * model.config.max_context),
        step_tokens=limits.step_tokens or default_step,
    )
