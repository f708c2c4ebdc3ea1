"""Who answers, and what happens when that one dies."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from kb_service.answerers.crew import Answerer, AnswererLost, Cancelled, Crew
from kb_service.answerers.process import READY, AnsweringProcess
from kb_service.answerers.sharing import continued, shared_draft, shared_search
from kb_service.domain.chats import never
from kb_service.domain.errors import GenerationError, InvalidRequest, KbError, NotFound
from kb_service.domain.queries import RetrievalResult
from kb_service.services.asking import (
    Drafted,
    DraftEvent,
    Drafting,
    Inquiry,
    Phase,
    PhaseEvent,
    TokenEvent,
)
from kb_service.services.searching import SearchRequest
from tests.answerers.values import DRAFTED, FOUND, INQUIRY, SEARCH

EVENTS = (PhaseEvent(Phase.RETRIEVING), TokenEvent("At 14:20 "), TokenEvent("it fell."))


class Far:
    """Drafts and searches in a thread, as a process would; holds before the last event if told."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.num_asked = 0
        self.was_closed = threading.Event()

    def draft(self, inquiry: Inquiry) -> Drafting:
        self.num_asked += 1
        try:
            yield from EVENTS[:-1]
            while not self.goes_on.wait(0.01):
                if inquiry.request.cancelled():
                    return DRAFTED
            if self.fails:
                raise self.fails
            yield EVENTS[-1]
            return DRAFTED
        finally:
            self.was_closed.set()

    def search(self, request: SearchRequest) -> RetrievalResult:
        self.num_asked += 1
        if self.fails:
            raise self.fails
        assert request == SEARCH
        return FOUND


class Near(Far):
    """What the server itself does."""


@contextmanager
def served(far: Far) -> Iterator[Answerer]:
    """An answerer at whose other end a thread serves."""
    answerer = Answerer(1)
    ours, theirs = socket.socketpair()
    service: Any = far
    process = AnsweringProcess(theirs, lambda: service, service)
    thread = threading.Thread(target=process.serve, daemon=True)
    thread.start()
    assert ours.recv(1) == READY
    answerer._control, answerer._is_ready = ours, True
    answerer._kept = SimpleKept()  # type: ignore[assignment]  # it lives as long as it is told
    try:
        yield answerer
    finally:
        far.goes_on.set()
        answerer._give_up_control()
        thread.join(10)
        theirs.close()


class SimpleKept:
    is_alive = True


def crew_of(*answerers: Answerer) -> Crew:
    crew = Crew(0)
    crew.answerers = answerers
    return crew


def told_by(drafting: Drafting) -> tuple[list[DraftEvent], Drafted]:
    told: list[DraftEvent] = []
    while True:
        try:
            told.append(next(drafting))
        except StopIteration as end:
            return told, end.value


def test_an_answer_made_elsewhere_is_told_and_returned_as_it_was_made() -> None:
    far, near = Far(), Near()
    with served(far) as answerer:
        draft = shared_draft(crew_of(answerer), near.draft)
        assert told_by(draft(INQUIRY)) == (list(EVENTS), DRAFTED)
        assert shared_search(crew_of(answerer), near.search)(SEARCH) == FOUND
    assert (far.num_asked, near.num_asked) == (2, 0)


@pytest.mark.parametrize("fails", [NotFound("gone", code="kb_not_found"), InvalidRequest("bad")])
def test_an_error_elsewhere_is_the_askers_and_is_not_tried_again(fails: KbError) -> None:
    near = Near()
    with served(Far(fails)) as answerer:
        crew = crew_of(answerer)
        for asked in (
            lambda: told_by(shared_draft(crew, near.draft)(INQUIRY)),
            lambda: shared_search(crew, near.search)(SEARCH),
        ):
            with pytest.raises(type(fails)) as raised:
                asked()
            assert (raised.value.code, raised.value.message) == (fails.code, fails.message)
    assert near.num_asked == 0


def test_an_unexpected_fault_elsewhere_is_a_typed_error() -> None:
    with served(Far(ZeroDivisionError())) as answerer, pytest.raises(KbError) as raised:
        told_by(shared_draft(crew_of(answerer), Near().draft)(INQUIRY))
    assert raised.value.code == "internal_error"
    assert "ZeroDivisionError" in raised.value.message


def ready(number: int) -> Answerer:
    answerer = Answerer(number)
    answerer._is_ready = True
    answerer._kept = SimpleKept()  # type: ignore[assignment]  # alive
    return answerer


def test_each_has_the_next_request_who_has_least_to_do_and_the_server_takes_part() -> None:
    first, second = ready(1), ready(2)
    crew = crew_of(first, second)
    for lend in (crew.searching, lambda: crew.drafting(never)):
        with lend() as a, lend() as b, lend() as c, lend() as d:
            assert [a, b, c, d] == [first, second, None, first]
    second._is_ready = False
    with crew.searching() as a, crew.searching() as b:
        assert [a, b] == [first, None]


def test_no_more_answers_are_made_at_a_time_than_help_and_who_came_first_is_first() -> None:
    crew = Crew(0, at_once=1)
    order = list[int]()

    def answer(number: int) -> None:
        with crew.drafting(never):
            order.append(number)

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(5)]
    with crew.drafting(never):
        for number, thread in enumerate(threads):
            thread.start()
            while len(crew._line) <= number:
                time.sleep(0.001)
        with crew.searching(), crew.searching():
            assert order == []
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_searches_keep_no_answer_waiting() -> None:
    crew = Crew(0, at_once=1)
    with crew.searching(), crew.searching(), crew.drafting(never) as chosen:
        assert chosen is None


def test_who_waits_for_a_turn_and_wants_it_no_more_leaves_the_line() -> None:
    crew = Crew(0, at_once=1)
    with crew.drafting(never):
        with pytest.raises(Cancelled), crew.drafting(lambda: True):
            pass
        assert not crew._line
    with crew.drafting(never):
        assert not crew._line


def test_without_a_process_that_is_ready_the_server_answers() -> None:
    near = Near()
    assert told_by(shared_draft(crew_of(Answerer(1)), near.draft)(INQUIRY))[1] == DRAFTED
    assert near.num_asked == 1


def test_a_process_that_dies_before_it_answers_costs_the_asker_nothing() -> None:
    near = Near()
    answerer = Answerer(1)
    ours, theirs = socket.socketpair()
    answerer._control, answerer._is_ready = ours, True
    answerer._kept = SimpleKept()  # type: ignore[assignment]  # not yet seen to be dead
    theirs.close()
    with ours:
        crew = crew_of(answerer)
        assert told_by(shared_draft(crew, near.draft)(INQUIRY)) == (list(EVENTS), DRAFTED)
        assert shared_search(crew, near.search)(SEARCH) == FOUND
    assert near.num_asked == 2


def test_a_process_that_dies_in_the_middle_is_continued_without_a_word_told_twice() -> None:
    near = Near()
    answerer = ready(1)

    def lost(_: Inquiry) -> Drafting:
        yield from EVENTS[:2]
        raise AnswererLost

    answerer.draft = lost  # type: ignore[method-assign]  # as one that is killed there
    assert told_by(shared_draft(crew_of(answerer), near.draft)(INQUIRY)) == (list(EVENTS), DRAFTED)


@pytest.mark.parametrize(
    "told",
    [(EVENTS[0], TokenEvent("At 15:00 ")), (*EVENTS, TokenEvent("More."))],
    ids=["otherwise", "more"],
)
def test_what_was_told_otherwise_is_not_continued(told: Sequence[DraftEvent]) -> None:
    with pytest.raises(GenerationError, match="ask again"):
        told_by(continued(Near().draft(INQUIRY), told))


def test_who_wants_it_no_more_is_let_go_while_nothing_comes_and_ends_the_work() -> None:
    far = Far()
    far.goes_on.clear()
    gone = threading.Event()
    request = replace(INQUIRY.request, cancelled=gone.is_set)
    with served(far) as answerer:
        drafting = answerer.draft(replace(INQUIRY, request=request))
        assert [next(drafting), next(drafting)] == list(EVENTS[:2])
        gone.set()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            next(drafting)
        assert far.was_closed.wait(10)
        assert time.monotonic() - began < 5


def test_closing_a_drafting_ends_the_work_elsewhere() -> None:
    far = Far()
    far.goes_on.clear()
    with served(far) as answerer:
        drafting = answerer.draft(INQUIRY)
        next(drafting)
        drafting.close()
        assert far.was_closed.wait(10)
