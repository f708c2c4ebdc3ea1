"""Actor: what works at the far end, one request at a time, in a sandbox beside itself.

Knows sandboxes, encoders and a folder of its own; knows neither Ray nor who asks. Bytes and JSON
come and go. It parses nothing in its own process: what holds for a file here holds there.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ingest.child import failure
from ingest.limits import ParseLimits
from ingest.parsed_file import members_beside
from ingest.sandbox import Sandbox
from kb_service.domain.errors import ComputeError, ConfigurationError, KbError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.domain.ports import Embedder, Vector
from kb_service.settings import PROJECT_ROOT

PIECE_BYTES = 8 << 20
STEP_S = 0.25
"""How long an actor works on before it says how far it is; a cancelled job ends within that."""

EMBED_S = 600.0
"""Longest time for the texts of one request, the loading of the model before the first included."""

_FOLDER = "kb-actor-"
_GIVEN = re.compile(r"file|texts|readings/\d{1,9}\.json")
_PACKAGES = (
    "ingest",
    "kb_service/domain",
    "kb_service/language",
    "kb_service/encoder",
    "kb_service/cluster",
)
Request = Mapping[str, Any]
Steps = Generator[Progress | Path, None, None]


@dataclass(slots=True)
class _Work:
    """One request under way; `made`: what it left so far, by the name it is fetched under."""

    request: Request
    folder: Path
    steps: Steps | None = None
    progress: Progress | None = None
    made: dict[str, Path] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


class Actor:
    """`begin`, `put` what the request needs, `step` until done, `get` what was made, `stop`."""

    def __init__(self) -> None:
        _remove_left_over()
        self._sandboxes: dict[str, Sandbox] = {}
        self._embedders: dict[tuple[str, int], Embedder] = {}
        self._embedding = ThreadPoolExecutor(1, "embedding")
        self._work: _Work | None = None

    def hello(self) -> bytes:
        """Say where this is and which code it runs, as JSON."""
        host, python = platform.node(), platform.python_version()
        return json.dumps({"host": host, "python": python, "code": code_fingerprint()}).encode()

    def begin(self, request: bytes) -> None:
        """Take a request; what another one left is gone."""
        self.stop()
        folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        (folder / "readings").mkdir()
        self._work = _Work(json.loads(request), folder)

    def put(self, name: str, piece: bytes) -> None:
        """Add bytes to a file of the request. ValueError unless it is one of these."""
        if not _GIVEN.fullmatch(name):
            raise ValueError(f"{name!r} is no file of a request")
        with (self._at_work().folder / name).open("ab") as stream:
            stream.write(piece)

    def step(self) -> bytes:
        """Go on for a moment; return JSON: `progress`, `made` since, and `result` or `error`."""
        work = self._at_work()
        news: dict[str, object] = {}
        try:
            if self._moved_on(work):
                news["result"] = True
        except KbError as error:
            news = failure(error)
        if work.progress:
            news["progress"] = [work.progress.done, work.progress.total]
        news["made"] = {name: path.stat().st_size for name, path in _new(work).items()}
        return json.dumps(news).encode()

    def get(self, name: str, offset: int) -> bytes:
        """Return a piece of what was made."""
        with self._at_work().made[name].open("rb") as stream:
            stream.seek(offset)
            return stream.read(PIECE_BYTES)

    def stop(self) -> None:
        """End the request, done or not, and remove what it left."""
        work, self._work = self._work, None
        if work is None:
            return
        if work.steps:
            work.steps.close()
        shutil.rmtree(work.folder, ignore_errors=True)

    def close(self) -> None:
        """End everything."""
        self.stop()
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._sandboxes.clear()
        self._embedding.shutdown(wait=False, cancel_futures=True)

    def _at_work(self) -> _Work:
        if self._work is None:
            raise ComputeError("the actor began anew and knows no such request")
        return self._work

    def _moved_on(self, work: _Work) -> bool:
        """Work for a moment; True when the request is done."""
        if work.steps is None:
            work.steps = self._steps(work)
        until = time.monotonic() + STEP_S
        while time.monotonic() < until:
            step = next(work.steps, None)
            if not isinstance(step, Progress):
                if step is not None:
                    work.made |= _result(step)
                return True
            work.progress = step
        return False

    def _steps(self, work: _Work) -> Steps:
        request = work.request
        if request["command"] == "embed":
            return self._embedded(work)
        sandbox = self._sandbox(request["limits"])
        if request["command"] == "prepare":
            return _prepared(sandbox, request["media_type"])
        has_readings = request["command"] == "read" or bool(request.get("readings"))
        folder = str(work.folder / "readings") if has_readings else None
        local = {**request, "path": str(work.folder / "file"), "readings": folder}
        return sandbox.run(local, request["name"])

    def _sandbox(self, limits: Mapping[str, Any]) -> Sandbox:
        key = json.dumps(limits, sort_keys=True)
        if key not in self._sandboxes:
            self._sandboxes[key] = Sandbox(ParseLimits(**limits))
        return self._sandboxes[key]

    def _embedded(self, work: _Work) -> Steps:
        """Embed beside the steps: loading a model may take longer than a step may be silent."""
        texts = json.loads((work.folder / "texts").read_bytes())
        vectors = self._embedding.submit(self._vectors, work.request, texts)
        until = time.monotonic() + EMBED_S
        while not wait([vectors], STEP_S).done:
            if time.monotonic() >= until:
                told = f"{platform.node()} did not embed {len(texts)} texts within {EMBED_S:g} s"
                raise ComputeError(told, code="compute_unavailable")
            yield Progress(JobStage.LOAD, 0, 1)
        result = work.folder / "result"
        result.write_bytes(b"".join(vectors.result()))
        yield result

    def _vectors(self, request: Request, texts: list[str]) -> list[Vector]:
        embedder = self._embedder(request)
        expected, found = request["fingerprint"], embedder.profile.fingerprint
        if found != expected:
            raise ComputeError(
                f"the embedding model on {platform.node()} is another one: its fingerprint is"
                f" {found[:12]}, not {expected[:12]}",
                code="compute_differs",
            )
        return embedder.embed_passages(texts)

    def _embedder(self, request: Request) -> Embedder:
        from kb_service.model_parts import choose_embedder
        from kb_service.settings import EmbeddingSettings

        key = (own_model(request["model"]), int(request["threads"]))
        if key not in self._embedders:
            chosen = choose_embedder(EmbeddingSettings(model=key[0], threads=key[1]))
            try:
                self._embedders[key] = chosen.configured()
            except ConfigurationError as error:
                told = f"{platform.node()}: {error.message}"
                raise ComputeError(told, code="compute_differs") from error
        return self._embedders[key]


def shared_model(model: str) -> str:
    """Return a model's folder as another machine finds it: beneath the project, if it lies there.

    The reverse of `own_model`.
    """
    path = Path(model)
    is_ours = path.is_absolute() and path.is_relative_to(PROJECT_ROOT)
    return f"./{path.relative_to(PROJECT_ROOT).as_posix()}" if is_ours else model


def own_model(model: str) -> str:
    """Return where a model of the project lies on this machine; any other is as it was given."""
    return str(PROJECT_ROOT / model) if model.startswith("./") else model


@cache
def code_fingerprint() -> str:
    """Return the SHA-256 of all that decides what is read of a file, and as which text.

    Another version on the far side would make other records than this one.
    """
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((PROJECT_ROOT / package).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(f"\n{path.relative_to(PROJECT_ROOT).as_posix()}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _prepared(sandbox: Sandbox, media_type: str) -> Steps:
    yield Progress(JobStage.LOAD, 0, 1)
    sandbox.prepare(media_type)


def _result(path: Path) -> dict[str, Path]:
    """Return the files of a result that are there: reading pages leaves none."""
    found = {"result": path} if path.is_file() else {}
    folder = members_beside(path)
    names = sorted(folder.iterdir()) if folder.is_dir() else []
    return found | {f"members/{file.name}": file for file in names}


def _new(work: _Work) -> dict[str, Path]:
    """Return what is there to be fetched since the last time; readings come one by one."""
    if work.request["command"] == "read":
        for path in _readings(work.folder):
            work.made.setdefault(f"readings/{path.name}", path)
    new = {name: path for name, path in work.made.items() if name not in work.told}
    work.told |= new.keys()
    return new


def _readings(folder: Path) -> Iterator[Path]:
    return (path for path in sorted((folder / "readings").glob("*.json")) if path.is_file())


def _remove_left_over() -> None:
    """Remove the folders of actors of this machine that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        pid = path.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                shutil.rmtree(path)
