"""Every fast path against the naive one, token for token, under random schedules."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.scheduler import EngineLimits
from tests.llm.loud_model import expected, loud_chatglm1, loud_model
from tests.llm.visits import (
    DOCUMENT,
    GREEDY,
    LONGEST_OUTPUT,
    PROMPTS,
    SAMPLED,
    Visit,
    play,
    require_naive_outputs,
)

DICE = random.Random(2)  # noqa: S311 -- no secret: it shuffles test readers

VISITS = st.builds(
    Visit,
    prompt=st.sampled_from(PROMPTS),
    num_wanted=st.integers(1, LONGEST_OUTPUT),
    tenant=st.sampled_from(["", "other"]),
    leaves_after=st.none() | st.none() | st.integers(0, LONGEST_OUTPUT),
    params=st.sampled_from([GREEDY, GREEDY, SAMPLED]),
)
LIMITS = st.builds(
    EngineLimits,
    cache_tokens=st.sampled_from([80, 150, 600]),
    page_tokens=st.sampled_from([1, 4, 16]),
    step_tokens=st.sampled_from([1, 6, 32, 256]),
    max_running=st.sampled_from([1, 3, 16]),
    max_draft_tokens=st.sampled_from([0, 3, 8]),
    max_drafting=st.sampled_from([1, 4, 16]),
)


@settings(max_examples=30, deadline=None)
@given(limits=LIMITS, visits=st.lists(VISITS, min_size=1, max_size=12), dice=st.randoms())
def test_any_schedule_gives_every_reader_the_naive_tokens(
    limits: EngineLimits, visits: list[Visit], dice: random.Random
) -> None:
    engine = Engine(loud_model(), limits=limits)
    outputs = play(engine, visits, dice)
    require_naive_outputs(engine, visits, outputs)
    assert engine.num_free_pages == -(-limits.cache_tokens // limits.page_tokens)


@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("max_draft_tokens", [0, 8])
def test_a_request_says_the_same_alone_and_among_sixteen(
    params: SamplingParams, max_draft_tokens: int
) -> None:
    limits = EngineLimits(max_draft_tokens=max_draft_tokens, max_drafting=16)
    visits = [
        Visit(prompt, LONGEST_OUTPUT, "", None, replace(params, seed=number))
        for number, prompt in enumerate(PROMPTS[:16])
    ]
    together = play(Engine(loud_model(), limits=limits), visits, DICE)
    for visit, output in zip(visits, together, strict=True):
        alone = play(Engine(loud_model(), limits=limits), [visit], DICE)[0]
        assert output == alone
        assert output == expected(loud_model(), tuple(visit.prompt), visit.params, LONGEST_OUTPUT)


def test_log_probabilities_do_not_depend_on_drafts_or_company() -> None:
    params = replace(GREEDY, max_tokens=LONGEST_OUTPUT, top_logprobs=3)
    plain = Engine(loud_model(), limits=EngineLimits(max_draft_tokens=0))
    drafting = Engine(loud_model(), limits=EngineLimits(max_drafting=16))
    alone = list(plain.generate(PROMPTS[5], params))
    company = [drafting.generate(prompt, params) for prompt in PROMPTS[:9]]
    together = [list(stream) for stream in company][5]
    for one, other in zip(alone, together, strict=True):
        assert (one.id, one.finish_reason) == (other.id, other.finish_reason)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-5)
        assert [i for i, _ in one.top_logprobs] == [i for i, _ in other.top_logprobs]


def test_a_prompt_that_was_read_before_is_found_and_answered_alike() -> None:
    engine = Engine(loud_model(), limits=EngineLimits(page_tokens=4))
    params = replace(GREEDY, max_tokens=LONGEST_OUTPUT)
    prompt = DOCUMENT[:33]
    first = [token.id for token in engine.generate(prompt, params)]
    again = engine.generate(prompt, params)
    assert [token.id for token in again] == first
    assert again.cached_tokens == 32
    # The next turn of a conversation finds the answer as well as the question.
    turn = [*prompt, *first, 9, 10]
    following = engine.generate(turn, params)
    output = [token.id for token in following]
    assert following.cached_tokens == (len(prompt) + len(first) - 1) // 4 * 4
    assert output == expected(engine.model, tuple(turn), GREEDY, LONGEST_OUTPUT)


def test_a_prompt_of_whole_pages_is_computed_from_its_last_page_on() -> None:
    engine = Engine(loud_model(), limits=EngineLimits(page_tokens=4))
    params = replace(GREEDY, max_tokens=3)
    streams = [engine.generate(DOCUMENT[:32], params) for _ in range(2)]
    assert [token.id for token in streams[0]] == [token.id for token in streams[1]]
    last = engine.generate(DOCUMENT[:32], params)
    assert list(last)
    assert last.cached_tokens == 28


def test_tenants_never_find_each_others_pages() -> None:
    engine = Engine(loud_model())
    params = replace(GREEDY, max_tokens=2)
    for tenant in ("a", "b", "\ud800"):
        stream = engine.generate(DOCUMENT, params, tenant=tenant)
        list(stream)
        assert stream.cached_tokens == 0


def test_pages_of_a_cancelled_request_serve_the_next_one() -> None:
    engine = Engine(loud_model(), limits=EngineLimits(cache_tokens=64, page_tokens=4))
    wide = replace(GREEDY, max_tokens=LONGEST_OUTPUT)
    for number, prompt in enumerate(PROMPTS):
        left = engine.generate(prompt, wide)
        for _ in range(number % 4):
            next(left)
        left.close()
        other = PROMPTS[-1 - number]
        output = [token.id for token in engine.generate(other, wide)]
        assert output == expected(engine.model, tuple(other), GREEDY, LONGEST_OUTPUT)[: len(output)]
        assert engine.num_free_pages == 16


@pytest.mark.parametrize("page_tokens", [1, 5, 16])
def test_a_prompt_as_large_as_the_cache_gets_its_one_token(page_tokens: int) -> None:
    limits = EngineLimits(cache_tokens=30, page_tokens=page_tokens, step_tokens=7)
    engine = Engine(loud_model(), limits=limits)
    prompt = [*DOCUMENT, *DOCUMENT][: engine.max_prompt_tokens]
    waiting = engine.generate(DOCUMENT[:3], replace(GREEDY, max_tokens=10**9))
    whole = engine.generate(prompt, replace(GREEDY, max_tokens=10**9))
    ids = [token.id for token in whole]
    assert ids == expected(engine.model, tuple(prompt), GREEDY, 1)
    assert len(list(waiting)) == engine.max_context - 3


@pytest.mark.parametrize("max_tokens", range(1, 12))
def test_drafts_never_reach_beyond_max_tokens(max_tokens: int) -> None:
    limits = EngineLimits(cache_tokens=24, page_tokens=4)
    prompt = [7] * 12  # repeats itself, as does what the model says to it
    engine = Engine(loud_model(), limits=limits)
    tokens = list(engine.generate(prompt, replace(GREEDY, max_tokens=max_tokens)))
    assert [token.id for token in tokens] == expected(engine.model, tuple(prompt), GREEDY, 12)[
        :max_tokens
    ]
    assert tokens[-1].finish_reason == "length"


def test_a_stop_id_inside_a_draft_ends_the_reply_there() -> None:
    for prompt in PROMPTS:
        full = expected(loud_model(), tuple(prompt), GREEDY, LONGEST_OUTPUT)
        for stop in set(full):
            stream = Engine(loud_model()).generate(
                prompt, replace(GREEDY, max_tokens=LONGEST_OUTPUT), {stop}
            )
            assert [token.id for token in stream] == full[: full.index(stop) + 1]


BOTH_SIDES_PROMPTS = [[*prompt[:shared], 2, 1] for prompt in PROMPTS for shared in (3, 15, 31)]


@pytest.mark.parametrize("step_tokens", [4, 64])
@pytest.mark.parametrize("freezes", [True, False])
def test_prompts_seen_from_both_sides_keep_their_tokens_in_company(
    step_tokens: int, freezes: bool
) -> None:
    model = loud_chatglm1(freezes=freezes)
    limits = EngineLimits(cache_tokens=300, page_tokens=4, step_tokens=step_tokens, max_running=5)
    engine = Engine(model, limits=limits)
    visits = [Visit(prompt, 12, "", None) for prompt in BOTH_SIDES_PROMPTS[::3] * 2]
    outputs = play(engine, visits, DICE)
    require_naive_outputs(engine, visits, outputs)
    assert engine.num_free_pages == 75


def test_a_prompt_seen_from_both_sides_is_found_again_only_as_a_whole() -> None:
    engine = Engine(loud_chatglm1(), limits=EngineLimits(page_tokens=4))
    params = replace(GREEDY, max_tokens=12)
    prompt = [*DOCUMENT[:14], 2, 1]  # 15 tokens are seen from both sides
    longer = [*prompt, 9, 10]  # with a beginning of the answer
    other = [*DOCUMENT[:8], *DOCUMENT[20:26], 2, 1, 9, 10]  # its first pages hold the same ids
    cached = []
    for each in (prompt, prompt, longer, longer, other, other):
        stream = engine.generate(each, params)
        assert [token.id for token in stream] == expected(engine.model, tuple(each), GREEDY, 12)
        cached.append(stream.cached_tokens)
    assert cached == [0, 0, 16, 16, 0, 16]
