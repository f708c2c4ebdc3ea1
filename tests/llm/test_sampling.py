"""Sampling on literals: each rule alone, their order, seeds, and numbers that are not numbers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from llm.decoding import SamplingParams
from llm.engine.sampling import distribution, new_generator, penalise_repetition, sample
from llm.errors import InvalidSampling, NonFiniteLogits

LOGITS = torch.tensor([1.0, 3.0, 2.0, -1.0])
NOTHING: list[int] = []
OPEN = {"temperature": 1.0, "top_p": 1.0, "top_k": 0}


def kept_ids(logits: Tensor, **changes: float) -> set[int]:
    _, ids = distribution(logits, SamplingParams(**{**OPEN, **changes}))  # type: ignore[arg-type] -- literals
    return set(ids.tolist())


def draw(logits: Tensor, params: SamplingParams, times: int, seed: int = 0) -> list[int]:
    generator = new_generator(seed)
    return [sample(logits, params, NOTHING, generator).id for _ in range(times)]


def test_temperature_zero_takes_the_highest_score() -> None:
    assert draw(LOGITS, SamplingParams(temperature=0), 3) == [1, 1, 1]
    assert SamplingParams(temperature=1e-5).greedy


def test_top_k_keeps_the_k_highest() -> None:
    assert kept_ids(LOGITS, top_k=2) == {1, 2}
    assert kept_ids(LOGITS, top_k=99) == {0, 1, 2, 3}


def test_top_p_keeps_the_smallest_head_that_holds_the_mass() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert kept_ids(logits, top_p=0.5) == {0}
    assert kept_ids(logits, top_p=0.51) == {0, 1}
    assert kept_ids(logits, top_p=0.001) == {0}
    assert kept_ids(logits, top_p=1.0) == {0, 1, 2, 3}


def test_temperature_acts_before_top_p() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert kept_ids(logits, top_p=0.6) == {0, 1}
    assert kept_ids(logits, top_p=0.6, temperature=0.3) == {0}


def test_probabilities_are_those_of_the_formula() -> None:
    probabilities, ids = distribution(LOGITS, SamplingParams(**{**OPEN, "temperature": 2.0}))  # type: ignore[arg-type] -- literals
    weights = [math.exp(float(score) / 2) for score in LOGITS]
    expected = [weights[token_id] / sum(weights) for token_id in ids.tolist()]
    assert probabilities.tolist() == pytest.approx(expected)


def test_repetition_penalty_pushes_seen_ids_down_and_leaves_its_input() -> None:
    seen = [1, 3, 1]
    assert penalise_repetition(LOGITS, seen, 2.0).tolist() == [1.0, 1.5, 2.0, -2.0]
    assert LOGITS.tolist() == [1.0, 3.0, 2.0, -1.0]
    params = SamplingParams(temperature=0, repetition_penalty=2.0)
    assert sample(LOGITS, params, seen, new_generator(0)).id == 2


def test_a_seed_gives_the_same_draws_and_no_seed_different_ones() -> None:
    params = SamplingParams(**OPEN)  # type: ignore[arg-type] -- literals
    assert draw(LOGITS, params, 40, seed=7) == draw(LOGITS, params, 40, seed=7)
    assert draw(LOGITS, params, 40, seed=7) != draw(LOGITS, params, 40, seed=8)
    assert new_generator(None).initial_seed() != new_generator(None).initial_seed()


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([0.7, 0.2, 0.1]).log()
    draws = draw(logits, SamplingParams(**OPEN), 3000)  # type: ignore[arg-type] -- literals
    shares = [draws.count(token_id) / 3000 for token_id in range(3)]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.03)


@settings(max_examples=100, deadline=None)
@given(
    scores=st.lists(st.floats(-50, 50), min_size=1, max_size=30),
    temperature=st.floats(0, 3),
    top_p=st.floats(0.01, 1),
    top_k=st.integers(0, 40),
)
def test_any_parameters_choose_an_id_that_exists(
    scores: list[float], temperature: float, top_p: float, top_k: int
) -> None:
    params = SamplingParams(temperature=temperature, top_p=top_p, top_k=top_k, seed=1)
    chosen = draw(torch.tensor(scores), params, 1)[0]
    assert 0 <= chosen < len(scores)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("temperature", [0, 1])
def test_scores_that_are_no_numbers_are_a_typed_error(bad: float, temperature: float) -> None:
    params = SamplingParams(temperature=temperature)
    with pytest.raises(NonFiniteLogits, match="1 of 3 scores"):
        sample(torch.tensor([1.0, bad, 2.0]), params, NOTHING, new_generator(0))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"temperature": -0.1}, "temperature is -0.1; accepted: 0 to 100"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_p": 0}, "top_p is 0; accepted: above 0, up to 1"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"top_k": -1}, "top_k is -1; accepted: 0 (off) or more"),
        ({"repetition_penalty": 0}, "repetition_penalty is 0; accepted: 0.1 to 10"),
        ({"max_tokens": 0}, "max_tokens is 0; accepted: 1 or more"),
        ({"seed": -1}, "seed is -1; accepted: 0 to 2^63 - 1"),
        ({"seed": 2**63}, "seed is 9223372036854775808"),
    ],
)
def test_a_parameter_outside_its_range_is_named(change: dict[str, int], named: str) -> None:
    with pytest.raises(InvalidSampling) as caught:
        SamplingParams(**change)  # type: ignore[arg-type] -- wrong on purpose
    assert named in str(caught.value)
