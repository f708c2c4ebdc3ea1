"""Nudges between processes: somebody committed in a base. LISTEN and NOTIFY of PostgreSQL.

Nobody relies on one: who waits also looks from time to time. A nudge is sent after the commit, by a
thread of its own: a NOTIFY inside of the transaction would make all commits wait for each other.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

CHANNEL = "kb_service"
GATHER_S = 0.05
"""What is committed within it makes one nudge a base."""

HEAR_S = 2.0
CLOSE_S = 1.0
RETRY_S = 5.0
PATIENCE = 6
"""So many times longer is waited for a job where nudges are heard."""

_QUEUED = "a job was queued in this transaction"
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', :told)")
_OUT = "nudges out"
_JOB, _OTHER = "job ", "other "
log = structlog.get_logger("storage")

Wake = Callable[[], None]


def note_queued(connection: Connection) -> None:
    """Note that this transaction queues a job, so that its commit wakes workers."""
    connection.info[_QUEUED] = True


def has_queued(connection: Connection) -> bool:
    """True once where a job was noted on this connection."""
    return bool(connection.info.pop(_QUEUED, False))


class Nudges:
    """What one process sends and hears. Safe between threads; both threads start when needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._unsent: set[str] = set()
        self._came, self._ended, self._job_came = (threading.Event() for _ in range(3))
        self._listeners: dict[object, tuple[str, Wake]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self.is_heard = False
        """True while nudges of other processes come in."""

    def tell(self, kb_id: str, *, has_job: bool) -> None:
        """Send soon that something was committed in a base; "": in any."""
        with self._lock:
            self._unsent.add(f"{_JOB if has_job else _OTHER}{kb_id}")
        self._came.set()
        self._start(_OUT, self._send)

    def wait_for_job(self, seconds: float) -> None:
        """Wait until a job is queued, at most so long; longer where nudges are heard."""
        self._start("nudges in", self._hear)
        self._job_came.wait(seconds * PATIENCE if self.is_heard else seconds)
        self._job_came.clear()

    @contextmanager
    def waking(self, kb_id: str, wake: Wake) -> Iterator[None]:
        """Call `wake`, from another thread, whenever something was committed in a base."""
        self._start("nudges in", self._hear)
        key = object()
        with self._lock:
            self._listeners[key] = (kb_id, wake)
        try:
            yield
        finally:
            with self._lock:
                del self._listeners[key]

    def close(self) -> None:
        """Send what is not sent yet; hear no more."""
        self._ended.set()
        self._came.set()
        if (sender := self._threads.get(_OUT)) is not None:
            sender.join(CLOSE_S)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        with self._lock:
            if name not in self._threads:
                self._threads[name] = threading.Thread(target=work, name=name, daemon=True)
                self._threads[name].start()

    def _send(self) -> None:
        while not self._ended.is_set():
            self._came.wait()
            self._ended.wait(GATHER_S)
            self._came.clear()
            with self._lock:
                told, self._unsent = sorted(self._unsent), set()
            try:
                with self._engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT")
                    for one in told:
                        connection.execute(_NOTIFY, {"told": one})
            except SQLAlchemyError as error:
                log.debug("nudge not sent", error=str(error))

    def _hear(self) -> None:
        while not self._ended.is_set():
            try:
                self._hear_until_lost()
            except (SQLAlchemyError, self._driver_error()) as error:
                log.debug("nudges not heard", error=str(error))
            self.is_heard = False
            self._pass_on(_JOB)  # whatever was missed
            self._ended.wait(RETRY_S)

    def _driver_error(self) -> type[Exception]:
        error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return error

    def _hear_until_lost(self) -> None:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()  # it is kept for long, beside those that the pool counts
        try:
            connection.rollback()
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self.is_heard = True
            self._pass_on(_JOB)  # what came before
            while not self._ended.is_set():
                for heard in connection.notifies(timeout=HEAR_S):
                    self._pass_on(heard.payload)
                connection.execute("SELECT 1")  # raises where the server is gone
        finally:
            connection.close()

    def _pass_on(self, told: str) -> None:
        kind, _, kb_id = told.partition(" ")
        if f"{kind} " == _JOB:
            self._job_came.set()
        with self._lock:
            wakes = [wake for mine, wake in self._listeners.values() if kb_id in ("", mine)]
        for wake in wakes:
            with suppress(RuntimeError):  # its loop has ended
                wake()
