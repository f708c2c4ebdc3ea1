"""Many hands at once: uploads, workers, deletes and sweeps exclude each other; reads stay few."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from kb_service.domain.errors import LeaseLost, NotFound, StorageError
from kb_service.storage import postgres
from kb_service.storage.references import sweep_blobs
from tests.storage.world import PROFILE, World

CONTENTS = (b"red", b"green")


def test_uploads_workers_deletes_and_sweeps_exclude_each_other(world: World) -> None:
    kb_id = world.catalog.bases.create("busy").id

    def live(seed: int) -> None:
        draw = random.Random(seed)  # noqa: S311  an order of steps, no secret
        for _ in range(12):
            world.upload(kb_id, f"{draw.randrange(2)}.txt", draw.choice(CONTENTS))
            work(world, f"worker-{seed}")
            if draw.random() < 0.5:
                delete(world, kb_id, f"{draw.randrange(2)}.txt")
            world.verifier.sweep()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(live, range(4)))
    world.assert_clean()
    numbers = [change.seq for change in world.source.changes(kb_id, 0)]
    assert numbers == sorted(set(numbers))
    assert not numbers or numbers[-1] == world.source.head(kb_id)


def stored(world: World) -> list[str]:
    """The hashes of blobs that nothing refers to, in the order in which a sweep takes them."""
    return sorted(world.blobs.publish(world.blobs.stage(words, 100)).name for words in CONTENTS)


def test_a_sweep_whose_connection_ends_removes_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stored(world)
    unlink, is_gone = world.blobs.unlink, [False]

    def last(sha256: str) -> None:
        unlink(sha256)
        is_gone[0] = True

    def refuse(*_arguments: object) -> None:
        if is_gone[0]:
            raise OperationalError("SELECT 1", {}, ConnectionError("the connection is lost"))

    monkeypatch.setattr(world.blobs, "unlink", last)
    event.listen(world.database.engine, "before_cursor_execute", refuse)
    with pytest.raises(StorageError, match="the connection is lost"):
        sweep_blobs(world.database, world.blobs, [first, second])
    event.remove(world.database.engine, "before_cursor_execute", refuse)
    assert (world.blobs.exists(first), world.blobs.exists(second)) == (False, True)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_sweep_that_stood_still_and_lost_its_turn_removes_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stored(world)
    unlink = world.blobs.unlink

    def slow(sha256: str) -> None:
        unlink(sha256)
        time.sleep(2)

    monkeypatch.setattr(postgres, "STANDSTILL_S", 1)
    monkeypatch.setattr(world.blobs, "unlink", slow)
    with pytest.raises(StorageError):
        sweep_blobs(world.database, world.blobs, [first, second])
    assert (world.blobs.exists(first), world.blobs.exists(second)) == (False, True)


def work(world: World, worker_id: str) -> None:
    claim = world.queue.claim(worker_id)
    if claim is not None:
        try:
            world.publish(claim, [claim.job.blob_sha256, "shared by all"])
        except LeaseLost:
            return


def delete(world: World, kb_id: str, name: str) -> None:
    document = world.catalog.documents.find(kb_id, name)
    if document is not None:
        try:
            world.catalog.documents.delete(kb_id, document.id)
        except NotFound:
            return


def test_a_hundred_chunks_are_read_back_with_their_regions_in_two_queries(world: World) -> None:
    kb_id = world.catalog.bases.create("wide").id
    for name in "abcde":
        world.ingest(kb_id, name, [f"{name} {number}" for number in range(20)])
    ids = [chunk.chunk_id for chunk in world.source.live_chunks(kb_id, PROFILE)]
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT") and "pg_notify" not in statement:
            seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    found = world.source.hydrate(kb_id, ids)
    regions = world.source.chunk_regions([stored.chunk for stored in found.values()])
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert len(found) == 100
    assert [len(where) for where in regions] == [1] * 100
    assert len(seen) == 2
