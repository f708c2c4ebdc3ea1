"""A failing history made short: steps are left out while it still fails."""

from collections.abc import Callable, Sequence

from benchmarks.histories.steps import Step


def shrunk(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Return a part of the steps that fails too, and of which no step can be left out."""
    kept, size = list(steps), max(1, len(steps) // 2)
    while True:
        place, is_shorter = 0, False
        while place < len(kept):
            fewer = kept[:place] + kept[place + size :]
            if fewer and fails(fewer):
                kept, is_shorter = fewer, True
            else:
                place += size
        if size == 1 and not is_shorter:
            return kept
        size = max(1, size // 2)
