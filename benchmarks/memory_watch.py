"""What a process's memory does over minutes, and whose it is: objects or the allocator's.

Knows Linux's /proc, the interpreter's own counters and glibc's trim. Does not know what runs.
"""

import ctypes
import gc
import os
import statistics
import sys
import time
from pathlib import Path

SAMPLE_S = 2.0


def resident_bytes() -> int:
    """Memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def trim() -> None:
    """Collect garbage, and have glibc return what is free to the system."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


class MemoryWatch:
    """Resident bytes and allocated blocks of the interpreter, every two seconds.

    Objects are not listed while others work: a tuple that is just being built would be disturbed.
    """

    def __init__(self) -> None:
        self._resident: list[int] = []
        self._blocks: list[int] = []

    def watch(self, until: float) -> None:
        """Take samples until then."""
        while time.monotonic() < until:
            time.sleep(min(SAMPLE_S, max(until - time.monotonic(), 0.01)))
            self._resident.append(resident_bytes())
            self._blocks.append(sys.getallocatedblocks())

    def figures(self) -> dict[str, object]:
        """Medians of the first and last quarter, and what is left after a trim."""
        quarter = max(len(self._resident) // 4, 1)
        figures: dict[str, object] = {
            "rss_mb_first_quarter": _megabytes(statistics.median(self._resident[:quarter])),
            "rss_mb_last_quarter": _megabytes(statistics.median(self._resident[-quarter:])),
            "blocks_first_quarter": round(statistics.median(self._blocks[:quarter])),
            "blocks_last_quarter": round(statistics.median(self._blocks[-quarter:])),
        }
        trim()
        return figures | {"rss_mb_trimmed": _megabytes(resident_bytes())}


def _megabytes(num_bytes: float) -> float:
    return round(num_bytes / 1e6, 1)
