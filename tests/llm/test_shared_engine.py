"""One engine, many readers: whatever one of them does or meets, the others get their tokens."""

import gc
import random
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from llm.constraints import Restriction
from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.scheduler import EngineLimits, PlannedSlice
from llm.errors import EngineBusy, GenerationFailed, NonFiniteLogits, OutOfMemory
from llm.models.model import AnyStep
from tests.llm.loud_model import expected, loud_model

GREEDY = SamplingParams(temperature=0, max_tokens=12)
MARKED_ID = 90  # no other prompt here holds it
PROMPTS = [[5 + (start + number * number) % 80 for number in range(20)] for start in range(6)]
MARKED = [*PROMPTS[0][:16], MARKED_ID, 6, 7, 8]


def naive(prompt: Sequence[int], num_tokens: int = 12) -> list[int]:
    return expected(loud_model(), tuple(prompt), SamplingParams(temperature=0), num_tokens)


def ids_of(stream: TokenStream) -> list[int]:
    return [token.id for token in stream]


def new_engine(cache_tokens: int = 1024, **limits: int) -> Engine:
    return Engine(loud_model(), limits=EngineLimits(cache_tokens, page_tokens=4, **limits))


def require_unharmed(engine: Engine, streams: Sequence[TokenStream]) -> None:
    """Every stream over PROMPTS ends as if alone, a new one too, and every page is back."""
    for prompt, stream in zip(PROMPTS, streams, strict=False):
        assert ids_of(stream) == naive(prompt)
    assert ids_of(engine.generate(PROMPTS[-1], GREEDY)) == naive(PROMPTS[-1])
    assert engine.num_free_pages == engine.limits.cache_tokens // 4


@contextmanager
def failing_steps(engine: Engine, error: BaseException, *, once: bool = False) -> Iterator[None]:
    """Steps that read the marked id raise; or the next one does, whatever it reads."""
    plain = engine.model.through
    raised: list[bool] = []

    def through(ids: Tensor, step: AnyStep) -> Tensor:
        if not raised if once else MARKED_ID in ids.tolist():
            raised.append(True)
            raise error
        return plain(ids, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.model, "through", through)
        yield
    assert raised


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("no such kernel"), GenerationFailed),
        (IndexError("out of range"), GenerationFailed),
        (MemoryError(), OutOfMemory),
        (RuntimeError("can't allocate memory: you tried"), OutOfMemory),
        (torch.OutOfMemoryError("CUDA out of memory"), OutOfMemory),
    ],
)
def test_a_failing_request_ends_with_a_typed_error_and_the_others_go_on(
    error: Exception, kind: type[GenerationFailed]
) -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS[:3]]
    with failing_steps(engine, error):
        marked = engine.generate(MARKED, GREEDY)
        with pytest.raises(GenerationFailed) as caught:
            ids_of(marked)
        assert type(caught.value) is kind
        assert ids_of(marked) == []
        require_unharmed(engine, streams)


def test_a_step_that_fails_once_is_not_noticed_by_several_readers() -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS]
    with failing_steps(engine, RuntimeError("now and then"), once=True):
        require_unharmed(engine, streams)


def test_an_interrupted_step_is_computed_by_the_next_reader() -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS]
    with failing_steps(engine, KeyboardInterrupt(), once=True), pytest.raises(KeyboardInterrupt):
        next(streams[0])
    require_unharmed(engine, streams)


@contextmanager
def numberless_id(engine: Engine) -> Iterator[None]:
    """The embedding of the marked id is not a number."""
    row = engine.model.embedding.weight[MARKED_ID]
    sound = row.clone()
    row.fill_(torch.nan)
    yield
    row.copy_(sound)


def test_a_prompt_that_makes_no_numbers_harms_none_of_its_neighbours() -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS[:3]]
    with numberless_id(engine):
        with pytest.raises(NonFiniteLogits):
            next(engine.generate(MARKED, GREEDY))
        require_unharmed(engine, streams)


def test_what_holds_no_numbers_is_never_found_by_who_begins_alike() -> None:
    engine = new_engine(step_tokens=18)
    with numberless_id(engine):
        # Attention over a whole piece of a prompt mixes 0 * NaN into the tokens before it, too.
        with pytest.raises(NonFiniteLogits, match="what the model made of the prompt"):
            next(engine.generate(MARKED, GREEDY))
        require_unharmed(engine, [engine.generate(PROMPTS[0], GREEDY)])


def test_a_question_whether_to_go_on_may_raise_for_its_own_reader_only() -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS]

    def cancelled() -> bool:
        raise ConnectionError("the client is gone")

    asking = engine.generate(MARKED, GREEDY, cancelled=cancelled)
    with pytest.raises(ConnectionError):
        next(asking)
    del asking
    require_unharmed(engine, streams)


def test_a_question_whether_to_go_on_may_close_its_own_stream() -> None:
    engine = new_engine()
    streams: list[TokenStream] = []

    def cancelled() -> bool:
        streams[0].close()
        return False

    streams.append(engine.generate(MARKED, GREEDY, cancelled=cancelled))
    assert ids_of(streams[0]) == []
    require_unharmed(engine, [])


class RaisingConstraint:
    """Allows everything twice and then fails."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        if len(generated) == 2:
            raise KeyError("no such source")
        return None


class EmptyConstraint:
    """Breaks its promise that at least one id may follow."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        return Restriction([])


class FreeConstraint:
    """Allows everything."""

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        return None


def test_a_failed_request_leaves_nothing_for_the_garbage_collector() -> None:
    engine, rule = new_engine(), FreeConstraint()
    left = weakref.ref(rule)  # which its sequence holds, with all that a step computed for it
    gc.disable()
    try:
        with numberless_id(engine), suppress(NonFiniteLogits):
            ids_of(engine.generate(MARKED, GREEDY, constraint=rule))
            raise AssertionError("it did not fail")
        del rule
        assert left() is None
    finally:
        gc.enable()


def test_a_constraint_that_raises_ends_its_own_request() -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS[:3]]
    raising = engine.generate(MARKED, GREEDY, constraint=RaisingConstraint())
    assert [next(raising).id for _ in range(2)] == naive(MARKED)[:2]
    with pytest.raises(GenerationFailed, match="no such source"):
        next(raising)
    with pytest.raises(GenerationFailed):
        next(engine.generate(MARKED, GREEDY, constraint=EmptyConstraint()))
    require_unharmed(engine, streams)


def test_a_stream_closed_between_planning_and_running_a_step_does_not_disturb_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = new_engine()
    streams = [engine.generate(prompt, GREEDY) for prompt in PROMPTS]
    leaving = [engine.generate(MARKED, GREEDY), engine.generate(MARKED, GREEDY)]
    plain = engine._scores

    def scores(slices: Sequence[PlannedSlice]) -> object:
        if leaving:
            leaving.pop().close()
            engine.generate(MARKED[:9], GREEDY).close()  # takes the pages, and gives them back
        return plain(slices)

    monkeypatch.setattr(engine, "_scores", scores)
    require_unharmed(engine, streams)


def test_a_stream_may_be_dropped_while_its_own_thread_holds_the_book() -> None:
    engine = new_engine()
    dropped = [engine.generate(MARKED, GREEDY)]
    next(dropped[0])
    with engine._booked():
        dropped.clear()  # as the garbage collector does, at any moment
        assert engine.num_free_pages < 256
    assert engine.num_free_pages == 256
    require_unharmed(engine, [])


def test_a_closed_stream_gives_no_more_even_of_what_was_computed() -> None:
    engine = new_engine()
    first, second = (engine.generate(prompt, GREEDY) for prompt in PROMPTS[:2])
    assert ids_of(first) == naive(PROMPTS[0])
    second.close()
    assert ids_of(second) == []


def test_a_reader_who_pauses_finds_everything_when_he_comes_back() -> None:
    engine = new_engine()
    paused = engine.generate(PROMPTS[0], GREEDY)
    for prompt in PROMPTS[1:]:
        assert ids_of(engine.generate(prompt, GREEDY)) == naive(prompt)
    assert engine.num_free_pages == 256  # he is done, though he has read nothing
    assert ids_of(paused) == naive(PROMPTS[0])


def test_who_waits_for_a_step_of_another_gets_his_token_when_it_ends() -> None:
    engine = new_engine()
    stepping, go_on = threading.Event(), threading.Event()
    plain = engine._scores
    got: list[int] = []

    def scores(slices: Sequence[PlannedSlice]) -> object:
        stepping.set()
        assert go_on.wait(timeout=30)
        return plain(slices)

    first, second = (engine.generate(prompt, GREEDY) for prompt in PROMPTS[:2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_scores", scores)
        stepper = threading.Thread(target=lambda: next(first))
        stepper.start()
        assert stepping.wait(timeout=30)
        waiter = threading.Thread(target=lambda: got.append(next(second).id))
        waiter.start()
        waiter.join(timeout=0.05)
        assert waiter.is_alive()
        patch.setattr(engine, "_scores", forbidden)
        go_on.set()
        waiter.join(timeout=30)
        stepper.join(timeout=30)
    assert got == naive(PROMPTS[1])[:1]


def forbidden(*_: object) -> object:
    raise AssertionError("a second step, though the first brought both their tokens")


@pytest.mark.parametrize("cache_tokens", [1024, 72], ids=["wide", "narrow"])
def test_many_threads_with_many_manners_get_nothing_but_naive_tokens(cache_tokens: int) -> None:
    engine = new_engine(cache_tokens, max_running=4, max_waiting=3, step_tokens=12)
    wrong: list[str] = []
    readers = [
        threading.Thread(target=visit_often, args=(engine, number, wrong)) for number in range(12)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(timeout=60)
    assert not any(reader.is_alive() for reader in readers)
    assert wrong == []
    assert (engine.num_preemptions > 0) == (cache_tokens == 72)
    require_unharmed(engine, [])


def visit_often(engine: Engine, number: int, wrong: list[str]) -> None:
    dice = random.Random(number)  # noqa: S311 -- no secret: it chooses manners
    manners: list[Callable[[TokenStream], None]] = [TokenStream.close, lambda stream: None]
    for _ in range(12):
        prompt, num_read = dice.choice(PROMPTS), dice.randint(0, 32)
        got: list[int] = []
        try:
            stream = engine.generate(prompt, replace(GREEDY, max_tokens=max(num_read, 1)))
            closer = threading.Timer(dice.random() / 50, stream.close)
            if dice.random() < 0.2:
                closer.start()
            for _ in range(num_read):
                got += [token.id for token in [next(stream, None)] if token]
            dice.choice(manners)(stream)
            del stream
        except EngineBusy:
            continue
        if got != naive(prompt, 32)[: len(got)]:
            wrong.append(f"{prompt}: {got}")
