"""The bridge: `python -m kb_service.cluster.bridge FD FOLDER ADDRESS ACTORS CPUS START_S`.

The one process that Ray knows: when a cluster goes away, Ray ends the processes that use it, and
this one may go. Over the socket FD come connections, one for each request, as to a nursery; a
closed connection ends its request. END, or the end of FD, ends the process and with it its actors.
"""

import contextlib
import functools
import json
import os
import select
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from ingest.child import failure
from ingest.nursery import END, read_request
from kb_service.cluster.actor import Actor, code_fingerprint
from kb_service.cluster.exchange import Message, carry
from kb_service.domain.errors import ComputeError

_POLL_S = 0.25
_LISTENS_WITHIN_S = 5.0
_TOKENS = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
_LOCAL = "local"
Handle = Any
"""An actor as Ray hands it out; Ray has no types."""

_LOCAL_STORE_BYTES = 256 << 20  # pieces of files pass through it, nothing stays


class Actors:
    """The actors of this process, made as they are needed, each lent to one request at a time."""

    def __init__(self, ray: ModuleType, max_actors: int, num_cpus: float, start_s: float) -> None:
        self._ray = ray
        self._max = max_actors
        self._start_s = start_s
        # No restarts: what an actor knew of its request is gone with it.
        self._make = ray.remote(Actor).options(num_cpus=num_cpus, max_restarts=0).remote
        self._failures = (ray.exceptions.RayError, ConnectionError)
        self._changed = threading.Condition()
        self._idle: list[Handle] = []
        self._num = 0

    @property
    def num_busy(self) -> int:
        """How many work, or are being made."""
        with self._changed:
            return self._num - len(self._idle)

    def lend(self) -> tuple[Handle, bool] | None:
        """Return an actor for one request, and whether it is new; None when none was free."""
        with self._changed:
            if not self._idle and self._num >= self._max:
                self._changed.wait(_POLL_S)
            if self._idle:
                return self._idle.pop(), False
            if self._num >= self._max:
                return None
            self._num += 1
        return self._make(), True

    def take_back(self, actor: Handle) -> None:
        """Have an actor for the next request."""
        with self._changed:
            self._idle.append(actor)
            self._changed.notify()

    def drop(self, actor: Handle) -> None:
        """End an actor that died, or that does not answer."""
        with contextlib.suppress(Exception):  # it may be gone, and the cluster with it
            self._ray.kill(actor)
        with self._changed:
            self._num -= 1
            self._changed.notify()

    def said_hello(self, actor: Handle) -> Iterator[Message | None]:
        """Yield None while an actor starts, then what it says of itself. Raises ComputeError."""
        until = time.monotonic() + self._start_s
        try:
            reference = actor.hello.remote()
            while not self._ray.wait([reference], timeout=_POLL_S)[0]:
                if time.monotonic() > until:
                    message = f"no actor began within {self._start_s:g} s: is there room for one?"
                    raise ComputeError(message, code="compute_unavailable")
                yield None
            told: Message = json.loads(self._ray.get(reference))
        except self._failures as error:
            message = f"no actor can be started: {_first_line(error)}"
            raise ComputeError(message, code="compute_unavailable") from error
        if told["code"] != code_fingerprint():
            message = f"{told['host']} runs another version of this program"
            raise ComputeError(message, code="compute_differs")
        yield told

    def call(self, actor: Handle, method: str, *arguments: str | bytes | int) -> object:
        """Return what a method of an actor returns. Raises ComputeError when it is lost."""
        try:
            reference = getattr(actor, method).remote(*arguments)
            return self._ray.get(reference, timeout=self._start_s)
        except self._failures as error:
            raise ComputeError(f"the actor was lost: {_first_line(error)}") from error


class Bridge:
    """Serves requests, a thread for each, until its control socket closes."""

    def __init__(self, control: socket.socket, connect: Callable[[], Actors]) -> None:
        self._control = control
        self._connect = connect
        self._lock = threading.Lock()
        self._actors: Actors | None = None

    def serve(self) -> bool:
        """Take connections until there will be no more; True when nobody said so."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
            if data in (b"", END):
                return not data
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            request = read_request(connection)
            if request is None:
                return
            try:
                for message in self._messages(request, functools.partial(_is_closed, connection)):
                    connection.sendall(json.dumps(message).encode() + b"\n")
            except ComputeError as error:
                with contextlib.suppress(OSError):
                    connection.sendall(json.dumps(failure(error)).encode() + b"\n")
            except OSError:  # nobody listens any more
                return

    def _messages(
        self, request: dict[str, Any], is_unwanted: Callable[[], bool]
    ) -> Iterator[Message]:
        with self._lock:
            actors = self._actors = self._actors or self._connect()
        if request["command"] == "hello" and (num_busy := actors.num_busy):
            yield {"hello": {"num_busy": num_busy}, "result": True}
            return
        lent = yield from _lent(actors, is_unwanted)
        if lent is None:
            return
        actor, told = lent
        is_whole = True
        try:
            if request["command"] == "hello":
                yield {"hello": told, "result": True}
                return
            yield {"begun": True}
            messages = carry(functools.partial(actors.call, actor), request, is_unwanted)
            with contextlib.closing(messages):
                for message in messages:
                    is_whole = not _is_lost(message)
                    yield message
        except ComputeError:  # it did not stop
            is_whole = False
            raise
        finally:
            actors.take_back(actor) if is_whole else actors.drop(actor)


def _lent(
    actors: Actors, is_unwanted: Callable[[], bool]
) -> Generator[Message, None, tuple[Handle, Message] | None]:
    """Yield while none is free; return an actor that answers, and what it says of itself."""
    while not is_unwanted():
        lent = actors.lend()
        if lent is None:
            yield {"waiting": True}
            continue
        actor, is_new = lent
        is_there = False
        try:
            for told in actors.said_hello(actor):
                if told is not None:
                    is_there = True
                    return actor, told
                if is_unwanted():
                    return None
                yield {"waiting": True}
        except ComputeError:
            if is_new:
                raise  # another one died while nobody used it, and costs nothing
        finally:
            if not is_there:
                actors.drop(actor)
    return None


def _is_lost(message: Message) -> bool:
    error = message.get("error")
    return isinstance(error, dict) and error["code"] == ComputeError.default_code


def _is_closed(connection: socket.socket) -> bool:
    """True when the other side is gone: it sends nothing after its request."""
    return bool(select.select([connection], (), (), 0)[0])


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _connected(address: str, max_actors: int, num_cpus: float, start_s: float) -> Actors:
    """Connect to a cluster. Raises ComputeError (compute_unavailable)."""
    _require_listener(address)
    import ray

    own: dict[str, Any] = {}
    if address == _LOCAL:
        own = {
            "num_cpus": max_actors * num_cpus,
            "object_store_memory": _LOCAL_STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False, **own)
    except Exception as error:  # of every kind, by the kind of address
        message = f"no cluster answers at {address}: {_first_line(error)}"
        raise ComputeError(message, code="compute_unavailable") from error
    return Actors(ray, max_actors, num_cpus, start_s)


def _require_listener(address: str) -> None:
    """Say at once that nobody listens: Ray itself would try for a minute."""
    if address == _LOCAL:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_LISTENS_WITHIN_S).close()
    except OSError as error:
        message = f"no cluster answers at {address}: {error.strerror or error}"
        raise ComputeError(message, code="compute_unavailable") from error


def main(arguments: list[str]) -> NoReturn:
    """Serve until the service is gone, and end with all that works for this process."""
    control, folder = socket.socket(fileno=int(arguments[0])), Path(arguments[1])
    address, max_actors, num_cpus, start_s = arguments[2:]
    connect = functools.partial(
        _connected, address, int(max_actors), float(num_cpus), float(start_s)
    )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anybody
    if _TOKENS & os.environ.keys():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # a token alone is not sent
    if Bridge(control, connect).serve():
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
