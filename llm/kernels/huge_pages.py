"""Large weights on huge pages: a decoded token reads all of them, and misses in fewer tables.

A wish to the system, not a need: without it everything works, slower. Knows addresses only.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

from torch import Tensor

HUGE_PAGE = 2**21  # bytes, on x86_64 and most others
_MADV_HUGEPAGE = 14


def prefer_huge_pages(fresh: Tensor) -> Tensor:
    """Ask Linux to back the memory of a tensor, on the CPU and not written yet; returns it.

    Only whole huge pages inside it are asked for, so it takes no more memory than before.
    """
    if sys.platform == "linux" and fresh.device.type == "cpu":
        start = -(-fresh.data_ptr() // HUGE_PAGE) * HUGE_PAGE
        stop = (fresh.data_ptr() + fresh.nbytes) // HUGE_PAGE * HUGE_PAGE
        if start < stop and HUGE_PAGE % mmap.PAGESIZE == 0:
            # A kernel built without them answers EINVAL, which changes nothing.
            ctypes.CDLL(None).madvise(
                ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_HUGEPAGE
            )
    return fresh
