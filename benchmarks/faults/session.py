"""One process's work on the service: requests as a client sends them, jobs as a worker does them.

Tells `Expected` what was tried and what was acknowledged, and counts as wrong whatever is neither
done nor refused with a typed error. Knows the service's doors; knows nothing of the faults.
"""

import itertools
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import structlog
from starlette.testclient import TestClient

import kb_service.storage.jobs.queue as queue
from api.app import create_app
from api.errors import status_of
from ingest.loaders import DocumentLoader
from kb_service.bootstrap import compose
from kb_service.domain.errors import KbError
from kb_service.ingest_limits import parse_limits
from kb_service.model_parts import build_models
from kb_service.operations import Services
from kb_service.parts import ServiceParts, build_parts
from kb_service.services.folders import LocalFolder
from kb_service.services.parts import Part
from kb_service.services.worker import release_dead_workers
from kb_service.settings import RerankSettings, Settings, StorageSettings
from kb_service.storage.checks.verifier import Verifier

MAX_ATTEMPTS = 40
RESERVE_BYTES = 1024 * 1024
"""Less than usual: each point copies it."""

PROJECT = Path(__file__).parents[2]
_RANDOM = re.compile(r"[0-9a-f]{12,}|zq\d+n\d+")
Tell = Callable[[dict[str, Any]], None]

_trouble: list[str] = []
"""The exception last logged in this process, to name it where an answer hides it."""


class InProcessLoader(DocumentLoader):
    """Parses in this process: a child of its own would take a second for each point."""

    def close(self) -> None:
        """Nothing to end."""


def listen_to_logs() -> None:
    """Print no log, but remember the last exception."""
    structlog.configure(processors=[_remember], cache_logger_on_first_use=False)


def _remember(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    error = event.get("exc_info")
    caught = error if isinstance(error, BaseException) else sys.exception() if error else None
    if caught:
        _trouble[:] = [where(caught)]
    raise structlog.DropEvent


def where(error: BaseException) -> str:
    """Name an exception and the innermost place of the project that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PROJECT)]
    last = (ours or list(frames))[-1:]
    place = f" at {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    return f"{type(error).__name__}: {error}{place}"


class LoadedModels:
    """What is loaded once, before the first fork: it reads no data folder."""

    def __init__(self) -> None:
        self._models = build_models(Settings(rerank=RerankSettings(model="")))
        self._models.embedder()
        self._models.generator()
        queue.FIRST_RETRY_S = queue.OUTAGE_RETRY_S = 0.0

    def parts(self, data_dir: Path) -> ServiceParts:
        """The parts of a service over the folder that has these models already."""
        settings = Settings(
            data_dir=data_dir,
            rerank=RerankSettings(model=""),
            storage=StorageSettings(reserve_bytes=RESERVE_BYTES),
        )
        loader = Part(lambda: InProcessLoader(parse_limits(settings.ingest)))
        return replace(build_parts(settings, self._models), loader=loader)


def content_of(marker: str) -> bytes:
    """A report of a few chunks in which only this one holds the marker."""
    paragraph = (
        f"Report on pump {marker}. The pump {marker} stopped at 07:42 because the seal of "
        f"{marker} was worn. The operator closed valve 12 and called the fitter on duty. "
    )
    return "\n\n".join(f"{paragraph}Part {number} of the report." for number in range(6)).encode()


class Session:
    """A service of this process, its client, and what they were told.

    It is opened with the first use; a server that cannot open is started again.
    """

    def __init__(self, models: LoadedModels, data_dir: Path, files: Path, tell: Tell) -> None:
        self._parts = models.parts(data_dir)
        self._services = Part(lambda: compose(self._parts))
        self._open = ExitStack()
        self._client = Part(self._serve)
        self.files = files
        self.is_disk_sound = True
        """No refusal is accepted any more."""
        self.is_full = False
        self._tell = tell
        self._numbers = itertools.count()

    @property
    def services(self) -> Services:
        """The service. Raises KbError where it cannot be opened."""
        return self._services()

    def _serve(self) -> TestClient:
        app = create_app(self.services)
        made = TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
        return self._open.enter_context(made)

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)
        self._parts.close()

    def new_marker(self) -> str:
        """A word that nothing else holds."""
        return f"zq{os.getpid()}n{next(self._numbers)}"

    def wrong(self, text: str) -> None:
        """Report what must not be."""
        short = text.replace(str(self._parts.settings.data_dir), "")
        self._tell({"is": "wrong", "text": _RANDOM.sub("*", short)[:400]})

    @contextmanager
    def typed(self, what: str) -> Iterator[None]:
        """Expect nothing but typed errors, and none at all once the disk is sound."""
        try:
            yield
        except KbError as error:
            if self.is_disk_sound:
                self.wrong(f"{what}: refused on a sound disk: {error.code} {error.message}")
        except Exception as error:  # noqa: BLE001  whatever else comes is the finding
            self.wrong(f"{what}: untyped {where(error)}")

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send a request; an answer of 5xx must be a typed refusal of the storage."""
        _trouble.clear()
        response = self._send(method, path, options)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            what = f"{method} {_shape(path)}"
            code = _code_of(response)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or code is None:
                self.wrong(f"{what}: {response.status_code} {code} {' '.join(_trouble)}")
            elif self.is_disk_sound:
                self.wrong(f"{what}: refused on a sound disk: {code} {response.text[:200]}")
        return response

    def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        try:
            client = self._client()
        except KbError as error:
            return httpx.Response(status_of(error), json={"error": error.as_dict()})
        return client.request(method, path, **options)

    def create(self, base: str) -> None:
        """Create a base."""
        self._tell({"is": "tried", "base": base})
        if self.call("POST", "/kb", json={"name": base}).status_code in (201, 409):
            self._tell({"is": "made", "base": base})

    def put(self, base: str, name: str, marker: str | None = None) -> None:
        """Upload a file of new content."""
        marker = marker or self.new_marker()
        self._tell({"is": "tried", "base": base, "name": name, "marker": marker})
        files = [("files", (name, content_of(marker), "text/plain"))]
        if self.call("POST", f"/kb/{base}/documents", files=files).status_code == 202:
            self._tell({"is": "made", "base": base, "name": name, "marker": marker})

    def delete(self, base: str, name: str) -> None:
        """Delete a document; not being there any more is as good."""
        documents = self.documents(base)
        if documents is None:
            return
        self._tell({"is": "tried", "base": base, "name": name, "marker": None})
        status = 204
        if name in documents:
            path = f"/kb/{base}/documents/{documents[name]['id']}"
            response = self.call("DELETE", path)
            status = response.status_code
            if status == 503 and self.is_full:
                self.wrong(f"delete: refused on a full disk: {response.text[:300]}")
        if status in (204, 404):
            self._tell({"is": "made", "base": base, "name": name, "marker": None})

    def drop(self, base: str) -> None:
        """Delete a base with all it holds."""
        self._tell({"is": "tried", "base": base, "gone": True})
        if self.call("DELETE", f"/kb/{base}").status_code in (204, 404):
            self._tell({"is": "made", "base": base, "gone": True})

    def sync(self, base: str, markers: dict[str, str]) -> None:
        """Make the base follow the folder `files`, whose files hold these markers."""
        gone = {path.name for path in self.files.iterdir()} - markers.keys()
        for name in gone:
            (self.files / name).unlink()
        for name, marker in markers.items():
            (self.files / name).write_bytes(content_of(marker))
        steps = [{"base": base, "name": name, "marker": markers.get(name)} for name in markers]
        steps += [{"base": base, "name": name, "marker": None} for name in gone]
        for step in steps:
            self._tell({"is": "tried", **step})
        with self.typed("sync"):
            self.services.intake.sync.run(
                self.services.bases.show(base).id,
                LocalFolder(self.files, self.services.settings.data_dir),
                prune=True,
            )
            for step in steps:
                self._tell({"is": "made", **step})

    def reindex(self, base: str) -> None:
        """Rebuild the indexes of a base, as the command does."""
        with self.typed("reindex"):
            self.services.reindexing.reindex(base)

    def recover(self) -> None:
        """From now on the disk is sound; a server looks every few seconds whether it is."""
        self.is_full = False
        self.is_disk_sound = True
        with self.typed("look at the disk"):
            if not self.services.starting.can_write():
                self.wrong("look at the disk: it is not written again")

    def start(self) -> None:
        """What a server and a worker do before their first request and job."""
        with self.typed("start"):
            if self.services.starting.can_write():
                storage = self._parts.storage()
                storage.reserve.restore()
                Verifier(storage.database, self._parts.blobs).sweep(stale_after_s=0)
                self.services.upkeep.sweep()
            release_dead_workers(queue.JobQueue(self._parts.storage().database))

    def work(self) -> None:
        """Do every job there is, as the worker process does."""
        for _ in range(MAX_ATTEMPTS):
            end = None
            with self.typed("worker"):
                end = self.services.starting.worker().run_once()
                if end is None:
                    return
            if end is not None and end.code == KbError.default_code:
                self.wrong(f"worker: untyped failure of a job {' '.join(_trouble)}")

    def ask(self, base: str, marker: str, conversation: str | None = None) -> str | None:
        """Ask about a marker; return the conversation when the answer was given."""
        question = {"question": f"Why did the pump {marker} stop?", "conversation_id": conversation}
        response = self.call("POST", f"/kb/{base}/ask", json=question)
        if response.status_code != httpx.codes.OK:
            return None
        answer = response.json()
        if marker not in answer["answer"]:
            told = f"{answer['status']} {answer['reason']}: {answer['answer'][:120]}"
            self.wrong(f"ask: {told} for what the base holds ({marker})")
        conversation = str(answer["conversation_id"])
        if answer["stored"]:
            heard = {"id": answer["id"], "conversation": conversation, "text": answer["answer"]}
            self._tell({"is": "answered", **heard})
        else:
            self._tell({"is": "tried", "conversation": conversation})
            if self.is_disk_sound:
                self.wrong(f"ask: not stored on a sound disk: {answer['not_stored']}")
        return conversation

    def forget(self, conversation: str) -> None:
        """Delete a conversation."""
        self._tell({"is": "tried", "conversation": conversation, "gone": True})
        if self.call("DELETE", f"/conversations/{conversation}").status_code in (204, 404):
            self._tell({"is": "made", "conversation": conversation, "gone": True})

    def documents(self, base: str) -> dict[str, dict[str, Any]] | None:
        """The documents of a base by name; None when they could not be listed."""
        response = self.call("GET", f"/kb/{base}/documents?limit=100")
        if response.status_code == httpx.codes.NOT_FOUND:
            return {}
        if response.status_code != httpx.codes.OK:
            return None
        return {item["name"]: item for item in response.json()["items"]}

    def found(self, base: str, marker: str) -> set[str] | None:
        """The titles of the documents that hold the marker; None when the search was refused."""
        response = self.call("POST", f"/kb/{base}/search", json={"query": marker})
        if response.status_code == httpx.codes.NOT_FOUND:
            return set()
        if response.status_code != httpx.codes.OK:
            return None
        items = response.json()["items"]
        return {item["title"] for item in items if marker in item["text"]}

    def read(self, base: str, name: str, marker: str) -> None:
        """Read in every way; a refusal passes once, unless the disk is full or sound."""
        for attempt in (self._read_search, self._read_ask, self._read_document):
            if attempt(base, name, marker):
                continue
            what = attempt.__name__.removeprefix("_read_")
            if self.is_full:
                self.wrong(f"{what}: refused on a full disk")
            elif not attempt(base, name, marker):
                self.wrong(f"{what}: refused again after one fault")

    def _read_search(self, base: str, name: str, marker: str) -> bool:
        found = self.found(base, marker)
        if found is not None and found != {Path(name).stem}:
            self.wrong(f"search: {sorted(found)} found for the words of {name}")
        return found is not None

    def _read_ask(self, base: str, _name: str, marker: str) -> bool:
        return self.ask(base, marker) is not None

    def _read_document(self, base: str, name: str, marker: str) -> bool:
        documents = self.documents(base)
        if documents is None:
            return False
        path = f"/kb/{base}/documents/{documents[name]['id']}"
        answers = [self.call("GET", f"{path}/{part}") for part in ("text", "content")]
        if any(answer.status_code != httpx.codes.OK for answer in answers):
            return False
        if any(marker not in answer.text for answer in answers):
            self.wrong(f"document: {name} has other words")
        return True


def _code_of(response: httpx.Response) -> str | None:
    try:
        return str(response.json()["error"]["code"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return None


def _shape(path: str) -> str:
    """The path without ids and names, so that equal findings read equal."""
    known = {"kb", "documents", "search", "ask", "answers", "conversations", "text", "content"}
    parts = path.partition("?")[0].strip("/").split("/")
    return "/" + "/".join(part if part in known or part == "feedback" else "*" for part in parts)
