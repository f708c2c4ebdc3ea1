"""What the next step computes: who is admitted, and how many tokens of whom.

Knows queue bounds, fairness between tenants, the token budget and pages. Does not know tensors,
sampling or threads; its owner calls it from one thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from llm.errors import EngineBusy
from llm.pages import Pages
from llm.sequence import SequenceState


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Bounds of one engine.

    `cache_tokens` (0: by memory) is the room of the cache, given out in pages of `page_tokens`.
    A step computes about `step_tokens` tokens: every running sequence's next one, then as much of
    waiting prompts as fits. Drafts of up to `max_draft_tokens` (0: none) are made while at most
    `max_drafting` sequences run, because a step of many sequences has no idle arithmetic.

    Raises:
        ValueError: a value outside its range.
    """

    cache_tokens: int = 0
    page_tokens: int = 16
    step_tokens: int = 256
    max_running: int = 32
    max_waiting: int = 64
    max_draft_tokens: int = 8
    max_drafting: int = 4

    def __post_init__(self) -> None:
        for name, lowest in (
            ("cache_tokens", 0),
            ("page_tokens", 1),
            ("step_tokens", 1),
            ("max_running", 1),
            ("max_waiting", 0),
            ("max_draft_tokens", 0),
            ("max_drafting", 0),
        ):
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} is {getattr(self, name)}; accepted: {lowest} or more")


@dataclass(frozen=True, slots=True)
class Share:
    """The tokens of one sequence in a step: those not cached yet, as far as the budget goes,
    and behind its last one a draft to check.

    The successors of the last `num_scored` tokens are to be chosen.
    """

    sequence: SequenceState
    num_new: int
    num_scored: int
    draft: tuple[int, ...] = ()

    @property
    def ids(self) -> list[int]:
        start = self.sequence.num_cached
        return [*self.sequence.ids[start : start + self.num_new], *self.draft]


class Scheduler:
    """Sequences that wait, sequences that run, and the pages between them.

    Pages for a sequence's whole length are taken when it is admitted, so that none ever has to
    stop half-way for want of memory.
    """

    def __init__(self, limits: EngineLimits, pages: Pages) -> None:
        self._limits = limits
        self._pages = pages
        self._waiting: OrderedDict[str, deque[SequenceState]] = OrderedDict()
        self._running: list[SequenceState] = []

    @property
    def num_waiting(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def num_running(self) -> int:
        return len(self._running)

    def submit(self, sequence: SequenceState) -> None:
        """Queue a sequence. Raises EngineBusy when as many wait as may."""
        self.drop_gone()
        self._admit()
        starts_now = not self._waiting and self.num_running < self._limits.max_running
        if not starts_now and self.num_waiting >= self._limits.max_waiting:
            raise EngineBusy(self._limits.max_waiting)
        self._waiting.setdefault(sequence.tenant, deque()).append(sequence)

    def schedule(self) -> list[Share]:
        """The shares of the next step; empty when there is nothing to do."""
        self.drop_gone()
        self._admit()
        shares = [self._decoding_share(each) for each in self._running if each.decodes]
        budget = self._limits.step_tokens - sum(1 + len(share.draft) for share in shares)
        for sequence in self._running:
            if sequence.decodes:
                continue
            num_new = _prefill_tokens(sequence, budget)
            if num_new > 0:
                shares.append(Share(sequence, num_new, int(num_new == sequence.num_missing)))
                budget -= num_new
        return shares

    def record(self, share: Share, num_accepted: int) -> None:
        """Count a computed share, of whose draft `num_accepted` ids were kept."""
        sequence = share.sequence
        sequence.num_cached += share.num_new + num_accepted
        if sequence.lookup:
            sequence.lookup.record(sequence.ids, len(share.draft), num_accepted)
        num_published = len(sequence.page_keys)
        sequence.extend_keys(sequence.num_cached, self._limits.page_tokens)
        for number in range(num_published, len(sequence.page_keys)):
            self._pages.publish(sequence.pages[number], sequence.page_keys[number])

    def drop_gone(self) -> None:
        """Return the pages of every sequence that has ended or that nobody wants any more."""
        ended = [each for each in self._running if each.finished or each.gone]
        for sequence in ended:
            sequence.finished = True
            self._pages.release(sequence.pages)
            sequence.pages = []
        self._running = [each for each in self._running if not each.finished]
        for tenant, queue in list(self._waiting.items()):
            for sequence in queue:
                sequence.finished = sequence.finished or sequence.gone
            self._requeue(tenant, deque(each for each in queue if not each.finished))

    def _admit(self) -> None:
        """Start waiting sequences, one tenant after the other, while there is room.

        When the next one does not fit, nobody overtakes it: a long prompt must not starve.
        """
        while self._waiting and self.num_running < self._limits.max_running:
            tenant, queue = next(iter(self._waiting.items()))
            if not self._start(queue[0]):
                return
            self._running.append(queue.popleft())
            self._waiting.move_to_end(tenant)
            self._requeue(tenant, queue)

    def _start(self, sequence: SequenceState) -> bool:
        """Give a sequence its pages, those first that hold the beginning of its prompt."""
        page_tokens = self._limits.page_tokens
        # At least the last id of the prompt is computed: its scores choose the first token.
        sequence.extend_keys(sequence.num_prompt - 1, page_tokens)
        shared = self._pages.find(sequence.page_keys)
        if sequence.layout.num_bidirectional > len(shared) * page_tokens:
            shared = []  # what is seen from both sides is computed in one piece
        pages = self._pages.take(shared, -(-sequence.max_slots // page_tokens))
        if pages is None:
            return False
        sequence.pages = pages
        sequence.page_keys = sequence.page_keys[: len(shared)]
        sequence.num_cached = sequence.num_reused = len(shared) * page_tokens
        return True

    def _decoding_share(self, sequence: SequenceState) -> Share:
        draft: list[int] = []
        if sequence.lookup and self.num_running <= self._limits.max_drafting:
            num_left = sequence.max_tokens - sequence.num_generated
            draft = sequence.lookup.draft(sequence.ids, num_left - 1)
        return Share(sequence, 1, 1 + len(draft), tuple(draft))

    def _requeue(self, tenant: str, queue: deque[SequenceState]) -> None:
        if queue:
            self._waiting[tenant] = queue
        else:
            self._waiting.pop(tenant, None)


def _prefill_tokens(sequence: SequenceState, budget: int) -> int:
    """Tokens of a prompt to read in this step; what is seen from both sides is never split."""
    whole = sequence.layout.num_bidirectional - sequence.num_cached
    if whole > 0:
        return sequence.num_missing if budget > 0 else 0
    return min(sequence.num_missing, budget)
