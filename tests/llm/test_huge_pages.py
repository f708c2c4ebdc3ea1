"""Memory for weights: any size, aligned where it is large, and given back."""

import mmap
import sys
from pathlib import Path

import pytest
import torch

from llm.kernels.cpu.huge_pages import HUGE_PAGE, empty_bytes

CPU = torch.device("cpu")


@pytest.mark.parametrize("num_rows", [0, 1, HUGE_PAGE // 8 - 1, HUGE_PAGE // 8, HUGE_PAGE + 3])
def test_memory_of_any_size_holds_what_is_written(num_rows: int) -> None:
    fresh = empty_bytes((num_rows, 2, 4), CPU)
    assert fresh.shape == (num_rows, 2, 4)
    fresh.fill_(7)
    assert int(fresh.sum()) == 7 * fresh.numel()


@pytest.mark.skipif(sys.platform != "linux", reason="maps memory as Linux does")
def test_a_large_one_starts_with_a_huge_page_and_goes_back_to_the_system() -> None:
    before = mapped_bytes()
    fresh = empty_bytes((2**28,), CPU)
    assert fresh.data_ptr() % HUGE_PAGE == 0
    assert mapped_bytes() - before >= 2**28
    del fresh
    assert mapped_bytes() - before < 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="maps memory as Linux does")
def test_more_than_there_is_is_an_error_that_the_engine_knows() -> None:
    with pytest.raises(RuntimeError, match="cannot allocate memory"):
        empty_bytes((2**60,), CPU)


@pytest.mark.skipif(sys.platform != "linux", reason="maps memory as Linux does")
def test_a_kernel_without_huge_pages_gives_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", -1)  # EINVAL
    assert int(empty_bytes((2 * HUGE_PAGE,), CPU).fill_(1).sum()) == 2 * HUGE_PAGE


def test_other_devices_have_memory_of_their_own() -> None:
    assert empty_bytes((2**24,), torch.device("meta")).device.type == "meta"


def mapped_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * mmap.PAGESIZE
