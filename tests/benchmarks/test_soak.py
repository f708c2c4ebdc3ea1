"""A few seconds of the soak: it runs clean, and it notices a wrong token."""

from dataclasses import replace

import pytest
import torch

from benchmarks import soak


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_seconds_of_mixed_traffic_are_clean() -> None:
    figures = soak.soak(minutes=0.03, num_readers=6, num_requests=16)
    assert figures["wrong"] == []
    assert figures["is_clean"]
    assert figures["pages_missing"] == 0


def test_a_small_cache_puts_readers_back_and_gives_them_the_same_tokens() -> None:
    narrow = replace(soak.LIMITS, cache_tokens=512, page_tokens=1)
    figures = soak.soak(minutes=0.1, num_readers=24, num_requests=32, limits=narrow)
    assert figures["is_clean"]
    assert figures["preemptions"]


def test_another_model_than_the_reference_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, flaky = soak.new_models()
    flaky.head.weight = torch.nn.Parameter(flaky.head.weight.roll(1, 0), requires_grad=False)
    monkeypatch.setattr(soak, "new_models", lambda: (sound, flaky))
    figures = soak.soak(minutes=0.01, num_readers=2, num_requests=8)
    assert figures["num_wrong"]
    assert not figures["is_clean"]
