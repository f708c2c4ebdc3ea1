"""PostgreSQL: who writes in one base keeps nobody from another, and numbers have no gaps."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row

from kb_service.domain.errors import StorageError
from kb_service.services.vectors import VectorService
from kb_service.storage.blobs import BlobStore
from kb_service.storage.change_log import record_added
from kb_service.storage.database import Database, open_database
from kb_service.storage.identity import Clock
from kb_service.storage.revisions.publishing import RevisionPublisher
from kb_service.storage.tables import metadata
from tests.postgres import administer, with_database
from tests.services.fakes import HashEmbedder
from tests.storage.world import PROFILE, World, build_world, parsed_of, vectors_of

pytestmark = pytest.mark.postgres

WAIT_S = 0.3
SOON_S = 30.0


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL only: SQLite has one writer."""
    url = with_database(request.getfixturevalue("postgres_server"), "kb_shared")
    administer(url, f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """Another process, as far as the database knows."""
    database = open_database(database_url, WAIT_S)
    yield database
    database.close()


@pytest.fixture
def hasty(database_url: str, tmp_path: Path) -> Iterator[World]:
    """All of storage, with little patience."""
    database = open_database(database_url, WAIT_S)
    yield build_world(database, tmp_path)
    database.close()


@contextmanager
def held(database: Database, base: str | None) -> Iterator[None]:
    with database.write(base=base):
        yield


def test_who_writes_in_one_base_keeps_nobody_from_another(hasty: World, other: Database) -> None:
    first, second = (hasty.catalog.bases.create(name).id for name in ("first", "second"))
    with held(other, first):
        hasty.ingest(second, "a.txt", ["the pump failed"])
        with pytest.raises(StorageError) as error:
            hasty.upload(first, "a.txt", b"words")
    assert error.value.code == "database_locked"
    hasty.upload(first, "a.txt", b"words")


def test_what_is_common_to_bases_is_written_while_nobody_writes(
    hasty: World, other: Database
) -> None:
    kb_id = hasty.catalog.bases.create("first").id
    document_id = hasty.ingest(kb_id, "a.txt", ["the pump failed"]).document_id
    another = hasty.catalog.bases.create("second").id
    with held(other, another), pytest.raises(StorageError, match="another process is writing"):
        hasty.catalog.documents.delete(kb_id, document_id)
    with held(other, None), pytest.raises(StorageError, match="another process is writing"):
        hasty.upload(another, "b.txt", b"words")
    hasty.catalog.documents.delete(kb_id, document_id)
    hasty.assert_clean()


def test_a_worker_passes_over_a_base_in_which_somebody_writes(
    hasty: World, other: Database
) -> None:
    busy, free = sorted(hasty.catalog.bases.create(name).id for name in ("first", "second"))
    for kb_id in (busy, free):
        hasty.upload(kb_id, "a.txt", b"words")
    with held(other, busy):
        assert hasty.claim().job.kb_id == free
        with pytest.raises(StorageError, match="another process is writing"):
            hasty.claim()
    assert hasty.claim().job.kb_id == busy


def test_a_worker_waits_for_the_only_base_that_has_a_job(world: World, other: Database) -> None:
    kb_id = world.catalog.bases.create("reports").id
    world.upload(kb_id, "a.txt", b"words")
    with ThreadPoolExecutor(1) as pool:
        with held(other, kb_id):
            claim = pool.submit(world.claim)
            threading.Event().wait(WAIT_S)
            assert not claim.done()
        assert claim.result(SOON_S).job.kb_id == kb_id


def test_no_job_is_claimed_twice_by_workers_that_come_at_once(
    database_url: str, tmp_path: Path
) -> None:
    worlds = [build_world(open_database(database_url), tmp_path) for _ in range(4)]
    kb_ids = [worlds[0].catalog.bases.create(name).id for name in ("first", "second")]
    for number in range(12):
        worlds[0].upload(kb_ids[number % 2], f"{number}.txt", b"%d" % number)

    def claimed(world: World) -> list[str]:
        found = []
        while claim := world.queue.claim("worker"):
            found.append(claim.job.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        ids = [job_id for found in pool.map(claimed, worlds) for job_id in found]
    assert len(ids) == len(set(ids)) == 12
    for one in worlds:
        one.database.close()


def test_a_reader_of_changes_misses_none_of_a_transaction_that_commits_later(
    world: World, other: Database
) -> None:
    """The first to ask for a number commits last where it may; here the second must wait for it."""
    kb_id = world.catalog.bases.create("reports").id
    seen: list[int] = []

    def follow() -> None:
        seen.extend(change.seq for change in world.source.changes(kb_id, seen[-1] if seen else 0))

    def add_later(number: int, may_end: threading.Event, has_number: threading.Event) -> int:
        with other.write(SOON_S, base=kb_id) as connection:
            seq = record_added(connection, kb_id, number)
            has_number.set()
            may_end.wait(SOON_S)
        return seq

    events = [(threading.Event(), threading.Event()) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(add_later, 101, *events[0])
        events[0][1].wait(SOON_S)
        second = pool.submit(add_later, 102, *events[1])
        events[1][0].set()  # the second may commit before the first
        assert not events[1][1].wait(WAIT_S), "it has no number yet: the first holds the base"
        follow()
        assert seen == []
        events[0][0].set()
        numbers = [first.result(SOON_S), second.result(SOON_S)]
        follow()
    assert numbers == seen == [1, 2]


def test_numbers_of_a_base_do_not_wait_for_those_of_another(world: World, other: Database) -> None:
    """Transactions of two bases commit in the opposite order; each base's reader sees its own."""
    first, second = (world.catalog.bases.create(name).id for name in ("first", "second"))
    with other.write(base=first) as connection:
        assert record_added(connection, first, 101) == 1
        with world.database.write(base=second) as inner:
            assert record_added(inner, second, 102) == 1
        assert world.source.head(second) == 1
        assert (world.source.head(first), world.source.changes(first, 0)) == (0, [])
    assert [change.seq for change in world.source.changes(first, 0)] == [1]


class Slow(RevisionPublisher):
    """Commits only when told: its chunks have their ids long before."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock) -> None:
        super().__init__(database, blobs, clock)
        self.reached, self.may_end = threading.Event(), threading.Event()

    def _finish(self, connection: Connection, job: Row[Any], num_chunks: int) -> None:
        self.reached.set()
        self.may_end.wait(SOON_S)
        super()._finish(connection, job, num_chunks)


def test_a_text_whose_id_is_lower_and_comes_later_gets_its_vector(
    world: World, other: Database
) -> None:
    """Ids of chunks are given across bases: who goes by them may be past one that comes in."""
    for name in ("first", "second"):
        world.upload(world.catalog.bases.create(name).id, name, name.encode())
    late, early = world.claim(), world.claim()
    slow = Slow(other, world.blobs, world.clock)
    service = VectorService(world.embeddings, HashEmbedder, lambda kb_id: None)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(slow.publish, late, *parsed_of(["the crane fell"]))
        assert slow.reached.wait(SOON_S)
        world.publisher.publish(early, *parsed_of(["the pump failed"]))
        while service.step():
            pass
        slow.may_end.set()
        ended.result(SOON_S)
    while service.step():
        pass
    world.assert_clean()


def test_a_revision_of_another_base_that_comes_in_with_such_a_text_gets_its_vector(
    world: World, other: Database
) -> None:
    """Its transaction began before the vector was there, and was not seen by who brought it."""
    for name in ("first", "second"):
        world.upload(world.catalog.bases.create(name).id, name, name.encode())
    late, early = world.claim(), world.claim()
    slow, (parsed, drafts) = Slow(other, world.blobs, world.clock), parsed_of(["the crane fell"])
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(slow.publish, late, parsed, drafts)
        assert slow.reached.wait(SOON_S)
        world.publisher.publish(early, parsed, drafts)
        added = world.embeddings.add(PROFILE, vectors_of(drafts))
        assert added.kb_ids == {early.job.kb_id}
        slow.may_end.set()
        ended.result(SOON_S)
    head = world.source.head(late.job.kb_id)
    world.embeddings.settle(PROFILE)
    assert [change.seq for change in world.source.changes(late.job.kb_id, head)] == [head + 1]
    world.assert_clean()
