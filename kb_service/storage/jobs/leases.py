"""Which leases stand still, by the time that passes here.

Knows beats and one clock that never steps. Compares no two clocks: not those of two machines, and
not one with itself before and after it was set.
"""

from collections.abc import Callable, Mapping


class LeaseWatch:
    """Sees the running jobs again and again, and tells which were not heard of for a lease.

    `elapsed`: seconds of a clock that is never set (`time.monotonic`). A watcher that has just
    started gives every holder a whole lease to be heard of.
    """

    def __init__(self, lease_s: float, elapsed: Callable[[], float]) -> None:
        self._lease_s = lease_s
        self._elapsed = elapsed
        self._seen: dict[int, tuple[int, float]] = {}

    def silent(self, beats: Mapping[int, int]) -> dict[int, int]:
        """Return those of the beats (job number -> its last beat) that stand for a lease or more.

        Jobs that are not among the beats are forgotten.
        """
        now = self._elapsed()
        before = self._seen
        self._seen = {
            number: before[number] if before.get(number, (None,))[0] == beat else (beat, now)
            for number, beat in beats.items()
        }
        return {
            number: beat
            for number, (beat, since) in self._seen.items()
            if now - since >= self._lease_s
        }

    def heard(self, number: int, beat: int) -> None:
        """Note a beat that was made here."""
        self._seen = {**self._seen, number: (beat, self._elapsed())}
