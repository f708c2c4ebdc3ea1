"""A reply that has to call a tool: it may only begin as one of the calls would.

Bounds the first ids of a reply and leaves the rest to the model. Knows no tools and no text.
"""

from __future__ import annotations

from collections.abc import Sequence

from llm.constraints import Restriction


class CallConstraint:
    """The rule for one reply; `openings` are the ids by which each call begins, none empty."""

    def __init__(self, openings: Sequence[Sequence[int]]) -> None:
        self._openings = [tuple(opening) for opening in openings]

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        """The ids that go on with some opening; None once one is complete."""
        num = len(generated)
        begun = [opening for opening in self._openings if _agree(opening, generated)]
        if any(len(opening) <= num for opening in begun):
            return None
        return Restriction(sorted({opening[num] for opening in begun}))


def _agree(opening: Sequence[int], generated: Sequence[int]) -> bool:
    return all(left == right for left, right in zip(opening, generated, strict=False))
