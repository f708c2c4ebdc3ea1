"""What an actor makes is what is made here, whatever carries it: records, readings, vectors."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import media_types as types
from ingest.limits import MIB, ParseLimits
from ingest.parsed_file import write_parsed
from ingest.reading import PageReader, ReadingLoader, reading_limits, reading_sandbox
from ingest.sandbox import SandboxedLoader
from kb_service.cluster import actor as actor_module
from kb_service.cluster.actor import Actor, own_model, shared_model
from kb_service.cluster.bridge import _is_lost
from kb_service.cluster.exchange import carry
from kb_service.cluster.ports import PooledEmbedder, PooledRunner
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import (
    ComputeError,
    DocumentError,
    ParseAccident,
    ParseInterrupted,
)
from kb_service.domain.ports import EmbeddingProfile
from kb_service.model_parts import choose_embedder
from kb_service.settings import EmbeddingSettings, Settings
from tests.cluster.near_pool import NearPool
from tests.ingest import costly_files as costly
from tests.ingest import pdf_samples
from tests.ingest.format_samples import bad_files, good_files
from tests.ingest.picture_samples import drawn, needs_ocr

LIMITS = ParseLimits(timeout_s=120)


@pytest.fixture(scope="module")
def pool() -> Iterator[NearPool]:
    near = NearPool()
    yield near
    near.actor.close()


def record(loader: SandboxedLoader | ReadingLoader, path: Path, kind: str) -> bytes:
    """The bytes of what is read of a file, and of every file inside it."""
    for step in loader.load(path, path.name, kind):
        if isinstance(step, ParsedDocument):
            into = path.with_name(f"{path.name}.record")
            write_parsed(step, into)
            members = [f"{m.path} {m.file.read_bytes()!r}" for m in step.members]
            return into.read_bytes() + "\n".join(members).encode()
    raise AssertionError("no document")


@pytest.mark.parametrize(
    "kind", [types.PDF, types.DOCX, types.XLSX, types.MARKDOWN, types.MAIL, types.ZIP]
)
def test_a_file_makes_the_same_record_beside_an_actor_as_here(
    pool: NearPool, tmp_path: Path, kind: str
) -> None:
    path = good_files(tmp_path)[kind]
    with SandboxedLoader(LIMITS) as here:
        expected = record(here, path, kind)
    assert record(SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS)), path, kind) == expected


@needs_ocr
def test_a_picture_is_read_alike_and_no_page_twice(pool: NearPool, tmp_path: Path) -> None:
    path, kept = tmp_path / "a.png", tmp_path / "kept"
    drawn(["Pump four was stopped", "before the fire began."]).save(path)
    for_pages = reading_limits(LIMITS, 60)
    far = ReadingLoader(
        SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS)),
        PageReader(PooledRunner(pool, for_pages)),
        lambda: True,
        lambda _: kept,
    )
    here = ReadingLoader(SandboxedLoader(LIMITS), PageReader(reading_sandbox(LIMITS, 60)))
    expected = record(here, path, types.PNG)
    assert b"Pump four" in expected
    assert record(far, path, types.PNG) == expected
    begun = pool.calls.count("begin")
    assert record(far, path, types.PNG) == expected
    assert pool.calls.count("begin") == begun + 2  # looked at and put together, not read again


def test_what_is_wrong_with_a_file_is_told_as_it_is_here(pool: NearPool, tmp_path: Path) -> None:
    path = bad_files(tmp_path)[types.PDF]
    loader = SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS))
    with SandboxedLoader(LIMITS) as here, pytest.raises(DocumentError) as expected:
        list(here.load(path, "a", types.PDF))
    with pytest.raises(DocumentError) as caught:
        list(loader.load(path, "a", types.PDF))
    assert caught.value.as_dict() == expected.value.as_dict()


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        ({"base_cpu_s": 1, "cpu_s_per_mib": 0}, {"parse_timeout"}),
        ({"base_memory_bytes": 320 * MIB}, {"parse_memory"}),
        ({"timeout_s": 0.5}, {"parse_timeout"}),
    ],
)
def test_the_limits_hold_beside_the_actor(
    pool: NearPool, tmp_path: Path, limits: dict[str, Any], codes: set[str]
) -> None:
    path, held = costly.nested_forms(tmp_path / "a", 9), ParseLimits(**{"timeout_s": 120} | limits)
    loader = SandboxedLoader(held, PooledRunner(pool, held))
    with pytest.raises(ParseInterrupted) as caught:
        list(loader.load(path, "a", types.PDF))
    assert caught.value.code in codes


def test_a_file_with_more_pages_than_the_limit_is_refused(pool: NearPool, tmp_path: Path) -> None:
    path, held = pdf_samples.many_pages(tmp_path / "a.pdf", 3), ParseLimits(max_pages=2)
    with pytest.raises(DocumentError, match="3 pages, at most 2"):
        list(SandboxedLoader(held, PooledRunner(pool, held)).load(path, "a", types.PDF))


def begun(pool: NearPool, path: Path) -> tuple[Iterator[object], int]:
    """Begin to load; the process that works on it, beside the actor."""
    steps = SandboxedLoader(LIMITS, PooledRunner(pool, LIMITS)).load(path, "a", types.PDF)
    while True:
        next(steps)
        for sandbox in pool.actor._sandboxes.values():
            for pid in sandbox.pids:
                return steps, pid


def test_giving_up_a_file_ends_the_work_beside_the_actor(pool: NearPool, tmp_path: Path) -> None:
    path = pdf_samples.many_pages(tmp_path / "a.pdf", 1500)
    steps, pid = begun(pool, path)
    steps.close()  # type: ignore[attr-defined] # a generator has close()
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert pool.calls[-1] == "stop"


def test_a_parser_that_dies_beside_the_actor_is_an_accident(pool: NearPool, tmp_path: Path) -> None:
    steps, pid = begun(pool, pdf_samples.many_pages(tmp_path / "a.pdf", 1500))
    os.kill(pid, signal.SIGSEGV)
    with pytest.raises(ParseAccident):
        list(steps)


def embedder_of(pool: NearPool) -> PooledEmbedder:
    settings = EmbeddingSettings()
    return PooledEmbedder(pool, choose_embedder(settings).configured(), settings, 1)


def test_vectors_are_the_same_bytes_as_here(pool: NearPool) -> None:
    texts = [f"阀门 {n} was closed at {n} o'clock. " * (n + 1) for n in range(11)]
    far = embedder_of(pool)
    assert far.embed_passages(texts) == far._local.embed_passages(texts)
    assert far.embed_query(texts[0]) == far._local.embed_query(texts[0])


def test_an_actor_with_another_model_makes_no_vector(
    pool: NearPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = embedder_of(pool)
    monkeypatch.setattr(far._local, "_profile", far.profile.__class__("x", 384, "0" * 64))
    with pytest.raises(ComputeError, match="another one") as caught:
        far.embed_passages(["a"])
    assert caught.value.is_outage


class Loading:
    """An embedder that is ready once somebody says so."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.profile = EmbeddingProfile("slow", 1, "f" * 64)

    def embed_passages(self, texts: list[str]) -> list[bytes]:
        assert self.ready.wait(60)
        return [b"1234" for _ in texts]


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Actor, Loading]]:
    """An actor at work whose model is still being loaded."""
    actor, slow = Actor(), Loading()
    monkeypatch.setattr(actor, "_embedder", lambda _request: slow)
    actor.begin(b'{"command": "embed", "fingerprint": "%s"}' % (b"f" * 64))
    actor.put("texts", b'["a", "b"]')
    yield actor, slow
    slow.ready.set()
    actor.close()


def test_an_actor_answers_while_its_model_is_loaded_however_long_that_takes(
    loading: tuple[Actor, Loading],
) -> None:
    actor, slow = loading
    for _ in range(3):
        assert json.loads(actor.step()) == {"progress": [0, 1], "made": {}}
    slow.ready.set()
    while "result" not in (news := json.loads(actor.step())):
        assert "error" not in news
    assert actor.get("result", 0) == b"12341234"


def test_a_model_that_is_never_loaded_ends_the_request_and_not_the_actor(
    loading: tuple[Actor, Loading], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, _ = loading
    monkeypatch.setattr(actor_module, "EMBED_S", 0.0)
    error = json.loads(actor.step())["error"]
    assert error["code"] == "compute_unavailable"
    assert "2 texts within 0 s" in error["message"]
    assert not _is_lost({"error": error})


def test_models_of_the_project_are_found_wherever_it_lies_on_the_far_side() -> None:
    model = EmbeddingSettings().model
    assert shared_model(model) == "./models/e5-zh-en"
    assert own_model(shared_model(model)) == model
    assert own_model(shared_model("/srv/m")) == "/srv/m"


class Evil:
    """An actor that was taken over: it names the places where it wants to write."""

    def __init__(self, name: str, size: int = 1) -> None:
        self.made = {name: size}

    def __call__(self, method: str, *_arguments: object) -> bytes:
        return (
            json.dumps({"made": self.made, "result": True}).encode() if method == "step" else b"x"
        )


@pytest.mark.parametrize(
    "name", ["../../x", "members/../../x", "readings/1.json", "/etc/x", "members/1/2", "file", ""]
)
def test_an_actor_cannot_choose_where_anything_is_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    request = {"command": "load", "name": "a", "result": str(folder / "result"), "readings": None}
    [message] = carry(Evil(name), request, lambda: False)
    assert message["error"]["code"] == "compute_lost"  # type: ignore[index]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_result_of_more_than_the_limit_is_not_taken(tmp_path: Path) -> None:
    request = {"command": "load", "name": "a", "result": str(tmp_path / "result")}
    [message] = carry(Evil("result", 1 << 40), request, lambda: False)
    assert "at most" in str(message["error"])


def test_an_actor_takes_no_file_but_those_of_a_request() -> None:
    actor = Actor()
    actor.begin(b'{"command": "load"}')
    with pytest.raises(ValueError, match="no file of a request"):
        actor.put("../x", b"x")
    actor.close()


def test_without_an_address_there_is_no_cluster() -> None:
    assert Settings().ray.address == ""
