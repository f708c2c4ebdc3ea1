"""`kb serve`, `kb worker`, `kb answerer`: the processes of a running service.

The server answers, and processes beside it that only read; the worker process ingests, so that
neither blocks the other. The server restarts those that died; a worker whose server is gone ends
after its present job, an answerer at once.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from kb_service.cli.session import load_settings, private_files, reported_errors, say

if TYPE_CHECKING:
    from socket import socket

    from kb_service.answerers.crew import Crew
    from kb_service.operations import Services
    from kb_service.services.answering import AnsweringService
    from kb_service.settings import Settings

STOP_GRACE_S = 10.0
WORKER_WRITE_WAIT_S = 30.0
"""The worker may wait longer for its turn to write than a person who looks at a page."""

COMPUTING_TURN_S = 0.0005
"""How long a thread that computes may keep the interpreter from the server's loop: a tenth of what
is usual, for the loop waits so long at each system call, and a new connection has six."""

FOLLOW_EVERY_S = 1.0
"""Pause between two looks for what was committed since."""


class Kept(Protocol):
    """Processes that live as long as the server does."""

    def start(self) -> None:
        """Start them."""

    def stop(self) -> None:
        """End them."""


@contextmanager
def out_of_the_collectors_sight() -> Iterator[None]:
    """Keep the collector from what is imported, now and later: it stays as long as the process."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind (default 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to bind (default 8000).", min=0, max=65535)
    ] = None,
    demo: Annotated[bool, typer.Option(help="Load the demo base when there is no base.")] = True,
    worker: Annotated[bool, typer.Option(help="Run an ingest worker beside the server.")] = True,
) -> None:
    """Serve the page and the API, with an ingest worker beside it."""
    with reported_errors(), private_files():
        with out_of_the_collectors_sight():
            from api.server import bind
            from kb_service.answerers.crew import Crew
            from kb_service.answerers.number import at_once, num_answerers
            from kb_service.bootstrap import open_services
            from kb_service.cli.logs import configure_logs
            from kb_service.kept_process import KeptProcess

        settings = load_settings()
        changes = {"host": host, "port": port}
        settings = settings.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        configure_logs(settings.log_level)
        # The HTTP server ends by its signal once more; the private folders must be closed first.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        sockets = bind(settings, lambda: _were_keys_made(settings))
        services = open_services(settings)
        if services.starting.prepare(with_demo=demo):
            say("First start: loading the demo knowledge base in the background.")
        readiness = services.readiness
        crew = Crew(num_answerers(settings), at_once(settings), lambda: not readiness.waiting())
        may_start = services.starting.can_write
        supervisor = KeptProcess("worker-supervisor", _start_worker, may_start=may_start)
        _listen(_shared(services, crew), sockets, supervisor if worker else None, crew)


def _were_keys_made(settings: "Settings") -> bool:
    """True when the database holds a key, so that a service over it asks for one."""
    from kb_service.bootstrap import open_services

    services = open_services(settings)
    try:
        return services.keys.are_needed()
    finally:
        services.close()


def _shared(services: "Services", crew: "Crew") -> "Services":
    """Return the services with what can be computed elsewhere shared out."""
    from kb_service.answerers.number import has_own_model
    from kb_service.answerers.sharing import shared_draft, shared_search

    def answering() -> "AnsweringService":
        own = services.answering()
        return own.through(shared_draft(crew, own.draft))

    searching = services.searching
    found = searching.through(shared_search(crew, searching.search))
    if has_own_model(services.settings.llm):
        return replace(services, searching=found)
    return replace(services, searching=found, answering=answering)


def _listen(
    services: "Services",
    sockets: "list[socket]",
    supervisor: Kept | None,
    crew: Kept | None = None,
) -> None:
    from api.server import make_server

    server = make_server(services)
    sys.setswitchinterval(COMPUTING_TURN_S)
    ended = threading.Event()
    # Answering processes load the same models: this one is ready first.
    then = crew.start if crew else None
    warm_up = threading.Thread(target=_warm_up, args=(services, then), name="warm-up", daemon=True)
    follower = threading.Thread(
        target=_follow, args=(services, warm_up, ended), name="follower", daemon=True
    )
    warm_up.start()
    follower.start()
    try:
        if supervisor:
            supervisor.start()
        address = f"{_shown_host(services.settings.host)}:{sockets[0].getsockname()[1]}"
        say(f"kb-service is at http://{address}  (stop: Ctrl-C)")
        server.run(sockets)
    finally:
        ended.set()
        for processes in filter(None, (supervisor, crew)):
            processes.stop()
        follower.join(STOP_GRACE_S)
        services.close()


def _warm_up(
    services: "Services", then: Callable[[], None] | None = None, *, publishes: bool = True
) -> None:
    """Load what a question needs, and keep the collector from what stands then.

    It would look through a few hundred thousand objects, and stop the server for as long, whenever
    a crowd of new connections made a quarter as many.
    """
    services.readiness.warm_up(publishes=publishes)
    gc.collect()
    gc.freeze()
    if then:
        then()


def _follow(services: "Services", warm_up: threading.Thread, ended: threading.Event) -> None:
    """Bring what the worker commits into the open indexes meanwhile: no question waits for it."""
    while not ended.wait(FOLLOW_EVERY_S):
        if warm_up.is_alive():
            continue
        services.readiness.follow()
        services.keys.note_uses()


def _keep_up(services: "Services", ended: threading.Event) -> None:
    """Do for an answerer's indexes what `_follow` does for the server's."""
    while not ended.wait(FOLLOW_EVERY_S):
        services.readiness.follow()


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _start_worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kb_service.cli", "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(command)


def worker(
    parent: Annotated[int, typer.Option(help="End when this process is gone.", hidden=True)] = 0,
) -> None:
    """Ingest queued documents until stopped (kb serve starts one by itself)."""
    with reported_errors(), private_files():
        with out_of_the_collectors_sight():
            from kb_service.bootstrap import open_services
            from kb_service.cli.logs import configure_logs
            from kb_service.schemas.watches import posted_json

        settings = load_settings()
        configure_logs(settings.log_level)
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        services = open_services(settings, WORKER_WRITE_WAIT_S)
        services.starting.work_until(
            lambda: stopped.is_set() or (parent != 0 and os.getppid() != parent),
            posted_json,
        )
        services.close()


def answerer(
    control: Annotated[int, typer.Argument(help="Number of an open socket.", min=0)],
) -> None:
    """Search and answer for the server at the other end of a socket (kb serve starts these)."""
    with reported_errors(), private_files():
        with out_of_the_collectors_sight():
            from socket import socket

            from kb_service.answerers.number import settings_of_answerers
            from kb_service.answerers.process import AnsweringProcess
            from kb_service.bootstrap import open_services
            from kb_service.cli.logs import configure_logs

        settings = settings_of_answerers(load_settings())
        configure_logs(settings.log_level)
        services = open_services(settings)
        _warm_up(services, publishes=False)
        if waiting := services.readiness.waiting():
            raise next(iter(waiting.values()))
        ended = threading.Event()
        follower = threading.Thread(target=_keep_up, args=(services, ended), daemon=True)
        follower.start()
        server = socket(fileno=control)
        AnsweringProcess(server, services.answering, services.searching).serve()
        ended.set()
        follower.join(STOP_GRACE_S)
        services.close()
