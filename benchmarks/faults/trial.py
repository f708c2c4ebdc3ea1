"""One fork for each point: the work that meets the fault, and the restart that looks after it.

Knows processes and folders. The process that forks has loaded the models and opened nothing: no
database, no index, no thread.
"""

import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.inspection import Expected, inspect
from benchmarks.faults.operations import BASE, KEPT, MARKERS, Operation, fill, read
from benchmarks.faults.session import LoadedModels, Session, where
from benchmarks.faults.shim import IS_DEADLY, KINDS, Shim

UNHARMED = "none"
PATIENCE_S = 120.0
"""After so long a process counts as hanging."""


@dataclass(frozen=True)
class Point:
    """The fault of one trial: `number` counts the calls that the kind concerns."""

    operation: Operation
    kind: str
    number: int


@dataclass
class Outcome:
    """What a point showed. `fired`: the call it hit, None where the work ended before it."""

    point: Point
    fired: str | None
    wrong: list[str]
    seconds: float
    recovery_s: float
    places: dict[str, list[str]] = field(default_factory=dict)


class Process:
    """A fork that does one thing, tells events over a pipe, and waits for a byte when it pauses."""

    def __init__(self, work: Callable[["Voice"], None]) -> None:
        self._events, telling = os.pipe()
        waiting, self._orders = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._events)
            os.close(self._orders)
            _live(work, Voice(telling, waiting))
        os.close(telling)
        os.close(waiting)
        self._buffer = b""

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what it tells until it ends; then it is reaped."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            while b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                yield json.loads(line)
            ready, _, _ = select.select([self._events], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                yield {"is": "wrong", "text": f"hangs for {PATIENCE_S:.0f} s"}
            data = os.read(self._events, 65536)
            if not data:
                break
            self._buffer += data
        self._reap()

    def go_on(self) -> None:
        """Let it continue after its pause."""
        with suppress(BrokenPipeError):
            os.write(self._orders, b".")

    def _reap(self) -> None:
        os.waitpid(self.pid, 0)
        os.close(self._events)
        os.close(self._orders)


class Voice:
    """The child's end of the pipes."""

    def __init__(self, telling: int, waiting: int) -> None:
        self._telling = telling
        self._waiting = waiting

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event; it is on its way when this returns."""
        os.write(self._telling, json.dumps(event).encode() + b"\n")

    def pause(self) -> None:
        """Wait until the parent says go on."""
        self.tell({"is": "paused"})
        os.read(self._waiting, 1)

    def may_stop(self) -> bool:
        """True once the parent has said go on."""
        return bool(select.select([self._waiting], [], [], 0)[0])


def _live(work: Callable[[Voice], None], voice: Voice) -> None:
    try:
        work(voice)
    except BaseException as error:  # noqa: BLE001  the edge of a process: told, not hidden
        voice.tell({"is": "wrong", "text": f"the trial itself: untyped {where(error)}"})
        if os.environ.get("KB_FAULTS_TRACE"):
            traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(0)


class Trials:
    """The folder of all trials and the templates that each begins with."""

    def __init__(self, folder: Path, models: LoadedModels) -> None:
        self._models = models
        self._folder = folder
        self._data = folder / "run" / "data"
        self._files = folder / "run" / "files"
        self._shim = Shim(self._data)
        self._expected = {True: Expected(), False: Expected()}

    def prepare(self) -> None:
        """Make the two templates: an empty folder, and one with documents, answers and indexes."""
        for is_first in (True, False):
            self._files.mkdir(parents=True)
            if not is_first:
                self._listen(Process(self._session(fill)), self._expected[is_first])
                if self._expected[is_first].wrong:
                    raise RuntimeError(f"the template fails: {self._expected[is_first].wrong}")
            self._files.parent.rename(self._template(is_first))

    def count(self, operation: Operation) -> Outcome:
        """Do an operation with no fault; `places` tells what each kind can hit in it, in order."""
        outcome = self._run(operation, Point(operation, UNHARMED, 0), self._shim.count)
        outcome.places = {kind: self._shim.places(kind) for kind in KINDS}
        return outcome

    def run(self, point: Point) -> Outcome:
        """Meet the fault, start again, and look."""
        arm = lambda: self._shim.arm(point.kind, point.number)  # noqa: E731
        return self._run(point.operation, point, arm)

    def _run(self, operation: Operation, point: Point, arm: Callable[[], None]) -> Outcome:
        started = time.monotonic()
        shutil.rmtree(self._files.parent, ignore_errors=True)
        shutil.copytree(self._template(operation.is_first), self._files.parent)
        expected = self._expected[operation.is_first].copy()
        with self._server(expected, is_wanted=operation.is_served):
            process = Process(lambda voice: self._meet(operation, point, arm, voice))
            self._listen(process, expected, operation)
        fired = self._shim.fired
        died = time.monotonic()
        if point.kind != UNHARMED:
            self._listen(Process(lambda voice: self._look(expected, voice)), expected)
        ended = time.monotonic()
        return Outcome(point, fired, expected.wrong, ended - started, ended - died)

    def _listen(
        self, process: Process, expected: Expected, operation: Operation | None = None
    ) -> None:
        for event in process.events():
            if event["is"] != "paused":
                expected.hear(event)
            else:
                if operation and operation.elsewhere:
                    self._listen(Process(self._session(operation.elsewhere)), expected)
                process.go_on()

    def _open(self, voice: Voice) -> Session:
        return Session(self._models, self._data, self._files, voice.tell)

    def _session(self, work: Callable[[Session], None]) -> Callable[[Voice], None]:
        def live(voice: Voice) -> None:
            with self._open(voice) as session:
                work(session)

        return live

    def _meet(
        self, operation: Operation, point: Point, arm: Callable[[], None], voice: Voice
    ) -> None:
        with self._open(voice) as session:
            session.is_disk_sound = False
            session.is_full = point.kind == "full"
            arm()
            operation.run(session, voice.pause)
            self._shim.disarm()
            if point.kind not in (UNHARMED, *IS_DEADLY):
                session.recover()
                operation.run(session, voice.pause)

    def _look(self, expected: Expected, voice: Voice) -> None:
        with self._open(voice) as session:
            for wrong in inspect(session, expected):
                session.wrong(wrong)

    @contextmanager
    def _server(self, expected: Expected, *, is_wanted: bool) -> Iterator[None]:
        """Another process that reads all the time; whatever it is refused is wrong."""
        if not is_wanted:
            yield
            return
        process = Process(self._serve)
        events = process.events()
        for event in events:
            if event["is"] == "paused":
                break
            expected.hear(event)
        process.go_on()
        yield
        process.go_on()
        for event in events:
            if event["is"] == "wrong":
                event["text"] = f"beside it: {event['text']}"
            expected.hear(event)

    def _serve(self, voice: Voice) -> None:
        with self._open(voice) as session:
            read(session)
            voice.pause()
            while not voice.may_stop():
                session.read(BASE, KEPT, MARKERS[KEPT])
                time.sleep(0.05)
            read(session)

    def _template(self, is_first: bool) -> Path:
        return self._folder / ("first" if is_first else "filled")
