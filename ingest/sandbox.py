"""SandboxedLoader and the sandbox behind it: a file is parsed where it can do no harm.

Knows processes, sockets and deadlines; knows no file format. Each request has a forked process of
its own, so that no file changes the state that another one meets, and several may run at a time.
Whatever that process does (hang, eat memory, crash), the caller gets a typed error within the time
limit.
"""

import contextlib
import dataclasses
import json
import selectors
import shutil
import signal
import socket
import tempfile
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ingest.child import out_of_memory
from ingest.chosen_encoding import without_charset
from ingest.limits import ParseLimits
from ingest.nursery_process import NurseryProcess
from ingest.parsed_file import read_parsed
from ingest.preparation import COMMON
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import (
    ComputeError,
    DocumentError,
    InvalidRequest,
    KbError,
    NotFound,
    ParseAccident,
    ParseInterrupted,
    ParserFailed,
)
from kb_service.domain.jobs import JobStage, Progress

_POLL_S = 0.25
"""How often a silent request is heard of; its owner may want to stop it."""
_HANG_UP_S = 5.0
_MAX_LINE_BYTES = 1 << 20
_MEMORY_SHARE = 0.75
"""Of the memory allowed: a process that died above it died for want of memory. Allocators of native
parsers abort when they get none, and ask for large pieces."""
_ERRORS: dict[str, type[KbError]] = {
    kind.__name__: kind
    for kind in (
        DocumentError,
        ParseInterrupted,
        ParserFailed,
        InvalidRequest,
        NotFound,
        ComputeError,
    )
}
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Job:
    """One request under way: what it is called, how large its file is, when it is late."""

    name: str
    size_bytes: int
    deadline: float


class Sandbox:
    """Runs requests, each in a process of its own. Safe between threads."""

    def __init__(self, limits: ParseLimits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._nursery: NurseryProcess | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="kb-parse-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._pids: set[int] = set()

    def run(
        self, request: Mapping[str, object], name: str
    ) -> Generator[Progress | Path, None, None]:
        """Yield progress, then the path of the result, valid until the next step.

        The last progress comes again every quarter of a second while nothing else does. Closing
        the iterator early kills the process. Raises what it reports, ParseInterrupted
        (parse_timeout, parse_memory) or ParseAccident (parse_crashed, parser_failed, …).
        """
        size = Path(str(request["path"])).stat().st_size
        job = _Job(name, size, time.monotonic() + self.limits.timeout_s)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            result = folder / "result"
            with self._connection() as connection:
                _send(connection, {
                    **request, "name": name, "size_bytes": size, "result": str(result),
                    "limits": dataclasses.asdict(self.limits),
                })  # fmt: skip
                yield from self._progress(connection, job)
            yield result
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def prepare(self, media_type: str) -> None:
        """Import what a media type needs. Raises ParseAccident, ParserFailed, or OSError."""
        job = _Job(media_type, 0, time.monotonic() + self.limits.timeout_s)
        request = {"command": "prepare", "media_type": media_type, "name": media_type}
        with self._connection() as connection:
            _send(connection, request)
            for _ in self._progress(connection, job):
                pass

    def close(self) -> None:
        """End every process and remove their folder; a later `run` is an error."""
        with self._lock:
            nursery, self._nursery = self._nursery, None
        if nursery:
            nursery.kill()
        self._finalizer()

    @property
    def pids(self) -> frozenset[int]:
        """Process ids of the requests under way."""
        return frozenset(self._pids)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        nursery = self._rented()
        try:
            connection = nursery.connect()
        except OSError:  # it died between two requests: nothing of this one is lost
            self._retire(nursery)
            nursery.release()
            nursery = self._rented()
            connection = nursery.connect()
        try:
            yield connection
            connection.close()  # its process has told its result and ends by itself
        except ParserFailed:
            # Perhaps an import that failed half-way: the next request gets another nursery.
            self._retire(nursery)
            raise
        finally:
            if not _hang_up(connection):  # busy, or stuck: it may end what it has begun
                self._retire(nursery)
            nursery.release()

    def _rented(self) -> NurseryProcess:
        """Return the present nursery, counted as used once more; a dead one is replaced."""
        with self._lock:
            if self._nursery is None or not self._nursery.is_alive:
                self._nursery = NurseryProcess(self._folder)
            self._nursery.rent()
            return self._nursery

    def _retire(self, nursery: NurseryProcess) -> None:
        with self._lock:
            if self._nursery is nursery:
                self._nursery = None
        nursery.retire()

    def _progress(self, connection: socket.socket, job: _Job) -> Iterator[Progress]:
        """Yield progress until the request is done; raise how it failed."""
        progress = Progress(JobStage.LOAD, 0, 0)
        pid = 0
        try:
            for message in self._messages(connection, job):
                if message is None:
                    yield progress
                elif "pid" in message:
                    pid = int(message["pid"])
                    self._pids.add(pid)
                elif "progress" in message:
                    progress = _progress(message)
                    yield progress
                elif "error" in message:
                    raise told_error(message["error"])
                elif "died" in message:
                    raise self._death(message["died"], job)
                elif "result" in message:
                    return
            raise ParseAccident(f"the parser of {job.name} ended without a word")
        finally:
            self._pids.discard(pid)

    def _messages(self, connection: socket.socket, job: _Job) -> Iterator[Message | None]:
        """Yield messages until the other side closes, None when there was none for a while."""
        buffer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            while True:
                line, found, rest = buffer.partition(b"\n")
                if found:
                    buffer = rest
                    if line:
                        yield _message(line, job.name)
                    continue
                if len(line) > _MAX_LINE_BYTES:
                    raise ParseAccident(f"the parser of {job.name} talks nonsense")
                left = job.deadline - time.monotonic()
                if left <= 0:
                    raise self._late(job)
                if not selector.select(min(left, _POLL_S)):
                    yield None
                    continue
                data = _received(connection)
                if not data:
                    return
                buffer += data

    def _late(self, job: _Job) -> ParseAccident:
        """By the clock it may have been another program that kept the processor busy."""
        limit = self.limits.timeout_s
        return ParseAccident(
            f"{job.name} took longer than {limit:g} s to parse",
            code="parse_timeout",
            details={"timeout_s": limit},
        )

    def _death(self, report: Mapping[str, Any], job: _Job) -> ParseInterrupted:
        status, peak = int(report["exit_status"]), int(report["peak_bytes"])
        if status == -signal.SIGXCPU:
            budget = self.limits.cpu_budget_s(job.size_bytes)
            return ParseInterrupted(
                f"{job.name} took longer than the {budget} s of processor time that a file of "
                f"{job.size_bytes} bytes may take",
                code="parse_timeout",
                details={"timeout_s": budget, "size_bytes": job.size_bytes},
            )
        allowed = self.limits.memory_budget_bytes(job.size_bytes)
        if peak >= _MEMORY_SHARE * allowed:
            return out_of_memory(job.name, allowed)
        if status == -signal.SIGKILL:
            return ParseAccident(
                f"the parser of {job.name} was killed, most likely for want of memory",
                code="parse_memory",
                details={"exit_status": status, "memory_bytes": allowed},
            )
        return ParseAccident(
            f"the parser of {job.name} died (exit status {status})",
            details={"exit_status": status},
        )


class Runner(Protocol):
    """What runs a request in a process, as `Sandbox`."""

    def run(
        self, request: Mapping[str, object], name: str
    ) -> Generator[Progress | Path, None, None]:
        """Yield progress, then the path of the result."""

    def prepare(self, media_type: str) -> None:
        """Have ready what a media type needs."""

    def close(self) -> None:
        """End what runs."""


class SandboxedLoader:
    """Loader that parses every file in a process of its own under limits. Safe between threads.

    `runner`: where these processes are, this machine without one.
    """

    def __init__(self, limits: ParseLimits, runner: Runner | None = None) -> None:
        self._sandbox = runner or Sandbox(limits)

    def load(
        self, path: Path, name: str, media_type: str, readings: Path | None = None
    ) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument; closing early stops the process.

        `readings`: the folder with what OCR read of the file's pages, if anything was read.
        Raises DocumentError (empty_document, document_too_large, encrypted_document,
        corrupt_document, too_many_pages, unsupported_media_type), ParseInterrupted
        (parse_timeout, parse_memory) or ParseAccident (parse_crashed, parser_failed).
        """
        kind, charset = without_charset(media_type)
        request = {
            "command": "load",
            "path": str(path.resolve()),
            "media_type": kind,
            "charset": charset,
            "readings": str(readings) if readings else None,
        }
        steps = self._sandbox.run(request, name)
        with contextlib.closing(steps):
            for step in steps:
                yield step if isinstance(step, Progress) else _parsed(step, name)

    def warm_up(self) -> None:
        """Have ready what most files need; one that comes meanwhile waits for one format at most.

        What fails here fails again, with a reason, for the first file that needs it.
        """
        with contextlib.suppress(KbError, OSError):
            for media_type in COMMON:
                self._sandbox.prepare(media_type)

    def close(self) -> None:
        """End what runs."""
        self._sandbox.close()

    def __enter__(self) -> "SandboxedLoader":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _hang_up(connection: socket.socket) -> bool:
    """Close a connection and wait a little until its process is gone; True when it is.

    A nursery that is busy with an import ends the process afterwards.
    """
    with connection:
        try:
            connection.settimeout(_HANG_UP_S)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:  # closed by the other side already
            return True
        return True


def _received(connection: socket.socket) -> bytes:
    """Return what came, nothing once the other side is gone, in whatever way."""
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _parsed(path: Path, name: str) -> ParsedDocument:
    try:
        return read_parsed(path)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ParseAccident(f"the parser of {name} left no readable result: {error}") from error


def _send(connection: socket.socket, message: Mapping[str, object]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _message(line: bytes, name: str) -> Message:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ParseAccident(f"the parser of {name} talks nonsense: {error}") from error
    return message if isinstance(message, dict) else {}


def _progress(message: Message) -> Progress:
    done, total = message["progress"]
    return Progress(JobStage.LOAD, int(done), int(total))


def told_error(report: object) -> KbError:
    """Return the error that a message tells of."""
    if not isinstance(report, dict):
        return ParseAccident(f"the parser reported {report!r}")
    kind = _ERRORS.get(report["kind"], ParseAccident)
    return kind(report["message"], code=report["code"], details=report["details"])
