"""What the next step computes: who is admitted, and how many tokens of whom.

Knows queue bounds, fairness between tenants, the token budget and pages. Does not know tensors,
sampling or threads; its owner calls it from one thread at a time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from llm.engine.pages import Pages
from llm.engine.sequence import SequenceState
from llm.errors import EngineBusy
from llm.models.batch import TokenSlice

# Kept free for every sequence that runs, whenever another starts or a draft is made: enough that
# few are put back where answers end early, little enough that nobody waits beside a free cache.
SPARE_PAGES = 2


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Bounds of one engine.

    `cache_tokens` (0: by memory) is the room of the cache, given out in pages of `page_tokens`.
    A step computes about `step_tokens` tokens (0: by device): every running sequence's next one,
    then as much of unread prompts as fits. Beyond `max_running` sequences up to `max_waiting`
    wait; a tenant of whom none waits yet finds a place up to twice that bound. Drafts of up to
    `max_draft_tokens` (0: none) are made while at most `max_drafting` sequences run, because a
    step of many sequences has no idle arithmetic.

    Raises:
        ValueError: a value outside its range.
    """

    cache_tokens: int = 0
    page_tokens: int = 16
    step_tokens: int = 0
    max_running: int = 32
    max_waiting: int = 64
    max_draft_tokens: int = 8
    max_drafting: int = 4

    def __post_init__(self) -> None:
        for name, lowest in (
            ("cache_tokens", 0),
            ("page_tokens", 1),
            ("step_tokens", 0),
            ("max_running", 1),
            ("max_waiting", 0),
            ("max_draft_tokens", 0),
            ("max_drafting", 0),
        ):
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} is {getattr(self, name)}; accepted: {lowest} or more")


@dataclass(frozen=True, slots=True)
class PlannedSlice:
    """One sequence's slice of a step: its tokens that are not cached yet, as far as the budget
    goes, and behind its last one a draft to check.

    The successors of the last `num_scored` tokens are to be chosen. `tokens` stay as they were when
    the step was planned, even if the sequence loses its pages meanwhile.
    """

    sequence: SequenceState
    tokens: TokenSlice
    num_scored: int
    draft: tuple[int, ...] = ()

    @property
    def num_new(self) -> int:
        return len(self.tokens.ids) - len(self.draft)


class Scheduler:
    """Sequences that wait, sequences that run, and the pages between them.

    A sequence starts with pages for the ids it has and takes more as it grows. When none is left
    the youngest is put back: its pages go to the others, its tokens stay, and it starts again
    before any that waits. So the oldest always gets on.
    """

    def __init__(self, limits: EngineLimits, pages: Pages) -> None:
        self._limits = limits
        self._pages = pages
        self._waiting: OrderedDict[str, deque[SequenceState]] = OrderedDict()
        self._running: list[SequenceState] = []  # oldest first
        self._put_back: list[SequenceState] = []  # oldest first, all younger than those that run
        self.num_preemptions = 0

    @property
    def num_waiting(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def num_running(self) -> int:
        return len(self._running)

    @property
    def _num_spare(self) -> int:
        return SPARE_PAGES * self.num_running

    def submit(self, sequence: SequenceState) -> None:
        """Start a sequence or, where it has no room yet, queue it.

        Raises:
            EngineBusy: it would have to wait, and as many wait as may.
        """
        self.drop_ended()
        queue = self._waiting.setdefault(sequence.tenant, deque())
        queue.append(sequence)
        self._admit()
        # One tenant's crowd must not shut the others out.
        bound = self._limits.max_waiting * (1 if len(queue) > 1 else 2)
        if queue and queue[-1] is sequence and self.num_waiting > bound:
            queue.pop()
            self._requeue(sequence.tenant, queue)
            raise EngineBusy(self._limits.max_waiting)

    def schedule(self) -> list[PlannedSlice]:
        """The slices of the next step; empty when there is nothing to do."""
        self.drop_ended()
        self._make_room()
        self._admit()
        slices = [self._decoding_slice(each) for each in self._running if each.decodes]
        budget = self._limits.step_tokens - sum(len(planned.tokens.ids) for planned in slices)
        # At least one token, or prompts would starve beside as many decoders as fill a step.
        slices += self._prefill_slices(max(budget, 1))
        return slices

    def record(self, planned: PlannedSlice, num_accepted: int) -> None:
        """Count a computed slice, of whose draft `num_accepted` ids were kept."""
        sequence = planned.sequence
        sequence.num_cached += planned.num_new + num_accepted
        if sequence.lookup:
            sequence.lookup.record(sequence.ids, len(planned.draft), num_accepted)
        num_published = len(sequence.page_keys)
        sequence.extend_keys(sequence.num_cached, self._limits.page_tokens)
        for number in range(num_published, len(sequence.page_keys)):
            self._pages.publish(sequence.pages[number], sequence.page_keys[number])

    def drop_ended(self) -> None:
        """Return the pages of every sequence that has ended or that nobody wants any more."""
        for sequence in [*self._running, *self._put_back]:
            if sequence.finished or sequence.closed:
                sequence.finished = True
                self._pages.release(sequence.rewind())
        self._running = [each for each in self._running if not each.finished]
        self._put_back = [each for each in self._put_back if not each.finished]
        for tenant, queue in list(self._waiting.items()):
            for sequence in queue:
                sequence.finished = sequence.closed
            self._requeue(tenant, deque(each for each in queue if not each.finished))

    def _make_room(self) -> None:
        """Give everyone a page for the next token, the oldest first, at the youngest's expense."""
        for sequence in self._running[:]:
            while sequence.pages and not self._grow(sequence, len(sequence.ids)):
                youngest = self._running.pop()
                self._pages.release(youngest.rewind())
                self._put_back.insert(0, youngest)
                self.num_preemptions += 1

    def _grow(self, sequence: SequenceState, num_tokens: int, num_spare: int = 0) -> bool:
        """Whether a sequence has, or now takes, pages for its first `num_tokens` tokens."""
        num_pages = -(-num_tokens // self._limits.page_tokens)
        if num_pages > len(sequence.pages):
            more = self._pages.take([], num_pages - len(sequence.pages), num_spare)
            sequence.pages = [*sequence.pages, *(more or [])]
        return num_pages <= len(sequence.pages)

    def _admit(self) -> None:
        """Start who was put back, then who waits, one tenant after the other, while there is room.

        When the next one does not fit, nobody overtakes it: a long prompt must not starve.
        """
        while self._put_back and self._start(self._put_back[0]):
            self._running.append(self._put_back.pop(0))
        while self._waiting and not self._put_back and self.num_running < self._limits.max_running:
            tenant, queue = next(iter(self._waiting.items()))
            if not self._start(queue[0]):
                return
            queue[0].num_reused = queue[0].num_cached
            self._running.append(queue.popleft())
            self._waiting.move_to_end(tenant)
            self._requeue(tenant, queue)

    def _start(self, sequence: SequenceState) -> bool:
        """Give a sequence pages for its ids, those first that hold the beginning of them."""
        page_tokens = self._limits.page_tokens
        # At least the last id is computed: its scores choose the next token.
        sequence.extend_keys(len(sequence.ids) - 1, page_tokens)
        shared = self._pages.find(sequence.page_keys)
        if sequence.layout.num_bidirectional > len(shared) * page_tokens:
            shared = []  # what is seen from both sides is computed in one piece
        num_pages = -(-len(sequence.ids) // page_tokens)
        pages = self._pages.take(shared, num_pages, self._num_spare)
        if pages is None:
            return False
        sequence.pages = pages
        sequence.page_keys = sequence.page_keys[: len(shared)]
        sequence.num_cached = len(shared) * page_tokens
        return True

    def _decoding_slice(self, sequence: SequenceState) -> PlannedSlice:
        draft: list[int] = []
        if sequence.lookup and self.num_running <= self._limits.max_drafting:
            num_left = sequence.max_tokens - sequence.num_generated
            draft = sequence.lookup.draft(sequence.ids, num_left - 1)
        # A guess must cost nobody his place.
        if not self._grow(sequence, len(sequence.ids) + len(draft), self._num_spare):
            draft = draft[: len(sequence.pages) * self._limits.page_tokens - len(sequence.ids)]
        return PlannedSlice(sequence, sequence.next_slice(1, draft), 1 + len(draft), tuple(draft))

    def _prefill_slices(self, budget: int) -> Iterator[PlannedSlice]:
        """Pieces of prompts: half the budget is the oldest's, the rest goes to the shortest first.

        So a short prompt does not wait behind a long one, nor a long one for ever.
        """
        prompts = [each for each in self._running if not each.decodes]
        kept = -(-budget // 2)
        for sequence in sorted(prompts, key=lambda each: each.num_missing):
            room = budget - kept
            if sequence is prompts[0]:
                room, kept = max(budget, kept), 0
            num_new = _prefill_tokens(sequence, room)
            if num_new > 0:
                is_last = num_new == sequence.num_missing
                yield PlannedSlice(sequence, sequence.next_slice(num_new), int(is_last))
                budget -= num_new

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
