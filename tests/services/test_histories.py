"""Short histories of a base over the real services; `python -m benchmarks.histories` plays 500."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog

from benchmarks.histories import views
from benchmarks.histories.hand import Parsers, be_quiet
from benchmarks.histories.holding import hold_all
from benchmarks.histories.play import Broken, Play
from benchmarks.histories.shrink import shrunk
from benchmarks.histories.steps import Kind, Step, draw

TEXT, ARCHIVE = 0, 10
"""Places of names among the files of a history."""

Plays = Callable[[Sequence[Step]], Play]


def up(name: int, content: int, conflict: int = 0) -> Step:
    return Step(Kind.UPLOAD, (name, content, conflict))


def one(kind: Kind, *numbers: int) -> Step:
    first, second, third = (*numbers, 0, 0, 0)[:3]
    return Step(kind, (first, second, third))


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    made = Parsers()
    yield made
    made.close()


@pytest.fixture
def played(tmp_path: Path, parsers: Parsers) -> Iterator[Plays]:
    """Play steps in a folder of their own."""
    be_quiet()
    made: list[Play] = []

    def play(steps: Sequence[Step]) -> Play:
        place = tmp_path / str(len(made))
        place.mkdir()
        made.append(Play(place, tmp_path / "template.sqlite3", parsers))
        for number, step in enumerate(steps):
            made[-1].do(number, step)
        return made[-1]

    yield play
    for history in made:
        history.close()
    structlog.reset_defaults()


REVISED = (up(TEXT, 1), up(1, 2), up(TEXT, 2), one(Kind.RESTORE, 0, 1))


@pytest.mark.parametrize(
    "steps",
    [
        (*REVISED, one(Kind.DELETE, 1), one(Kind.TRANSFER, 0), up(1, 3)),
        (up(ARCHIVE, 1), up(7, 1), up(ARCHIVE, 2), one(Kind.LOSE_INDEX), one(Kind.DELETE, 0)),
        (up(TEXT, 1), one(Kind.REREAD, 0, 2), up(TEXT, 3), one(Kind.PURGE), one(Kind.BACKUP)),
    ],
    ids=["revised", "with files inside", "read again"],
)
def test_a_history_ends_as_its_documents_say_and_answers_as_it_did(
    played: Plays, steps: Sequence[Step]
) -> None:
    history = played(steps)
    assert len(history.records) == len(steps)
    assert any(then.found[words] for then in history.records for words in then.found)
    hold_all(history)


def test_what_is_lost_or_changed_on_the_way_is_noticed(played: Plays) -> None:
    history = played(REVISED[:1])
    history.bytes[history.searchable()[0].sha256] += b" More was sent in than is there."
    with pytest.raises(Broken, match="documents"):
        hold_all(history)


def test_another_answer_as_of_then_is_noticed(played: Plays) -> None:
    history = played(REVISED[1:3])
    words = next(iter(history.records[0].found))
    history.records[0].found[words].append({"document": "nobody's"})
    with pytest.raises(Broken, match="after step 0"):
        hold_all(history)


def test_a_seed_draws_the_same_history_and_any_part_of_it_can_be_left_out() -> None:
    steps = draw("2026-7", 30)
    assert steps == draw("2026-7", 30)
    assert {step.kind for step in draw("all", 2000)} == set(Kind)
    wanted = (steps[3], steps[20])

    def fails(fewer: Sequence[Step]) -> bool:
        return all(step in fewer for step in wanted)

    assert shrunk(steps, fails) == list(wanted)


def test_the_first_difference_of_two_values_is_told() -> None:
    assert views.difference({"a": [1, 2]}, {"a": [1, 2]}) is None
    assert views.difference({"a": [1, 2]}, {"a": [1, 3]}) == "['a'][1] is 3, not 2"
    assert views.difference({"a": 1}, {}) == "['a'] is not there"
    assert views.difference({}, {"b": 1}) == "['b'] is too much"
    assert views.difference([1], [1, 2], "x") == "x has 2 items, not 1"
