"""SandboxedLoader and the child process behind it: a file is parsed where it can do no harm.

Knows processes, pipes and deadlines; knows no file format. Whatever the child does (hang, eat
memory, crash), the caller gets a typed error within the time limit and the next file a new child.
"""

import contextlib
import dataclasses
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import ingest
from ingest.limits import ParseLimits
from ingest.parsed_file import read_parsed
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import (
    Busy,
    DocumentError,
    InvalidRequest,
    KbError,
    NotFound,
    ParseInterrupted,
)
from kb_service.domain.jobs import JobStage, Progress

_FILES_PER_CHILD = 200  # a fresh process now and then keeps leaks of native parsers small
_POLL_S = 1.0
_MAX_LINE_BYTES = 1 << 20
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "TZ")
_ERRORS: dict[str, type[KbError]] = {
    kind.__name__: kind for kind in (DocumentError, ParseInterrupted, InvalidRequest, NotFound)
}
Message = dict[str, Any]


class SandboxChild:
    """One parsing child, started when needed and replaced when it dies. Safe between threads."""

    def __init__(self, limits: ParseLimits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._num_served = 0
        self._folder = Path(tempfile.mkdtemp(prefix="kb-parse-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def run(
        self, request: Mapping[str, object], name: str
    ) -> Generator[Progress | Path, None, None]:
        """Yield the child's progress, then the path of its result, valid until the next step.

        Closing the iterator early kills the child. Raises what the child reports, ParseInterrupted
        (parse_timeout, parse_memory, parse_crashed), or Busy when another file holds the child for
        longer than the time limit.
        """
        if not self._lock.acquire(timeout=self.limits.timeout_s):
            raise Busy(f"the parser was busy for {self.limits.timeout_s:g} s", code="parser_busy")
        result = self._folder / "result"
        is_done = False
        try:
            deadline = time.monotonic() + self.limits.timeout_s
            self._send({**request, "name": name, "result": str(result)})
            for message in self._answers(deadline, name):
                if "progress" in message:
                    yield _progress(message)
                    continue
                is_done = "last" not in message
                if "error" in message:
                    raise _error(message["error"])
                break
            yield result
        finally:
            result.unlink(missing_ok=True)
            self._num_served += 1
            if not is_done or self._num_served >= _FILES_PER_CHILD:
                self._kill()
            self._lock.release()

    def close(self) -> None:
        """End the child and remove its folder; a later `run` is an error."""
        self._kill()
        self._finalizer()

    @property
    def pid(self) -> int | None:
        """Process id of the running child, None when none runs."""
        return self._process.pid if self._process else None

    def _send(self, request: Mapping[str, object]) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            self._kill()
            process = self._start()
        try:
            _write_line(process, request)
        except BrokenPipeError:  # it died between two files: nothing of this one is lost
            self._kill()
            _write_line(self._start(), request)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=_environment(self._folder),
        )
        self._process, self._buffer, self._num_served = process, b"", 0
        _write_line(process, dataclasses.asdict(self.limits))
        return process

    def _answers(self, deadline: float, name: str) -> Iterator[Message]:
        process = self._process
        if process is None or process.stdout is None:
            raise RuntimeError("no child was started")
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                line, found, rest = self._buffer.partition(b"\n")
                if found:
                    self._buffer = rest
                    yield _message(line, name)
                    continue
                if len(line) > _MAX_LINE_BYTES:
                    raise ParseInterrupted(
                        f"the parser of {name} talks nonsense", code="parse_crashed"
                    )
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._timed_out(name)
                if selector.select(min(left, _POLL_S)):
                    data = os.read(process.stdout.fileno(), 65536)
                    if not data:
                        raise self._died(process, name)
                    self._buffer += data

    def _timed_out(self, name: str) -> ParseInterrupted:
        return ParseInterrupted(
            f"{name} took longer than {self.limits.timeout_s:g} s to parse",
            code="parse_timeout",
            details={"timeout_s": self.limits.timeout_s},
        )

    def _died(self, process: subprocess.Popen[bytes], name: str) -> ParseInterrupted:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        status = process.returncode
        if status == -signal.SIGXCPU:
            return self._timed_out(name)
        if status == -signal.SIGKILL:
            return ParseInterrupted(
                f"the parser of {name} was killed, most likely for its memory",
                code="parse_memory",
                details={"memory_bytes": self.limits.memory_bytes},
            )
        return ParseInterrupted(
            f"the parser of {name} died (exit status {status})",
            code="parse_crashed",
            details={"exit_status": status},
        )

    def _kill(self) -> None:
        process, self._process, self._buffer = self._process, None, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class SandboxedLoader:
    """Loader that parses every file in a child process under limits."""

    def __init__(self, limits: ParseLimits) -> None:
        self._child = SandboxChild(limits)

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument; closing early stops the child.

        Raises DocumentError (empty_document, document_too_large, encrypted_document,
        corrupt_document, too_many_pages, unsupported_media_type) or ParseInterrupted
        (parse_timeout, parse_memory, parse_crashed).
        """
        request = {"command": "load", "path": str(path.resolve()), "media_type": media_type}
        steps = self._child.run(request, name)
        with contextlib.closing(steps):
            for step in steps:
                yield step if isinstance(step, Progress) else _parsed(step, name)

    def close(self) -> None:
        """End the child process."""
        self._child.close()

    def __enter__(self) -> "SandboxedLoader":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _parsed(path: Path, name: str) -> ParsedDocument:
    try:
        return read_parsed(path)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ParseInterrupted(
            f"the parser of {name} left no readable result: {error}", code="parse_crashed"
        ) from error


def _environment(folder: Path) -> dict[str, str]:
    """Return what the child may know: no keys, no proxies, one thread per library."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    root = str(Path(ingest.__file__ or "").resolve().parent.parent)
    return {
        **kept,
        "PYTHONPATH": root,
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _write_line(process: subprocess.Popen[bytes], message: Mapping[str, object]) -> None:
    if process.stdin is None:
        raise RuntimeError("the child has no input")
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def _message(line: bytes, name: str) -> Message:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ParseInterrupted(
            f"the parser of {name} talks nonsense: {error}", code="parse_crashed"
        ) from error
    return message if isinstance(message, dict) else {}


def _progress(message: Message) -> Progress:
    done, total = message["progress"]
    return Progress(JobStage.LOAD, int(done), int(total))


def _error(report: object) -> KbError:
    if not isinstance(report, dict):
        return ParseInterrupted(f"the parser reported {report!r}", code="parse_crashed")
    kind = _ERRORS.get(report["kind"], ParseInterrupted)
    return kind(report["message"], code=report["code"], details=report["details"])
