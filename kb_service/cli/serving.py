"""`kb serve` and `kb worker`: the two processes of a running service.

The server process answers; the worker process beside it ingests, so that neither blocks the other.
The server restarts a worker that died; a worker whose server is gone ends after its present job.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import load_settings, private_files, reported_errors, say

if TYPE_CHECKING:
    from socket import socket

    from kb_service.operations import Services
    from kb_service.settings import Settings

RESTART_PAUSE_S = 1.0
MAX_RESTART_PAUSE_S = 30.0
"""Pause between workers that end with an error of their own, such as a corrupt model."""

STOP_GRACE_S = 10.0
WORKER_WRITE_WAIT_S = 30.0
"""The worker may wait longer for its turn to write than a person who looks at a page."""

COMPUTING_TURN_S = 0.0005
"""How long a thread that computes may keep the interpreter from the server's loop: a tenth of what
is usual, for the loop waits so long at each system call, and a new connection has six."""

COLLECT_EVERY = 50_000
"""New objects between two looks of the collector: a count over many documents makes a few hundred
thousand at once, and half of its time went into looking at them again and again."""

FOLLOW_EVERY_S = 1.0
"""Pause between two looks for what was committed since."""

LOOK_EVERY_S = 5.0
"""Pause between two looks whether anything can be written, before there is a worker."""


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
        from api.server import bind
        from kb_service.bootstrap import open_services
        from kb_service.cli.logs import configure_logs

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
        supervisor = WorkerSupervisor(services.starting.can_write) if worker else None
        _listen(services, sockets, supervisor)


def _were_keys_made(settings: "Settings") -> bool:
    """True when the database holds a key, so that a service over it asks for one."""
    from kb_service.bootstrap import open_services

    services = open_services(settings)
    try:
        return services.keys.are_needed()
    finally:
        services.close()


def _listen(
    services: "Services", sockets: "list[socket]", supervisor: "WorkerSupervisor | None"
) -> None:
    from api.server import make_server

    server = make_server(services)
    sys.setswitchinterval(COMPUTING_TURN_S)
    ended = threading.Event()
    warm_up = threading.Thread(target=_warm_up, args=(services,), name="warm-up", daemon=True)
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
        if supervisor:
            supervisor.stop()
        follower.join(STOP_GRACE_S)
        services.close()


def _warm_up(services: "Services") -> None:
    """Load what a question needs, and keep the collector from what stands then.

    It would look through a few hundred thousand objects, and stop the server for as long, whenever
    a crowd of new connections made a quarter as many.
    """
    services.readiness.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)


def _follow(services: "Services", warm_up: threading.Thread, ended: threading.Event) -> None:
    """Bring what the worker commits into the open indexes meanwhile: no question waits for it."""
    while not ended.wait(FOLLOW_EVERY_S):
        if warm_up.is_alive():
            continue
        services.readiness.follow()
        services.keys.note_uses()


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class WorkerSupervisor:
    """Keeps one worker process alive: starts it, restarts it when it dies, stops it at the end.

    While nothing can be written there is none.
    """

    def __init__(self, can_write: Callable[[], bool]) -> None:
        self._can_write = can_write
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="worker-supervisor", daemon=True)

    def start(self) -> None:
        """Start the worker and watch it."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the worker to end after its present job; kill it past the grace time."""
        with self._starting:
            self._stopping.set()
            process = self._process
        if process and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _watch(self) -> None:
        command = [sys.executable, "-m", "kb_service.cli", "worker", "--parent", str(os.getpid())]
        pause_s = RESTART_PAUSE_S
        while True:
            while not self._can_write() and not self._stopping.wait(LOOK_EVERY_S):
                pass
            with self._starting:
                if self._stopping.is_set():
                    return
                self._process = subprocess.Popen(command)
            was_killed = self._process.wait() <= 0  # negative: by a signal
            pause_s = RESTART_PAUSE_S if was_killed else min(2 * pause_s, MAX_RESTART_PAUSE_S)
            self._stopping.wait(pause_s)


def worker(
    parent: Annotated[int, typer.Option(help="End when this process is gone.", hidden=True)] = 0,
) -> None:
    """Ingest queued documents until stopped (kb serve starts one by itself)."""
    with reported_errors(), private_files():
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
