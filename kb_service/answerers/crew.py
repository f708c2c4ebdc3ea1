"""The server's side: the processes that answer for it, which of them has least to do, and what
happens when one dies.

Knows processes and how much each has to do; how a request is answered is theirs.
"""

import contextlib
import select
import socket
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from kb_service.answerers.process import READY
from kb_service.answerers.wire import Failure, Kind, receive, send
from kb_service.domain.chats import never
from kb_service.domain.queries import RetrievalResult
from kb_service.kept_process import KeptProcess, always
from kb_service.services.asking import Drafted, Drafting, Inquiry
from kb_service.services.searching import SearchRequest

LOOK_EVERY_S = 0.1
"""How soon it is noticed, while no reply comes, that nobody wants one any more."""

COMMAND = (sys.executable, "-m", "kb_service.cli", "answerer")

log = structlog.get_logger("answerers")


class AnswererLost(Exception):
    """The process died, or ended, before it had answered."""


class Cancelled(Exception):
    """Nobody wants the answer any more."""


class Answerer:
    """One process that answers, kept alive."""

    def __init__(self, number: int, may_start: Callable[[], bool] = always) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._is_ready = False
        self._kept = KeptProcess(
            f"answerer-{number}", self._begin, may_start=may_start, attend=self._attend
        )

    @property
    def is_ready(self) -> bool:
        """True when it has loaded its models and lives."""
        return self._is_ready and self._kept.is_alive

    def start(self) -> None:
        """Start the process, and a new one whenever it dies."""
        self._kept.start()

    def stop(self) -> None:
        """End it."""
        self._kept.stop()
        self._give_up_control()

    def draft(self, inquiry: Inquiry) -> Drafting:
        """Have an answer made. Raises AnswererLost, Cancelled, and what making it raises."""
        replies = self._replies(Kind.ASK, inquiry, inquiry.request.cancelled)
        with contextlib.closing(replies):
            for kind, value in replies:
                if kind is Kind.DRAFTED:
                    drafted: Drafted = value
                    return drafted
                yield value
        raise AnswererLost

    def search(self, request: SearchRequest) -> RetrievalResult:
        """Have chunks found. Raises AnswererLost, and what searching raises."""
        with contextlib.closing(self._replies(Kind.SEARCH, request, never)) as replies:
            found: RetrievalResult
            for _, found in replies:
                return found
        raise AnswererLost

    def _replies(
        self, kind: Kind, value: object, is_unwanted: Callable[[], bool]
    ) -> Generator[tuple[Kind, Any], None, None]:
        with self._connected() as connection:
            try:
                send(connection, kind, value)
                while True:
                    while not select.select([connection], (), (), LOOK_EVERY_S)[0]:
                        if is_unwanted():
                            raise Cancelled
                    told, reply = receive(connection)
                    if isinstance(reply, Failure):
                        raise reply.error()
                    yield told, reply
            except (OSError, EOFError) as error:
                raise AnswererLost from error

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        """Give a connection for one request; closing it cancels the request."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._lock:
                if self._control is None:
                    raise AnswererLost
                try:
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                except OSError as error:
                    raise AnswererLost from error
            yield ours

    def _begin(self) -> subprocess.Popen[bytes]:
        self._is_ready = False
        self._give_up_control()
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            process = subprocess.Popen(
                [*COMMAND, str(number)],
                stdin=subprocess.DEVNULL,
                pass_fds=(number,),
                process_group=0,  # Ctrl-C is for the server, which ends it in order
            )
        with self._lock:
            self._control = ours
        return process

    def _attend(self) -> None:
        control = self._control
        if control is None:
            return
        with contextlib.suppress(OSError):
            self._is_ready = control.recv(1) == READY
        if self._is_ready:
            log.info("an answering process is ready")

    def _give_up_control(self) -> None:
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None


Member = Answerer | None
"""Who answers; None: the server itself."""


class Crew:
    """The answering processes of a server, which answers itself beside them.

    `at_once`: the answers that each of them makes at a time; None: as many as are asked for.
    `may_start`: whether a process that is started now would find what it needs.
    """

    def __init__(
        self, num: int, at_once: int | None = None, may_start: Callable[[], bool] = always
    ) -> None:
        self.answerers = tuple(Answerer(number, may_start) for number in range(1, num + 1))
        self._at_once = at_once
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._num_drafts: Counter[Member] = Counter()
        self._num_searches: Counter[Member] = Counter()

    def start(self) -> None:
        """Start the processes."""
        for answerer in self.answerers:
            answerer.start()

    def stop(self) -> None:
        """End the processes."""
        for answerer in self.answerers:
            answerer.stop()

    @contextmanager
    def searching(self) -> Iterator[Member]:
        """Give whoever has least to do for one search."""
        with self._changed:
            chosen = min(self._present(), key=lambda one: sum(self._num_of(one)))
            self._num_searches[chosen] += 1
        try:
            yield chosen
        finally:
            self._done(self._num_searches, chosen)

    @contextmanager
    def drafting(self, is_unwanted: Callable[[], bool]) -> Iterator[Member]:
        """Give whoever has least to do, as soon as one has room; who came first is first.

        Searches keep no answer waiting. Raises Cancelled.
        """
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            try:
                while (chosen := self._free(ticket)) is None:
                    if is_unwanted():
                        raise Cancelled
                    self._changed.wait(LOOK_EVERY_S)
                self._num_drafts[chosen[0]] += 1
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()
        try:
            yield chosen[0]
        finally:
            self._done(self._num_drafts, chosen[0])

    def _free(self, ticket: object) -> tuple[Member] | None:
        """Return who makes the answer of a ticket; None when it is not its turn."""
        if self._line[0] is not ticket:
            return None
        chosen = min(self._present(), key=self._num_of)
        is_full = self._at_once is not None and self._num_drafts[chosen] >= self._at_once
        return None if is_full else (chosen,)

    def _present(self) -> list[Member]:
        """Return who can answer: the server last, which has its callers to hear."""
        return [*(one for one in self.answerers if one.is_ready), None]

    def _num_of(self, one: Member) -> tuple[int, int]:
        return self._num_drafts[one], self._num_searches[one]

    def _done(self, counted: Counter[Member], chosen: Member) -> None:
        with self._changed:
            counted[chosen] -= 1
            self._changed.notify_all()
