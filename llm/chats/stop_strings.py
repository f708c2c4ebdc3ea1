"""Texts that end a reply, found while it streams. Pure; knows no tokens and no model."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Feed pieces, get text in front of the first stop string; it is no part of the text.

    The first is the one that is complete first; of several that end together, the longest. What
    could still become a stop string is held back. The pieces returned, joined, do not depend on
    how the text was cut. `is_found` turns True with the first one; nothing comes after it.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._pending = ""
        self.is_found = False

    def feed(self, piece: str) -> str:
        """Text that is certain with this piece."""
        if self.is_found:
            return ""
        self._pending += piece
        places = [(self._pending.find(stop), stop) for stop in self._stops]
        found = [(place + len(stop), place) for place, stop in places if place >= 0]
        self.is_found = bool(found)
        end = min(found)[1] if found else len(self._pending) - self._num_held()
        ready, self._pending = self._pending[:end], self._pending[end:]
        return ready

    def flush(self) -> str:
        """The text still held back, once nothing follows."""
        rest = "" if self.is_found else self._pending
        self._pending = ""
        return rest

    def _num_held(self) -> int:
        """Length of the longest tail that begins a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._pending)), 0, -1):
            tail = self._pending[-length:]
            if any(stop.startswith(tail) for stop in self._stops):
                return length
        return 0
