"""The decode loop against the naive one, its ends, its limits, and leaving it early."""

import pytest
import torch

from llm.decoding import GeneratedToken, SamplingParams
from llm.engine.engine import Engine
from llm.engine.scheduler import EngineLimits
from llm.errors import InvalidPrompt, NonFiniteLogits, PromptTooLong
from llm.models import naive
from llm.models.build import random_model
from llm.models.model import ChatGLM

PROMPT = [5, 17, 3, 80, 41, 41, 9, 66, 2, 30]
GREEDY = SamplingParams(temperature=0, max_tokens=12)


def ids_of(engine: Engine, prompt: list[int], params: SamplingParams) -> list[int]:
    return [token.id for token in engine.generate(prompt, params)]


@pytest.mark.parametrize("chunk", [1, 3, 10, 256])
def test_cached_and_chunked_generation_equals_the_naive_loop(
    tiny_model: ChatGLM, chunk: int
) -> None:
    engine = Engine(tiny_model, limits=EngineLimits(step_tokens=chunk))
    assert ids_of(engine, PROMPT, GREEDY) == naive.greedy(tiny_model, PROMPT, 12)


def test_chunk_size_does_not_change_sampled_tokens(tiny_model: ChatGLM) -> None:
    params = SamplingParams(temperature=1.5, top_p=0.95, seed=11, max_tokens=20)
    first = ids_of(Engine(tiny_model, limits=EngineLimits(step_tokens=4)), PROMPT, params)
    assert first == ids_of(Engine(tiny_model), PROMPT, params)
    assert len(set(first)) > 5


def test_only_the_last_token_carries_a_reason(tiny_model: ChatGLM) -> None:
    tokens = list(Engine(tiny_model).generate(PROMPT, GREEDY))
    assert [token.finish_reason for token in tokens] == [None] * 11 + ["length"]


def test_a_stop_id_ends_the_stream_and_is_its_last_token(tiny_model: ChatGLM) -> None:
    ids = naive.greedy(tiny_model, PROMPT, 12)
    stop = ids[3]
    tokens = list(Engine(tiny_model).generate(PROMPT, GREEDY, {stop}))
    assert tokens[-1] == GeneratedToken(stop, "stop")
    assert [token.id for token in tokens] == ids[: ids.index(stop) + 1]


def test_the_context_ends_a_generation_that_asks_for_more(tiny_model: ChatGLM) -> None:
    params = SamplingParams(temperature=0, max_tokens=10**9)
    tokens = list(Engine(tiny_model).generate(PROMPT, params))
    assert len(PROMPT) + len(tokens) == tiny_model.config.max_context
    assert tokens[-1].finish_reason == "length"


def test_the_longest_prompt_still_gets_one_token(tiny_model: ChatGLM) -> None:
    engine = Engine(tiny_model)
    assert len(ids_of(engine, [7] * 63, GREEDY)) == 1
    with pytest.raises(PromptTooLong) as caught:
        engine.generate([7] * 64, GREEDY)
    assert (caught.value.num_tokens, caught.value.max_prompt_tokens) == (64, 63)
    assert "the prompt has 64 tokens; at most 63 fit" in str(caught.value)


@pytest.mark.parametrize(
    ("prompt", "named"),
    [([], "0 tokens"), ([5, 96], "the id 96; accepted: 0 to 95"), ([-1], "the id -1")],
)
def test_prompts_that_no_tokenizer_made_are_refused(
    tiny_model: ChatGLM, prompt: list[int], named: str
) -> None:
    with pytest.raises(InvalidPrompt) as caught:
        Engine(tiny_model).generate(prompt, GREEDY)
    assert named in str(caught.value)


def test_padding_rows_of_the_vocabulary_are_never_chosen(tiny_model: ChatGLM) -> None:
    params = SamplingParams(temperature=100, top_p=1, top_k=0, seed=1, max_tokens=50)
    prompt = [5, 3, 2]
    assert max(ids_of(Engine(tiny_model), prompt, params)) >= 10
    assert max(ids_of(Engine(tiny_model, num_ids=10), prompt, params)) < 10


def test_closing_the_stream_frees_its_pages_at_once(tiny_model: ChatGLM) -> None:
    engine = Engine(tiny_model)
    num_free = engine.num_free_pages
    stream = engine.generate(PROMPT, GREEDY)
    next(stream)
    assert engine.num_free_pages < num_free
    stream.close()
    assert engine.num_free_pages == num_free
    assert list(stream) == []


def test_dropping_the_stream_frees_its_pages(tiny_model: ChatGLM) -> None:
    engine = Engine(tiny_model)
    num_free = engine.num_free_pages
    stream = engine.generate(PROMPT, GREEDY)
    next(stream)
    del stream
    assert engine.num_free_pages == num_free


def test_a_cancelled_prefill_stops_between_chunks(tiny_model: ChatGLM) -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    engine = Engine(tiny_model, limits=EngineLimits(step_tokens=2))
    assert list(engine.generate(PROMPT, GREEDY, cancelled=cancelled)) == []
    assert asked[-1]
    assert len(asked) == 3


def test_scores_that_are_no_numbers_end_the_stream_with_a_typed_error(tiny_model: ChatGLM) -> None:
    broken = random_model(tiny_model.config)
    broken.head.weight[7] = torch.nan
    with pytest.raises(NonFiniteLogits, match="1 of 96 scores"):
        next(Engine(broken).generate(PROMPT, GREEDY))


def test_limits_left_open_are_settled_by_the_model_and_its_device(tiny_model: ChatGLM) -> None:
    settled = Engine(tiny_model).limits
    assert settled.step_tokens == 128
    assert settled.cache_tokens == 4 * tiny_model.config.max_context
    chosen = Engine(tiny_model, limits=EngineLimits(step_tokens=7, cache_tokens=40)).limits
    assert (chosen.step_tokens, chosen.cache_tokens) == (7, 40)
