"""ActorPool: the service's side of the bridge: started when first asked, ended with the service.

Knows the bridge's process and its messages; knows neither Ray nor what is asked of the actors.
"""

import json
import selectors
import shutil
import socket
import tempfile
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog

from ingest.nursery_process import NurseryProcess
from ingest.sandbox import told_error
from kb_service.cluster_settings import RaySettings
from kb_service.domain.errors import ComputeError
from kb_service.domain.extras import install_command

UNAVAILABLE = "compute_unavailable"
REST_S = 15.0
"""After a cluster was found to be away, so long nobody asks it: the same is said at once."""

CHECK_EVERY_S = 30.0
_POLL_S = 0.25
_SILENCE_S = 15.0
"""More than the bridge may take over anything: then it is stuck."""

_BRIDGE = "kb_service.cluster.bridge"
_KEPT_VARIABLES = ("RAY_", "LLM_KERNEL_")
log = structlog.get_logger("cluster")
Message = dict[str, Any]


class ActorPool:
    """Sends requests to actors; connects with the first. Safe between threads."""

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: NurseryProcess | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="kb-ray-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._away: tuple[float, ComputeError] | None = None
        self._heard_at = 0.0
        self._is_checking = False

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a folder for one request, which goes with it."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            yield Path(folder)

    def ask(self, request: Mapping[str, object]) -> Generator[Message | None, None, None]:
        """Yield what is told of a request until it is done, None when nothing was for a moment.

        Closing the iterator ends the request, wherever it is. Raises what its end tells:
        ComputeError, and whatever a local process would.
        """
        if self._away and time.monotonic() - self._away[0] < REST_S:
            raise ComputeError(self._away[1].message, code=self._away[1].code)
        process: NurseryProcess | None = None
        try:
            process = self._rented()
            with _opened(process) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                yield from self._told(connection)
            self._away = None
        except ComputeError as error:
            self._note(error, process)
            raise
        finally:
            if process:
                process.release()

    def outage(self) -> ComputeError | None:
        """Return why no actor works for us now, None when one does or none was ever asked."""
        is_old = time.monotonic() - self._heard_at > CHECK_EVERY_S
        with self._lock:
            must_check = bool(self._heard_at) and is_old and not self._is_checking
            self._is_checking = self._is_checking or must_check
        if must_check:
            threading.Thread(target=self._look, name="cluster-check", daemon=True).start()
        return self._away[1] if self._away else None

    def check(self) -> str:
        """Ask an actor who it is, and say it for people. Raises ComputeError."""
        for message in self.ask({"command": "hello"}):
            told = message.get("hello") if message else None
            if isinstance(told, dict) and "num_busy" in told:
                return f"{told['num_busy']} actors at work, by {self._settings.address}"
            if isinstance(told, dict):
                where = f"an actor on {told['host']} answers (Python {told['python']})"
                return f"{where}, by {self._settings.address}; at most {self._settings.actors}"
        raise ComputeError("the bridge to the cluster said nothing", code=UNAVAILABLE)

    def close(self) -> None:
        """End the bridge and with it the actors, whatever they do."""
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.kill()
        self._finalizer()

    def _look(self) -> None:
        try:
            self.check()
        except ComputeError as error:
            log.warning("cluster away", code=error.code, error=error.message)
        finally:
            self._heard_at = time.monotonic()
            self._is_checking = False

    def _note(self, error: ComputeError, process: NurseryProcess | None) -> None:
        self._heard_at = time.monotonic()
        if not error.is_outage:
            return
        self._away = (time.monotonic(), error)
        with self._lock:
            if self._process is process:
                self._process = None  # the next one connects anew
        if process:
            process.retire()

    def _rented(self) -> NurseryProcess:
        if find_spec("ray") is None:
            message = f"KB_RAY__ADDRESS is set and ray is not installed: {install_command('ray')}"
            raise ComputeError(message, code=UNAVAILABLE)
        settings = self._settings
        with self._lock:
            if self._process is None or not self._process.is_alive:
                command = (_BRIDGE, settings.address, settings.actors, settings.cpus,
                           settings.start_s)  # fmt: skip
                words = tuple(str(word) for word in command)
                self._process = NurseryProcess(self._folder, words, _KEPT_VARIABLES)
            self._process.rent()
            return self._process

    def _told(self, connection: socket.socket) -> Iterator[Message | None]:
        """Yield messages up to the one that ends the request; raise what that tells."""
        heard_at, patience_s = time.monotonic(), self._settings.start_s + _SILENCE_S
        for message in _messages(connection):
            if message is None and time.monotonic() - heard_at > patience_s:
                told = f"{self._settings.address} did not answer within {patience_s:g} s"
                raise ComputeError(told, code=UNAVAILABLE)
            if message is not None:
                heard_at = self._heard_at = time.monotonic()
                if "error" in message:
                    raise told_error(message["error"])
            yield message
            if message is not None and "result" in message:
                return
        told = f"the connection to the cluster at {self._settings.address} broke off"
        raise ComputeError(told, code=UNAVAILABLE)


@contextmanager
def _opened(process: NurseryProcess) -> Iterator[socket.socket]:
    try:
        connection = process.connect()
    except OSError as error:
        raise ComputeError("the bridge to the cluster ended", code=UNAVAILABLE) from error
    with connection:
        yield connection


def _messages(connection: socket.socket) -> Iterator[Message | None]:
    """Yield messages until the other side closes, None when there was none for a moment."""
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            line, found, rest = buffer.partition(b"\n")
            if found:
                buffer = rest
                yield json.loads(line)
                continue
            if not selector.select(_POLL_S):
                yield None
                continue
            try:
                data = connection.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            buffer += data
