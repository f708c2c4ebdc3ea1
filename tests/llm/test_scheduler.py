"""Who is admitted and how a step is shared out, without any model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.decoding import GeneratedToken, SamplingParams
from llm.engine.pages import Pages
from llm.engine.sampling import new_generator
from llm.engine.scheduler import SPARE_PAGES, EngineLimits, PlannedSlice, Scheduler
from llm.engine.sequence import SequenceState
from llm.engine.speculation import PromptLookup
from llm.errors import EngineBusy
from llm.models.batch import PromptLayout


def sequence(
    num_prompt: int,
    max_tokens: int = 4,
    tenant: str = "",
    *,
    num_bidirectional: int = 0,
    first: int = 0,
) -> SequenceState:
    """A request whose prompt is `first`, then 1, 2, 3, …"""
    return SequenceState(
        ids=[first, *range(1, num_prompt)],
        max_tokens=max_tokens,
        params=SamplingParams(max_tokens=max_tokens),
        stop_ids=frozenset(),
        layout=PromptLayout(num_bidirectional),
        tenant=tenant,
        generator=new_generator(0),
    )


def scheduler_of(num_pages: int = 64, step_tokens: int = 256, **limits: int) -> Scheduler:
    bounds = EngineLimits(page_tokens=4, step_tokens=step_tokens, **limits)
    return Scheduler(bounds, Pages(num_pages))


def compute(scheduler: Scheduler, slices: list[PlannedSlice]) -> None:
    """What the engine does after a step, every chosen token being 7."""
    for planned in slices:
        if planned.num_scored:
            planned.sequence.append(GeneratedToken(7))
        scheduler.record(planned, 0)
    scheduler.drop_ended()


def tokens_of(slices: list[PlannedSlice]) -> dict[int, int]:
    """Tokens a step computes, by the first id of each prompt."""
    return {planned.sequence.ids[0]: len(planned.tokens.ids) for planned in slices}


def test_a_full_queue_refuses_and_says_how_many_wait() -> None:
    scheduler = scheduler_of(max_running=2, max_waiting=3)
    for _ in range(5):
        scheduler.submit(sequence(5))
    assert (scheduler.num_running, scheduler.num_waiting) == (2, 3)
    with pytest.raises(EngineBusy, match="3 requests are waiting already"):
        scheduler.submit(sequence(5))
    assert (scheduler.num_running, scheduler.num_waiting) == (2, 3)


@pytest.mark.parametrize(("num_pages", "max_running"), [(64, 1), (2, 8)])
def test_without_a_queue_whatever_cannot_start_at_once_is_refused(
    num_pages: int, max_running: int
) -> None:
    scheduler = scheduler_of(num_pages, max_running=max_running, max_waiting=0)
    running = sequence(5)
    scheduler.submit(running)
    for _ in range(2):
        with pytest.raises(EngineBusy):
            scheduler.submit(sequence(5))
    running.closed = True
    scheduler.submit(sequence(5))


def test_a_place_in_the_queue_is_free_again_once_its_reader_leaves() -> None:
    scheduler = scheduler_of(max_running=1, max_waiting=1)
    scheduler.submit(sequence(5))
    waiting = sequence(5)
    scheduler.submit(waiting)
    waiting.closed = True
    scheduler.submit(sequence(5))
    assert scheduler.num_waiting == 1
    assert waiting.finished


def test_one_tenants_crowd_does_not_shut_another_out() -> None:
    scheduler = scheduler_of(max_running=1, max_waiting=2)
    for _ in range(3):
        scheduler.submit(sequence(5, tenant="crowd"))
    with pytest.raises(EngineBusy):
        scheduler.submit(sequence(5, tenant="crowd"))
    scheduler.submit(sequence(5, tenant="single"))
    with pytest.raises(EngineBusy):
        scheduler.submit(sequence(5, tenant="single"))


def test_tenants_take_turns() -> None:
    scheduler = scheduler_of(max_running=1)
    order = ["a", "a", "a", "b", "b", "c"]
    for number, tenant in enumerate(order):
        scheduler.submit(sequence(3, max_tokens=1, tenant=tenant, first=number))
    served = []
    while slices := scheduler.schedule():
        served.append(order[slices[0].sequence.ids[0]])
        compute(scheduler, slices)
    assert served == ["a", "a", "b", "c", "a", "b"]


def test_nobody_overtakes_a_request_that_waits_for_room() -> None:
    scheduler = scheduler_of(num_pages=8, step_tokens=100)
    scheduler.submit(sequence(17, first=1))  # five pages
    scheduler.submit(sequence(17, first=2))
    scheduler.submit(sequence(3, first=3))
    assert tokens_of(scheduler.schedule()) == {1: 17}


def test_who_starts_leaves_room_for_those_who_run_to_grow() -> None:
    scheduler = scheduler_of(num_pages=2 + 2 + 2 * SPARE_PAGES)
    for first in (1, 2, 3):
        scheduler.submit(sequence(8, max_tokens=10**6, first=first))
    assert (scheduler.num_running, scheduler.num_waiting) == (2, 1)


def run_until_preempted(scheduler: Scheduler) -> dict[int, int]:
    """Compute up to the first step for which somebody is put back; who is left in it."""
    num_before = scheduler.num_preemptions
    while True:
        slices = scheduler.schedule()
        if scheduler.num_preemptions > num_before:
            return tokens_of(slices)
        compute(scheduler, slices)


def test_the_youngest_is_put_back_and_starts_again_before_any_who_waits() -> None:
    scheduler = scheduler_of(num_pages=7, max_draft_tokens=0)
    old = sequence(3, max_tokens=23, tenant="a", first=1)
    middle = sequence(3, max_tokens=15, tenant="b", first=2)
    young = sequence(3, max_tokens=15, tenant="a", first=3)
    late = sequence(3, max_tokens=1, tenant="c", first=4)
    for each in (old, middle, young, late):
        scheduler.submit(each)
    assert (scheduler.num_running, scheduler.num_waiting) == (3, 1)
    assert run_until_preempted(scheduler) == {1: 1, 2: 1}
    assert (young.pages, young.num_cached, young.num_generated) == ([], 0, 6)
    assert run_until_preempted(scheduler) == {1: 1}
    assert (middle.pages, middle.num_cached) == ([], 0)
    while slices := scheduler.schedule():
        assert middle.pages or middle.finished or not young.pages
        assert young.pages or not late.pages
        compute(scheduler, slices)
    assert [each.num_generated for each in (old, middle, young, late)] == [23, 15, 15, 1]


def test_pages_that_survived_are_not_computed_again() -> None:
    scheduler = scheduler_of(num_pages=7, max_draft_tokens=0)
    old, young = sequence(4, max_tokens=6, first=1), sequence(15, max_tokens=8, first=2)
    scheduler.submit(old)
    scheduler.submit(young)
    assert run_until_preempted(scheduler) == {1: 1}
    assert len(young.ids) == 20
    compute(scheduler, scheduler.schedule())
    assert old.finished
    slices = scheduler.schedule()
    assert (slices[0].tokens.num_cached, tokens_of(slices)) == (16, {2: 4})
    assert young.num_reused == 0


@pytest.mark.parametrize(("num_pages", "num_drafted"), [(3 + SPARE_PAGES, 2), (4 + SPARE_PAGES, 4)])
def test_a_draft_takes_no_page_that_others_may_need(num_pages: int, num_drafted: int) -> None:
    scheduler = scheduler_of(num_pages)
    repeating = sequence(9, max_tokens=8)
    repeating.ids[:] = [5, 6, 7, 1, 2, 3, 4, 5, 6]  # and then 7: four ids suggest themselves
    repeating.lookup = PromptLookup(8)
    scheduler.submit(repeating)
    compute(scheduler, scheduler.schedule())
    assert tokens_of(scheduler.schedule()) == {5: 1 + num_drafted}


def test_a_short_prompt_does_not_wait_behind_a_long_one_nor_the_long_one_for_ever() -> None:
    scheduler = scheduler_of(num_pages=1000, step_tokens=8)
    scheduler.submit(sequence(1000, first=1000))
    for step in range(10):
        # Twice as many short ones come as half a step has room for.
        for first in (2 * step, 2 * step + 1):
            scheduler.submit(sequence(4, max_tokens=1, first=first))
        slices = scheduler.schedule()
        assert tokens_of(slices) == {1000: 4, step: 4}
        compute(scheduler, slices)


def test_the_short_ones_leftover_goes_to_the_next_and_the_oldest_goes_first_among_equals() -> None:
    scheduler = scheduler_of(num_pages=1000, step_tokens=10)
    for first, num_prompt in ((50, 30), (51, 30), (52, 2)):
        scheduler.submit(sequence(num_prompt, first=first))
    slices = scheduler.schedule()
    assert tokens_of(slices) == {52: 2, 50: 8}
    compute(scheduler, slices)
    assert tokens_of(scheduler.schedule()) == {52: 1, 50: 9}


def test_prompts_are_read_beside_decoders_that_fill_the_step() -> None:
    scheduler = scheduler_of(step_tokens=2)
    for first in (50, 51):
        scheduler.submit(sequence(1, max_tokens=30, first=first))
    compute(scheduler, scheduler.schedule())
    scheduler.submit(sequence(5, first=52))
    for _ in range(5):
        slices = scheduler.schedule()
        assert tokens_of(slices) == {50: 1, 51: 1, 52: 1}
        compute(scheduler, slices)
    assert scheduler.schedule()[2].sequence.decodes


def test_what_is_seen_from_both_sides_is_computed_in_one_piece() -> None:
    scheduler = scheduler_of(step_tokens=4)
    scheduler.submit(sequence(12, first=90, num_bidirectional=11))
    scheduler.submit(sequence(12, first=91, num_bidirectional=5))
    assert tokens_of(scheduler.schedule()) == {90: 12}


def test_a_planned_step_outlives_the_loss_of_its_pages() -> None:
    scheduler = scheduler_of()
    leaving = sequence(6)
    scheduler.submit(leaving)
    planned = scheduler.schedule()[0]
    pages = list(planned.tokens.pages)
    leaving.closed = True
    scheduler.drop_ended()
    assert (leaving.finished, leaving.pages) == (True, [])
    assert (planned.tokens.pages, planned.tokens.ids) == (pages, [0, 1, 2, 3, 4, 5])


def test_a_cached_beginning_is_not_computed_again_but_the_last_id_is() -> None:
    scheduler = scheduler_of()
    for num_left in (8, 4):
        scheduler.submit(sequence(8, max_tokens=1))
        slices = scheduler.schedule()
        assert len(slices[0].tokens.ids) == num_left
        compute(scheduler, slices)


def test_a_beginning_shorter_than_what_both_sides_see_is_not_shared() -> None:
    scheduler = scheduler_of()
    for _ in range(2):
        scheduler.submit(sequence(8, max_tokens=1, num_bidirectional=7))
        slices = scheduler.schedule()
        assert len(slices[0].tokens.ids) == 8
        compute(scheduler, slices)


LIMITS = st.builds(
    EngineLimits,
    page_tokens=st.just(4),
    step_tokens=st.integers(1, 20),
    max_running=st.integers(1, 6),
    max_waiting=st.integers(0, 6),
)
LONGEST_PAGES = 6  # of 8 ids and 16 more, four to a page
ARRIVALS = st.builds(
    sequence,
    st.integers(1, 8),
    st.sampled_from([1, 4, 16]),
    st.sampled_from(["", "b"]),
    first=st.integers(0, 1),
)
STEPS = st.lists(st.tuples(st.none() | ARRIVALS, st.integers(0, 40)), min_size=5, max_size=30)


def arrive(scheduler: Scheduler, arriving: SequenceState, max_waiting: int) -> bool:
    try:
        scheduler.submit(arriving)
    except EngineBusy:
        assert scheduler.num_waiting >= max_waiting
        return False
    return True


def require_sound_step(scheduler: Scheduler, present: list[SequenceState], limit: int) -> None:
    """Compute one: the oldest gets on, every decoder gets its token, prompts fill the rest."""
    oldest = next((each for each in scheduler._running if not each.closed), None)
    slices = scheduler.schedule()
    assert oldest is None or oldest in [planned.sequence for planned in slices]
    decoding = [each for each in present if each.decodes and not each.closed]
    assert {id(planned.sequence) for planned in slices[: len(decoding)]} == set(map(id, decoding))
    num_prefill = sum(len(planned.tokens.ids) for planned in slices[len(decoding) :])
    assert num_prefill <= max(limit - len(decoding), 1)
    require_private_writes(slices, scheduler._pages)
    compute(scheduler, slices)


def test_no_step_writes_where_others_read_and_the_oldest_always_gets_on() -> None:
    counts: list[int] = []

    @settings(max_examples=300, deadline=None)
    @given(limits=LIMITS, num_pages=st.integers(LONGEST_PAGES, 16), steps=STEPS)
    def check(
        limits: EngineLimits, num_pages: int, steps: list[tuple[SequenceState | None, int]]
    ) -> None:
        scheduler = Scheduler(limits, Pages(num_pages))
        present: list[SequenceState] = []
        for arriving, leaving in steps:
            if arriving and arrive(scheduler, arriving, limits.max_waiting):
                present.append(arriving)
            present = [each for each in present if not each.finished]
            if leaving < len(present):
                present[leaving].closed = True
            require_sound_step(scheduler, present, limits.step_tokens)
        while not all(each.finished for each in present):
            require_sound_step(scheduler, present, limits.step_tokens)
        assert scheduler.schedule() == []
        assert scheduler._pages.num_free == num_pages
        counts.append(scheduler.num_preemptions)

    check()
    assert sum(counts) > 10


def require_private_writes(slices: list[PlannedSlice], pages: Pages) -> None:
    written: list[int] = []
    for planned in slices:
        first = planned.tokens.num_cached // 4
        last = (planned.tokens.num_cached + len(planned.tokens.ids) - 1) // 4
        written += planned.tokens.pages[first : last + 1]
    assert len(set(written)) == len(written)
    assert not set(written) & set(pages._key_of)
    assert all(pages._holders[page] == 1 for page in written)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"page_tokens": 0}, "page_tokens is 0; accepted: 1 or more"),
        ({"max_waiting": -1}, "max_waiting is -1; accepted: 0 or more"),
    ],
)
def test_a_limit_outside_its_range_is_named(change: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        EngineLimits(**change)
