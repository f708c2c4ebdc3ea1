"""What a process's memory does over minutes, and whose it is: objects or the allocator's.

Knows Linux's /proc, the interpreter's own counters and glibc's trim. Does not know what runs.
"""

import ctypes
import gc
import os
import statistics
import sys
import time
from collections import Counter
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


def objects_by_type() -> Counter[str]:
    """How many objects of each type the collector follows, after a collection."""
    gc.collect()
    return Counter(type(each).__qualname__ for each in gc.get_objects())


class MemoryWatch:
    """Resident bytes and allocated blocks of the interpreter, every two seconds."""

    def __init__(self) -> None:
        self._resident: list[int] = []
        self._blocks: list[int] = []
        self._objects: Counter[str] = Counter()

    def watch(self, until: float) -> None:
        """Take samples until then; objects are counted once, after the first quarter."""
        quarter = time.monotonic() + (until - time.monotonic()) / 4
        while time.monotonic() < until:
            time.sleep(min(SAMPLE_S, max(until - time.monotonic(), 0.01)))
            self._resident.append(resident_bytes())
            self._blocks.append(sys.getallocatedblocks())
            if not self._objects and time.monotonic() > quarter:
                self._objects = objects_by_type()

    def figures(self) -> dict[str, object]:
        """Medians of the first and last quarter, what a trim leaves, and which types grew most."""
        grown = objects_by_type() - self._objects
        quarter = max(len(self._resident) // 4, 1)
        figures: dict[str, object] = {
            "rss_mb_first_quarter": _megabytes(statistics.median(self._resident[:quarter])),
            "rss_mb_last_quarter": _megabytes(statistics.median(self._resident[-quarter:])),
            "blocks_first_quarter": round(statistics.median(self._blocks[:quarter])),
            "blocks_last_quarter": round(statistics.median(self._blocks[-quarter:])),
            "more_objects": dict(grown.most_common(5)),
        }
        trim()
        return figures | {"rss_mb_trimmed": _megabytes(resident_bytes())}


def _megabytes(num_bytes: float) -> float:
    return round(num_bytes / 1e6, 1)
