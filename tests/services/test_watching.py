"""Standing questions over many syncs: each change of an answer is told once, and no other."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.domain.errors import GenerationError, InvalidRequest
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.watches import AnswerChange, Asked, StandingAnswer, Watch
from kb_service.services.across import AcrossDocuments
from kb_service.services.watching import WatchService, asker_of
from kb_service.settings import Settings, WatchSettings
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from kb_service.storage.watches.store import Watches
from tests.storage.world import World, build_world

FIRES = Filters(kind=("fire",))
ASKED = {
    "fires": Asked(query=RecordQuery(Operation.LIST, FIRES)),
    "hurt": Asked(query=RecordQuery(Operation.SUM, FIRES, field="injured")),
    "mill": Asked(query=RecordQuery(Operation.COUNT, Filters(place=("mill lane",)))),
}
PLACES = ("Mill Lane 7", "Oak Road 2", "Elm Street 9")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    yield build_world(database, tmp_path)
    database.close()


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


class Killed(BaseException):
    """The process ended here."""


class FlakyAsker:
    """Answers as the service does, unless the process is about to end."""

    def __init__(self, world: World) -> None:
        across = AcrossDocuments(RecordStore(world.database), world.catalog.revisions)
        self._ask = asker_of(across, lambda: pytest.fail("no question in words"), world.clock)
        self.num_asked = 0
        self.ends = False

    def __call__(self, watch: Watch) -> StandingAnswer:
        self.num_asked += 1
        answer = self._ask(watch)
        if self.ends:
            raise Killed
        return answer


def service_of(world: World, ask: FlakyAsker) -> WatchService:
    watches, settings = Watches(world.database, world.clock), Settings()
    return WatchService(watches, ask, settings, world.clock.elapsed, world.clock)


def settled(world: World, service: WatchService) -> int:
    """Let the worker rest and ask; return how many questions were asked."""
    num_asked = 0
    for _ in range(4):
        world.clock.advance(6)
        while service.step():
            num_asked += 1
    return num_asked


class Town:
    """Reports as a sync brings them, and what is true of them, counted by itself."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  no secret
        self.reports: dict[str, tuple[str, str, int]] = {}
        self.ids: dict[str, str] = {}
        self.num_sent = 0

    def sync(self, world: World, kb_id: str) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self._one(world, kb_id)

    def _one(self, world: World, kb_id: str) -> None:
        what = self.chance.choice(("add", "add", "revise", "delete", "other", "same"))
        if what == "other" or (what != "add" and not self.reports):
            self.num_sent += 1
            name = f"rule-{self.num_sent}.txt"
            world.ingest(kb_id, name, [f"Rule {self.num_sent}: keep the stairs free."])
        elif what == "delete":
            name = self.chance.choice(sorted(self.reports))
            del self.reports[name]
            world.catalog.documents.delete(kb_id, self.ids.pop(name))
        elif what == "same":
            name = self.chance.choice(sorted(self.reports))
            assert world.upload(kb_id, name, "\n".join(self.words(name)).encode()).job is None
        else:
            known = self.chance.choice(sorted(self.reports)) if what == "revise" else None
            self.num_sent += 1
            name = known or f"report-{self.num_sent}.txt"
            kind = self.chance.choice(("fire", "fire", "theft"))
            report = (kind, self.chance.choice(PLACES), self.chance.randint(1, 9))
            if self.reports.get(name) != report:
                self.reports[name] = report
                self.ids[name] = world.ingest(kb_id, name, self.words(name)).document_id

    def words(self, name: str) -> list[str]:
        kind, place, hurt = self.reports[name]
        number = int(name.removesuffix(".txt").partition("-")[2])
        day, hour = number % 28 + 1, number // 28
        happened = {"fire": "a fire broke out", "theft": "a theft was reported"}[kind]
        return [
            f"Report {name.removesuffix('.txt')}",
            f"On {day} May 2024 at {hour:02}:20 {happened} at {place}.",
            f"{hurt} people were injured.",
        ]

    def truth(self) -> dict[str, object]:
        fires = {n: r for n, r in self.reports.items() if r[0] == "fire"}
        at_mill = {name: r for name, r in self.reports.items() if "Mill" in r[1]}
        return {
            "fires": {(name, report[1]) for name, report in fires.items()},
            "hurt": {(name, *report) for name, report in fires.items()},
            "mill": {(name, report[0]) for name, report in at_mill.items()},
        }


def test_over_fifty_syncs_every_change_is_told_once_none_is_missed_none_is_false(
    world: World, kb_id: str
) -> None:
    town, ask = Town(2), FlakyAsker(world)
    service = service_of(world, ask)
    for name, asked in ASKED.items():
        service.add(kb_id, name, asked)
    settled(world, service)
    before, told = town.truth(), list[AnswerChange]()
    for _ in range(50):
        town.sync(world, kb_id)
        ask.ends = town.chance.random() < 0.2
        try:
            settled(world, service)
        except Killed:
            ask.ends = False
        if town.chance.random() < 0.3:
            service = service_of(world, ask)
        settled(world, service)
        now = town.truth()
        with service.telling(kb_id) as changes:
            expected = {name for name in ASKED if before[name] != now[name]}
            assert sorted(change.watch_name for change in changes) == sorted(expected)
            told += changes
        assert settled(world, service) == 0
        before = now
    assert len({change.id for change in told}) == len(told) > 30
    kept = sum(len(service.changes(kb_id, name, 1000).items) for name in ASKED)
    assert kept == len(told)
    assert all(c.new.citations or not c.new.tabled or not c.new.tabled.rows for c in told[-1:])


def test_a_batch_is_asked_about_once_when_it_has_settled(world: World, kb_id: str) -> None:
    ask = FlakyAsker(world)
    service = service_of(world, ask)
    service.add(kb_id, "fires", ASKED["fires"])
    settled(world, service)
    ask.num_asked = 0
    for number in range(5):
        world.ingest(kb_id, f"{number}.txt", ["A fire broke out at Mill Lane 7."])
        world.clock.advance(2)
        assert not service.step()
    world.clock.advance(6)
    while service.step():
        pass
    assert ask.num_asked == 1


def test_a_base_that_never_rests_is_asked_about_now_and_then(world: World, kb_id: str) -> None:
    ask = FlakyAsker(world)
    service = service_of(world, ask)
    service.add(kb_id, "fires", ASKED["fires"])
    settled(world, service)
    ask.num_asked = 0
    for number in range(60):
        world.ingest(kb_id, f"{number}.txt", [f"Rule {number}."])
        world.clock.advance(4)
        service.step()
    assert 1 <= ask.num_asked <= 3


def test_a_question_that_cannot_be_asked_holds_up_no_other(world: World, kb_id: str) -> None:
    ask = FlakyAsker(world)

    def one_fails(watch: Watch) -> StandingAnswer:
        if watch.name == "hurt":
            raise GenerationError("no model", code="generation_failed")
        return ask(watch)

    service = service_of(world, one_fails)  # type: ignore[arg-type]
    for name in ("hurt", "fires"):
        service.add(kb_id, name, ASKED[name])
    settled(world, service)
    assert service.get(kb_id, "fires").answer is not None
    error = service.get(kb_id, "hurt").error
    assert error and error["code"] == "generation_failed"


def test_what_was_not_printed_whole_is_told_again(world: World, kb_id: str) -> None:
    service = service_of(world, FlakyAsker(world))
    service.add(kb_id, "fires", ASKED["fires"])
    service.ask_all(kb_id)
    world.ingest(kb_id, "a.txt", ["A fire broke out at Mill Lane 7."])
    service.ask_all(kb_id)
    with pytest.raises(BrokenPipeError), service.telling(kb_id):
        raise BrokenPipeError
    with service.telling(kb_id) as changes:
        assert len(changes) == 1
    with service.telling(kb_id) as changes:
        assert changes == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": " "}, "invalid_watch_name"),
        ({"asked": Asked()}, "invalid_watch"),
        ({"asked": Asked("who?", RecordQuery(Operation.COUNT))}, "invalid_watch"),
        ({"asked": Asked(query=RecordQuery(Operation.COUNT), language="xx")}, "invalid_watch"),
        ({"schedule": "often"}, "invalid_schedule"),
        ({"webhook": "http://10.0.0.1/x"}, "webhook_not_allowed"),
    ],
)
def test_what_cannot_stand_is_refused(
    world: World, kb_id: str, given: dict[str, object], code: str
) -> None:
    service = service_of(world, FlakyAsker(world))
    order: dict[str, object] = {"name": "x", "asked": ASKED["fires"], **given}
    with pytest.raises(InvalidRequest) as refused:
        service.add(kb_id, **order)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert WatchSettings().webhook_hosts == ()
