"""The far side: a process that searches and answers for a server, and keeps nothing of it.

Over the socket `control` come connections, one for each request; a closed one cancels it. The end
of `control` ends the process. Knows sockets and threads; what is answered is the services'.
"""

import select
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from functools import partial

import structlog

from kb_service.answerers.wire import Failure, Kind, receive, send
from kb_service.domain.errors import KbError
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import Inquiry
from kb_service.services.searching import SearchRequest, SearchService

READY = b"R"
Reply = tuple[Kind, object]

log = structlog.get_logger("answerer")


class AnsweringProcess:
    """Serves requests, a thread for each. `answering` loads its models when first called."""

    def __init__(
        self,
        control: socket.socket,
        answering: Callable[[], AnsweringService],
        searching: SearchService,
    ) -> None:
        self._control = control
        self._answering = answering
        self._searching = searching

    def serve(self) -> None:
        """Say that requests can come, and answer them until the server is gone."""
        self._control.sendall(READY)
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
            if not data:
                return
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection:
            try:
                _, value = receive(connection)
            except EOFError:
                return
            with closing(self._replies(value, partial(_is_closed, connection))) as replies:
                for kind, reply in replies:
                    try:
                        send(connection, kind, reply)
                    except OSError:  # nobody wants it any more
                        return

    def _replies(
        self, value: object, is_unwanted: Callable[[], bool]
    ) -> Generator[Reply, None, None]:
        try:
            if isinstance(value, Inquiry):
                yield from self._drafted(value, is_unwanted)
            elif isinstance(value, SearchRequest):
                yield Kind.FOUND, self._searching.search(value)
        except KbError as error:
            yield Kind.FAILED, Failure.of(error)
        except Exception as error:  # outer edge of the process: logged, told as a typed error
            log.exception("answering failed unexpectedly")
            unexpected = KbError(f"unexpected {type(error).__name__}; the log has its trace")
            yield Kind.FAILED, Failure.of(unexpected)

    def _drafted(
        self, inquiry: Inquiry, is_unwanted: Callable[[], bool]
    ) -> Generator[Reply, None, None]:
        request = replace(inquiry.request, cancelled=is_unwanted)
        with closing(self._answering().draft(replace(inquiry, request=request))) as drafting:
            while True:
                try:
                    event = next(drafting)
                except StopIteration as end:
                    yield Kind.DRAFTED, end.value
                    return
                yield Kind.EVENT, event


def _is_closed(connection: socket.socket) -> bool:
    """True when the server is gone, or wants this no more: it sends nothing after its request."""
    return bool(select.select([connection], (), (), 0)[0])
