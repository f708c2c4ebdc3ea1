"""Asking for huge pages changes no value and accepts any tensor."""

import pytest
import torch

from llm.kernels.huge_pages import HUGE_PAGE, prefer_huge_pages


@pytest.mark.parametrize("num_bytes", [0, 1, HUGE_PAGE - 1, HUGE_PAGE, 5 * HUGE_PAGE + 3])
def test_memory_of_any_size_is_written_and_read_as_before(num_bytes: int) -> None:
    fresh = torch.empty(num_bytes, dtype=torch.uint8)
    assert prefer_huge_pages(fresh) is fresh
    fresh.fill_(7)
    assert int(fresh.sum()) == 7 * num_bytes


def test_a_tensor_without_memory_of_its_own_is_left_alone() -> None:
    assert prefer_huge_pages(torch.empty(2**24, device="meta")).device.type == "meta"
