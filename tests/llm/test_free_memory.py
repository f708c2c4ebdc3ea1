"""Freed pieces of the heap go back to the system."""

import sys
from pathlib import Path

import pytest
import torch

from llm.checkpoints.weight_loader import release_free_memory


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and needs glibc")
def test_what_many_small_tensors_took_is_given_back() -> None:
    release_free_memory()
    pieces = [torch.ones(25_000) for _ in range(2000)]  # 100 kB each: on the heap, not mapped
    kept = pieces[-1]  # the heap cannot simply shrink from its end
    del pieces
    before = resident_bytes()
    assert release_free_memory()
    assert before - resident_bytes() > 100e6
    assert float(kept.sum()) == 25_000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
