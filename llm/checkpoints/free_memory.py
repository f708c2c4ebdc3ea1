"""Give memory that loading no longer needs back to the system.

Knows the C library's allocator, which keeps freed pieces below 32 MB for later: after quantising a
large model these are hundreds of megabytes that nobody will ask for again.
"""

from __future__ import annotations

import ctypes
import gc


def release_free_memory() -> bool:
    """Collect garbage and return free pages; False where the C library (not glibc) cannot."""
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library called None
        return False
    return bool(trim(0))
