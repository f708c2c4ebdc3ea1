"""Ray itself: two actors of a real cluster make what is made here; kills cost a retry at most."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import ParseLimits
from ingest.reading import PageReader, ReadingLoader, reading_limits, reading_sandbox
from ingest.sandbox import SandboxedLoader
from kb_service.bootstrap import find_faults, open_services
from kb_service.cluster import pool as pool_module
from kb_service.cluster.pool import ActorPool
from kb_service.cluster.ports import PooledEmbedder, PooledRunner
from kb_service.cluster_settings import RaySettings
from kb_service.domain.errors import ComputeError, ParseInterrupted
from kb_service.domain.jobs import IngestJob, JobStatus
from kb_service.model_parts import choose_embedder
from kb_service.services.searching import SearchRequest
from kb_service.settings import EmbeddingSettings, Settings
from tests.cluster.head import Head, descendants
from tests.cluster.test_exchange import record
from tests.ingest import costly_files as costly
from tests.ingest import pdf_samples
from tests.ingest.format_samples import good_files
from tests.ingest.picture_samples import drawn, needs_ocr

pytest.importorskip("ray", reason="needs the extra ray, which is 260 MB")
pytestmark = pytest.mark.crash
LIMITS = ParseLimits(timeout_s=120)
WITHIN_S = 180


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    started = Head()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def pool(head: Head) -> Iterator[ActorPool]:
    actors = ActorPool(RaySettings(address=head.address, start_s=120))
    yield actors
    actors.close()


def far_loader(pool: ActorPool) -> ReadingLoader:
    reader = PageReader(PooledRunner(pool, reading_limits(LIMITS, 60)))
    return ReadingLoader(SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS)), reader)


@needs_ocr
@pytest.mark.parametrize("address", ["local", "head"])
def test_two_actors_make_the_same_records_as_this_process(
    request: pytest.FixtureRequest, tmp_path: Path, address: str
) -> None:
    local = ActorPool(RaySettings(address="local", start_s=120)) if address == "local" else None
    pool = local or request.getfixturevalue("pool")
    kinds = (types.PDF, types.DOCX, types.XLSX, types.ZIP, types.PNG)
    files = {kind: good_files(tmp_path)[kind] for kind in kinds}
    drawn(["Pump four was stopped", "before the fire began."]).save(files[types.PNG], "PNG")
    here = ReadingLoader(SandboxedLoader(LIMITS), PageReader(reading_sandbox(LIMITS, 60)))
    expected = {kind: record(here, path, kind) for kind, path in files.items()}
    here.close()
    made: dict[str, bytes] = {}

    def make(kind: str) -> None:
        made[kind] = record(far_loader(pool), files[kind], kind)

    threads = [threading.Thread(target=make, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"Pump four" in made[types.PNG]
    assert made == expected
    if local:
        local.close()


def test_both_actors_make_the_same_vectors_as_this_process(pool: ActorPool) -> None:
    settings = EmbeddingSettings()
    here = choose_embedder(settings).configured()
    texts = [f"阀门 {n} was closed at {n} o'clock. " * (n + 1) for n in range(19)]
    assert PooledEmbedder(pool, here, settings, 2).embed_passages(texts) == here.embed_passages(
        texts
    )


def test_limits_hold_and_keys_are_not_told_on_the_far_side(
    pool: ActorPool, head: Head, tmp_path: Path
) -> None:
    held = ParseLimits(base_cpu_s=1, cpu_s_per_mib=0, timeout_s=120)
    path = costly.nested_forms(tmp_path / "a", 9)
    with pytest.raises(ParseInterrupted) as caught:
        list(SandboxedLoader(held, PooledRunner(pool, held)).load(path, "a", types.PDF))
    assert caught.value.code == "parse_timeout"
    nurseries = [pid for actor in head.actors() for pid in descendants(actor)]
    assert nurseries
    told = [Path(f"/proc/{pid}/environ").read_bytes() for pid in nurseries]
    assert not any(b"KB_API_KEYS" in environment for environment in told)


def test_giving_up_a_file_ends_its_process_beside_the_actor(
    pool: ActorPool, head: Head, tmp_path: Path
) -> None:
    path = pdf_samples.many_pages(tmp_path / "a.pdf", 1500)
    steps = SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS)).load(path, "a", types.PDF)
    wait_for(lambda: bool(next(steps)) and has_child(head))
    steps.close()  # type: ignore[attr-defined] # a generator has close()
    wait_for(lambda: not has_child(head))


def has_child(head: Head) -> bool:
    """True while a file is parsed: an actor, its nursery, the nursery's child."""
    nurseries = [pid for actor in head.actors() for pid in descendants(actor)]
    return any(descendants(pid) for pid in nurseries)


def wait_for(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


class Desk:
    """A service with its worker, over a cluster."""

    def __init__(self, folder: Path, ray: RaySettings) -> None:
        self.services = open_services(Settings(data_dir=folder / "data", ray=ray))
        self.base = self.services.bases.create("reports")
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=lambda: self.services.starting.worker().run_until(self._ended.is_set)
        )
        self._thread.start()

    def upload(self, path: Path) -> Callable[[], IngestJob]:
        with path.open("rb") as stream:
            item = self.services.uploads.accept(self.base.id, path.name, stream)
        assert item.job
        job_id = item.job.id
        return lambda: self.services.jobs.show(job_id)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.services.close()


@contextmanager
def desk(folder: Path, ray: RaySettings) -> Iterator[Desk]:
    opened = Desk(folder, ray)
    try:
        yield opened
    finally:
        opened.close()


def test_an_actor_killed_in_the_middle_costs_one_retry(head: Head, tmp_path: Path) -> None:
    path = pdf_samples.many_pages(tmp_path / "a.pdf", 800)
    before = set(head.actors())
    with desk(tmp_path, RaySettings(address=head.address, actors=1, start_s=120)) as at:
        job = at.upload(path)
        wait_for(lambda: job().done > 5)
        (actor,) = set(head.actors()) - before
        os.kill(actor, signal.SIGKILL)
        wait_for(lambda: job().status is JobStatus.FAILED)
        assert (job().error or {})["code"] == "compute_lost"
        wait_for(lambda: job().status is JobStatus.SUCCEEDED)
        assert job().attempt == 2
        assert at.services.searching.search(SearchRequest(at.base.id, "page 800")).items


def test_jobs_wait_for_a_cluster_that_is_away_and_questions_do_not(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "REST_S", 1.0)
    (tmp_path / "a.txt").write_text("The pump of hall 3 failed.")
    (tmp_path / "b.txt").write_text("The valve of hall 4 is new.")
    ray = RaySettings(address=head.address, actors=1, start_s=120)
    with desk(tmp_path, ray) as at:
        first = at.upload(tmp_path / "a.txt")
        wait_for(lambda: first().status is JobStatus.SUCCEEDED)
        head.kill()
        second = at.upload(tmp_path / "b.txt")
        wait_for(lambda: second().status is JobStatus.FAILED)
        error = second().error or {}
        assert (error["code"], second().attempt) == ("compute_unavailable", 0)
        assert "cluster" in str(error["message"])
        assert at.services.searching.search(SearchRequest(at.base.id, "pump")).items
        at.services.readiness.warm_up()
        status = at.services.readiness.status()
        assert status.impaired["ray"].code == "compute_unavailable"
        assert "generator" not in status.missing
        settings = at.services.settings.model_copy(update={"data_dir": tmp_path / "other"})
        told = {found.name: found for found in find_faults(settings)}["ray"]
        assert not told.is_ok
        head.start()
        wait_for(lambda: second().status is JobStatus.SUCCEEDED)
        assert second().attempt == 1
        assert "ray" not in at.services.readiness.status().impaired


def test_a_pool_without_a_cluster_says_so_at_once_the_second_time() -> None:
    pool = ActorPool(RaySettings(address="ray://127.0.0.1:9"))
    for _ in range(2):
        with pytest.raises(ComputeError, match="no cluster answers at") as caught:
            pool.check()
        assert caught.value.is_outage
    outage = pool.outage()
    assert outage is not None
    assert pool._process is None  # the second one did not even ask
    pool.close()
