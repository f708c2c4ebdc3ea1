"""The nursery: `python -m ingest.nursery FD FOLDER`, a process that forks one child for each file.

It imports what a file's format needs, in a state that no file has touched, and forks: every child
starts from the same pristine state, at once. It parses nothing itself. Over the socket FD come
connections, one for each request; a closed connection ends its child. When a child dies, its
connection is told how. END, or the end of FD, ends everything; without END the service has died,
and FOLDER is removed in its stead.
"""

import contextlib
import gc
import json
import math
import os
import select
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ingest.child import LOWEST_PRIORITY, failure, work
from ingest.limits import ParseLimits
from ingest.preparation import DRAWING, prepare
from kb_service.domain.errors import ParserFailed

END = b"."
_POLL_S = 0.05
_REQUEST_WITHIN_S = 5.0
_KIB = 1024
_GIVES_WAY_AFTER_S = 1.0
_LOWER_BY = 10


@dataclass(slots=True)
class Child:
    """One running child. `peak_bytes`: most address space seen, sampled while it runs.

    One that takes long gives way to younger ones where there are fewer processors than children.
    """

    pid: int
    connection: socket.socket
    peak_bytes: int = 0
    gives_way_at: float = field(default_factory=lambda: time.monotonic() + _GIVES_WAY_AFTER_S)

    def sample(self) -> None:
        """Note the address space and the age; a child that has just ended has neither."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            peak = next((line for line in lines if line.startswith("VmPeak:")), "").split()[1]
            self.peak_bytes = max(self.peak_bytes, int(peak) * _KIB)
        if time.monotonic() > self.gives_way_at:
            self.gives_way_at = math.inf
            lowest = os.getpriority(os.PRIO_PROCESS, 0) + _LOWER_BY
            with contextlib.suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, self.pid)
                os.setpriority(os.PRIO_PROCESS, self.pid, max(own, min(lowest, LOWEST_PRIORITY)))


class Nursery:
    """Serves requests until its control socket closes."""

    def __init__(self, control: socket.socket, folder: Path) -> None:
        self._control = control
        self._folder = folder
        self._children: list[Child] = []
        self._is_ready_for: set[str] = set()

    def serve(self) -> None:
        """Fork, watch and reap."""
        while True:
            sockets = [self._control, *(child.connection for child in self._children)]
            ready, _, _ = select.select(sockets, (), (), _POLL_S if self._children else None)
            for child in tuple(self._children):
                # Nothing is sent after the request: a connection to be read was closed.
                self._reap(child, is_unwanted=child.connection in ready)
            if self._control in ready:
                data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
                if data in (b"", END):
                    self._end(is_orphan=not data)
                for descriptor in descriptors:
                    self._take(socket.socket(fileno=descriptor))

    def _take(self, connection: socket.socket) -> None:
        request = read_request(connection)
        if request is None:
            connection.close()
            return
        try:
            self._make_ready(request)
        except ParserFailed as error:
            _tell(connection, failure(error))
            connection.close()
            return
        if request["command"] == "prepare":
            _tell(connection, {"result": True})
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self._become_child(request, connection)
        self._children.append(Child(pid, connection))
        _tell(connection, {"pid": pid})

    def _make_ready(self, request: dict[str, Any]) -> None:
        kind = DRAWING if request["command"] == "render" else str(request["media_type"])
        if kind in self._is_ready_for:
            return
        try:
            prepare(kind)
        except Exception as error:
            raise ParserFailed.of(request["name"], error) from error
        self._is_ready_for.add(kind)
        gc.collect()
        gc.freeze()  # the collector of a child leaves the shared pages alone

    def _become_child(self, request: dict[str, Any], connection: socket.socket) -> NoReturn:
        try:
            self._control.close()
            for child in self._children:
                child.connection.close()
            work(request, ParseLimits(**request["limits"]), connection)
        finally:
            os._exit(1)

    def _reap(self, child: Child, *, is_unwanted: bool) -> None:
        if is_unwanted:
            os.kill(child.pid, signal.SIGKILL)
        else:
            child.sample()
        pid, status, usage = os.wait4(child.pid, 0 if is_unwanted else os.WNOHANG)
        if pid == 0:
            return
        self._children.remove(child)
        exit_code = os.waitstatus_to_exitcode(status)
        if exit_code:
            peak = max(child.peak_bytes, usage.ru_maxrss * _KIB)
            _tell(child.connection, {"died": {"exit_status": exit_code, "peak_bytes": peak}})
        child.connection.close()

    def _end(self, *, is_orphan: bool) -> NoReturn:
        for child in self._children:
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        if is_orphan:
            shutil.rmtree(self._folder, ignore_errors=True)
        sys.exit(0)


def read_request(connection: socket.socket) -> dict[str, Any] | None:
    """Return the one line that comes first, None when its sender is gone."""
    connection.settimeout(_REQUEST_WITHIN_S)
    data = b""
    try:
        while not data.endswith(b"\n"):
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
    except OSError:
        return None
    connection.settimeout(None)
    request: dict[str, Any] = json.loads(data)
    return request


def _tell(connection: socket.socket, message: dict[str, object]) -> None:
    # After a line break: a child may have died in the middle of a line. Without waiting: whoever
    # does not read must not hold the others up.
    with contextlib.suppress(OSError):
        connection.send(b"\n" + json.dumps(message).encode() + b"\n", socket.MSG_DONTWAIT)


if __name__ == "__main__":
    Nursery(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])).serve()
