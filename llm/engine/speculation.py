"""Guessing the next tokens from text that was there before: prompt-lookup drafts.

An answer from documents repeats stretches of its prompt. Where the last tokens occurred earlier,
what followed them then is proposed; the model checks a whole draft in one step, and only what it
would have chosen itself is kept. Knows ids and its own record of success; does not know the model.
Method: prompt lookup decoding (Saxena 2023).
"""

from __future__ import annotations

from collections.abc import Sequence

NGRAM_TOKENS = 3
FIRST_DRAFT_TOKENS = 4
# A draft that fails costs a wider step, so failures in a row pause the guessing ever longer.
MAX_PAUSE_TOKENS = 32


class PromptLookup:
    """Drafts for one sequence, of at most `max_draft_tokens`."""

    def __init__(self, max_draft_tokens: int) -> None:
        self._max_draft = max_draft_tokens
        self._draft_tokens = min(FIRST_DRAFT_TOKENS, max_draft_tokens)
        self._next_of: dict[tuple[int, ...], int] = {}
        self._num_indexed = 0
        self._num_failures = 0
        self._resume_at = 0

    def draft(self, ids: Sequence[int], limit: int) -> list[int]:
        """Up to `limit` ids that may follow `ids`; empty where nothing suggests itself."""
        self._index(ids)
        num_tokens = min(self._draft_tokens, limit)
        if num_tokens <= 0 or len(ids) < self._resume_at:
            return []
        start = self._next_of.get(tuple(ids[-NGRAM_TOKENS:]))
        return [] if start is None else list(ids[start : start + num_tokens])

    def record(self, ids: Sequence[int], num_drafted: int, num_accepted: int) -> None:
        """Learn from a checked draft: lengthen after a full success, pause after a failure."""
        if num_drafted == 0:
            return
        if num_accepted == num_drafted:
            self._draft_tokens = min(2 * self._draft_tokens, self._max_draft)
        elif num_accepted <= num_drafted // 2:
            self._draft_tokens = max(self._draft_tokens // 2, 2)
        if num_accepted:
            self._num_failures = 0
            return
        self._num_failures += 1
        if self._num_failures > 1:
            pause = min(2**self._num_failures, MAX_PAUSE_TOKENS)
            self._resume_at = len(ids) + pause

    def _index(self, ids: Sequence[int]) -> None:
        """Remember what follows every run of tokens; the latest place wins.

        The run at the very end has no successor yet, so it stays out until it has one.
        """
        for end in range(max(self._num_indexed, NGRAM_TOKENS), len(ids)):
            self._next_of[tuple(ids[end - NGRAM_TOKENS : end])] = end
        self._num_indexed = len(ids)
