"""A process that is kept alive: started, started again when it dies, ended in order.

Knows processes and pauses; knows nothing of what they do.
"""

import subprocess
import threading
from collections.abc import Callable

RESTART_PAUSE_S = 1.0
MAX_RESTART_PAUSE_S = 30.0
"""Pause between processes that end with an error of their own, such as a corrupt model."""

STOP_GRACE_S = 10.0
LOOK_EVERY_S = 5.0
"""Pause between two looks whether the process may be started."""


def always() -> bool:
    """Say that it may be started now."""
    return True


class KeptProcess:
    """One process, which a thread watches.

    `start` starts it; `attend` is called after that, and may wait for what the process says.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes]],
        *,
        may_start: Callable[[], bool] = always,
        attend: Callable[[], None] = lambda: None,
    ) -> None:
        self._start = start
        self._may_start = may_start
        self._attend = attend
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """True while there is a process."""
        process = self._process
        return process is not None and process.poll() is None

    def start(self) -> None:
        """Start the process and watch it."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the process to end; kill it past the grace time."""
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
        pause_s = RESTART_PAUSE_S
        while True:
            while not self._may_start() and not self._stopping.wait(LOOK_EVERY_S):
                pass
            with self._starting:
                if self._stopping.is_set():
                    return
                self._process = self._start()
            self._attend()
            was_killed = self._process.wait() <= 0  # negative: by a signal
            pause_s = RESTART_PAUSE_S if was_killed else min(2 * pause_s, MAX_RESTART_PAUSE_S)
            self._stopping.wait(pause_s)
