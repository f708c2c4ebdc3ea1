"""Large weights on huge pages: a decoded token reads all of them, and misses in fewer tables.

A wish to the system, not a need: without it everything works, slower. Knows memory only.
"""

from __future__ import annotations

import mmap
import sys
from math import prod

import torch
from torch import Tensor

HUGE_PAGE = 2**21  # bytes, on x86_64 and most others


def empty_bytes(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """An uninitialised uint8 tensor; a large one on the CPU is mapped for huge pages on Linux.

    What the allocator hands out has often been in use, in small pages, and starts anywhere.

    Raises:
        RuntimeError: the system has no room for it, in the allocator's words or its own.
    """
    size = prod(shape)
    if device.type != "cpu" or sys.platform != "linux" or size < HUGE_PAGE:
        return torch.empty(shape, dtype=torch.uint8, device=device)
    try:
        room = mmap.mmap(-1, size + HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise RuntimeError(f"cannot allocate memory for a weight of {size} bytes") from error
    start = -torch.frombuffer(room, dtype=torch.uint8).data_ptr() % HUGE_PAGE
    # Whole pages inside the weight only: it takes no more memory than it has bytes.
    _wish(room, start, size // HUGE_PAGE * HUGE_PAGE)
    return torch.frombuffer(room, dtype=torch.uint8, count=size, offset=start).view(shape)


def _wish(room: mmap.mmap, start: int, size: int) -> None:
    try:
        room.madvise(mmap.MADV_HUGEPAGE, start, size)
    except OSError:  # a kernel that was built without them, or has pages of another size
        return
