"""Caches too small for what runs: whoever is put back goes on as if nothing had happened."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.runner import Computed
from llm.engine.scheduler import EngineLimits
from llm.errors import GenerationFailed, NonFiniteLogits, OutOfMemory, PromptTooLong
from llm.models.batch import TokenSlice
from tests.llm.loud_model import expected, loud_chatglm1, loud_model
from tests.llm.visits import (
    DOCUMENT,
    GREEDY,
    LONGEST_OUTPUT,
    SAMPLED,
    Visit,
    play,
    require_naive_outputs,
)

DICE = random.Random(3)  # noqa: S311 -- no secret: it shuffles test readers
CACHE_TOKENS = 32
PROMPTS = [[*DOCUMENT[:shared], *tail] for shared in (0, 5, 8) for tail in ([7] * 4, [11, 12], [9])]
# Two of them overfill the cache; the younger one is put back.
OLD, YOUNG = DOCUMENT[:9], DOCUMENT[20:28]
LONG = replace(GREEDY, max_tokens=20)

VISITS = st.builds(
    Visit,
    prompt=st.sampled_from(PROMPTS),
    num_wanted=st.integers(8, LONGEST_OUTPUT),
    tenant=st.sampled_from(["", "other"]),
    leaves_after=st.none() | st.none() | st.integers(0, LONGEST_OUTPUT),
    params=st.sampled_from([GREEDY, SAMPLED]),
    ruled=st.booleans(),
)
LIMITS = st.builds(
    EngineLimits,
    cache_tokens=st.sampled_from([CACHE_TOKENS, 48]),
    page_tokens=st.sampled_from([1, 2, 4, 8]),
    step_tokens=st.sampled_from([1, 6, 64]),
    max_running=st.sampled_from([3, 16]),
    max_draft_tokens=st.sampled_from([0, 3, 8]),
    max_drafting=st.sampled_from([1, 16]),
)


def small_engine(**limits: int) -> Engine:
    bounds = {"page_tokens": 4, "max_draft_tokens": 0} | limits
    return Engine(loud_model(), limits=EngineLimits(cache_tokens=CACHE_TOKENS, **bounds))


def ids_of(stream: TokenStream) -> list[int]:
    return [token.id for token in stream]


def naive(prompt: list[int], num_tokens: int = 20) -> list[int]:
    return expected(loud_model(), tuple(prompt), GREEDY, num_tokens)


def test_any_schedule_in_a_cache_that_is_too_small_gives_every_reader_the_naive_tokens() -> None:
    counts: list[int] = []

    @settings(max_examples=40, deadline=None)
    @given(limits=LIMITS, visits=st.lists(VISITS, min_size=4, max_size=12), dice=st.randoms())
    def check(limits: EngineLimits, visits: list[Visit], dice: random.Random) -> None:
        engine = Engine(loud_model(), limits=limits)
        outputs = play(engine, visits, dice)
        require_naive_outputs(engine, visits, outputs)
        assert engine.num_free_pages == limits.cache_tokens // limits.page_tokens
        counts.append(engine.num_preemptions)

    check()
    assert sum(count > 0 for count in counts) > len(counts) / 3


@pytest.mark.parametrize("ruled", [False, True])
@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("max_draft_tokens", [0, 8])
def test_who_is_put_back_says_the_same_as_alone(
    max_draft_tokens: int, params: SamplingParams, *, ruled: bool
) -> None:
    engine = small_engine(max_draft_tokens=max_draft_tokens, max_drafting=16)
    visits = [
        Visit(prompt, LONGEST_OUTPUT, "", None, replace(params, seed=number), ruled)
        for number, prompt in enumerate(PROMPTS)
    ]
    outputs = play(engine, visits, DICE)
    assert engine.num_preemptions > 0
    require_naive_outputs(engine, visits, outputs)
    assert engine.num_free_pages == 8


def test_log_probabilities_go_on_as_if_alone() -> None:
    params = replace(SAMPLED, max_tokens=20, top_logprobs=3)
    alone = [list(small_engine().generate(prompt, params)) for prompt in (OLD, YOUNG)]
    engine = small_engine()
    streams = [engine.generate(prompt, params) for prompt in (OLD, YOUNG)]
    together = [list(stream) for stream in streams]
    assert engine.num_preemptions > 0
    for one, other in zip(chain(*alone), chain(*together), strict=True):
        assert (one.id, one.finish_reason) == (other.id, other.finish_reason)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-5)


@pytest.mark.parametrize("step_tokens", [3, 64])
def test_a_prompt_seen_from_both_sides_is_read_again_as_a_whole(step_tokens: int) -> None:
    limits = EngineLimits(cache_tokens=CACHE_TOKENS, page_tokens=4, step_tokens=step_tokens)
    engine = Engine(loud_chatglm1(), limits=limits)
    visits = [Visit([*prompt, 2, 1], 14, "", None) for prompt in PROMPTS]
    outputs = play(engine, visits, DICE)
    assert engine.num_preemptions > 0
    require_naive_outputs(engine, visits, outputs)
    assert engine.num_free_pages == 8


def test_a_request_that_announces_much_lets_small_ones_pass() -> None:
    engine = small_engine(max_drafting=0)
    wide = engine.generate(OLD, replace(GREEDY, max_tokens=10**9))
    small = engine.generate(YOUNG[:3], replace(GREEDY, max_tokens=3))
    assert ids_of(small) == naive(YOUNG[:3], 3)
    assert ids_of(wide)[:20] == naive(OLD)
    assert engine.num_preemptions == 0


def test_what_could_never_fit_is_refused_at_the_call() -> None:
    engine = small_engine()
    with pytest.raises(PromptTooLong) as caught:
        engine.generate([7] * (CACHE_TOKENS + 1), GREEDY)
    assert caught.value.max_prompt_tokens == CACHE_TOKENS
    # An answer ends where the cache does, as at the end of a context.
    tokens = list(engine.generate(OLD, replace(GREEDY, max_tokens=10**9)))
    assert len(OLD) + len(tokens) == engine.max_context == CACHE_TOKENS + 1
    assert tokens[-1].finish_reason == "length"


def put_back(
    engine: Engine, cancelled: Callable[[], bool] = lambda: False
) -> tuple[TokenStream, TokenStream, list[int]]:
    """An old stream, a young one that has just lost its pages, and what the old one gave so far."""
    old = engine.generate(OLD, LONG)
    young = engine.generate(YOUNG, LONG, cancelled=cancelled)
    given = []
    while not engine.num_preemptions:
        given.append(next(old).id)
    assert not young._sequence.pages
    assert 0 < len(given) < 20
    return old, young, given


def require_unharmed(engine: Engine, old: TokenStream, given: list[int]) -> None:
    assert given + ids_of(old) == naive(OLD)
    assert ids_of(engine.generate(YOUNG, LONG)) == naive(YOUNG)
    assert engine.num_free_pages == 8


def test_what_was_received_before_is_not_sent_again_and_nothing_is_left_out() -> None:
    engine = small_engine()
    old, young, given = put_back(engine)
    assert ids_of(young) == naive(YOUNG)
    assert young.cached_tokens == 0  # its own pages found again are no part of its bill
    require_unharmed(engine, old, given)


def test_who_was_put_back_may_leave() -> None:
    engine = small_engine()
    old, young, given = put_back(engine)
    young.close()
    assert ids_of(young) == []
    require_unharmed(engine, old, given)


def test_who_was_put_back_may_be_cancelled() -> None:
    engine, gone = small_engine(), [False]
    old, young, given = put_back(engine, lambda: gone[0])
    gone[0] = True
    received = ids_of(young)
    assert received == naive(YOUNG)[: len(received)]
    assert 0 < len(received) < 20
    require_unharmed(engine, old, given)


@contextmanager
def spoilt(engine: Engine, error: Exception | None, *, reading: bool) -> Iterator[None]:
    """Steps raise or, without an error, make NaN: those that read several tokens, or the others."""
    plain = engine._runner.run

    def run(slices: Sequence[TokenSlice], nums_scored: Sequence[int]) -> Computed:
        computed = plain(slices, nums_scored)
        spoils = [(len(part.ids) > 1) == reading for part in slices]
        if error and any(spoils):
            raise error
        rows = torch.tensor(spoils).repeat_interleave(torch.tensor(nums_scored))
        return Computed(computed.scores.masked_fill(rows[:, None], torch.nan), computed.sound)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine._runner, "run", run)
        yield


FAILURES = [(None, NonFiniteLogits), (MemoryError(), OutOfMemory)]


@pytest.mark.parametrize(("error", "kind"), FAILURES)
def test_a_failure_while_it_is_read_again_ends_it_behind_what_it_said_before(
    error: Exception | None, kind: type[GenerationFailed]
) -> None:
    engine = small_engine()
    old, young, given = put_back(engine)
    received = []
    with spoilt(engine, error, reading=True), pytest.raises(kind):
        while True:
            received.append(next(young).id)
    assert received == naive(YOUNG)[: len(received)]
    assert 0 < len(received) < 20
    require_unharmed(engine, old, given)


@pytest.mark.parametrize(("error", "kind"), FAILURES)
def test_who_was_put_back_goes_on_after_a_failure_of_the_other(
    error: Exception | None, kind: type[GenerationFailed]
) -> None:
    engine = small_engine()
    old, young, _ = put_back(engine)
    with spoilt(engine, error, reading=False), pytest.raises(kind):
        next(old)
    assert ids_of(young) == naive(YOUNG)
    assert engine.num_free_pages == 8
