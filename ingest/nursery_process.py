"""NurseryProcess: the service's side of `nursery`: started, rented, retired, killed.

Other processes that are told their requests in the same way are started by it as well.

Knows how the process is started and what it may know of its surroundings; knows no requests.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import ingest
from ingest.nursery import END

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "HOME", "PYTHONDONTWRITEBYTECODE", "TZ")


class NurseryProcess:
    """One running nursery. A retired one ends with its last request.

    `command`: the module to run, and its arguments after socket and folder. `kept`: beginnings of
    the names of variables that it is also told.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str] = ("ingest.nursery",),
        kept: tuple[str, ...] = (),
    ) -> None:
        self._lock = threading.Lock()
        self._num_rented = 0
        self._is_retired = False
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", command[0], str(number), str(folder), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=_environment(folder, kept),
                pass_fds=(number,),
                umask=0o077,
                # Ctrl-C is for the service, which ends it in order. Not a session of its own: where
                # Linux shares the cores out by session first, its niceness would be worth nothing.
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def connect(self) -> socket.socket:
        """Return a connection for one request. Raises OSError when the process is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                with self._lock:
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def rent(self) -> None:
        """Count a request that will use this nursery."""
        with self._lock:
            self._num_rented += 1

    def release(self) -> None:
        """Take back one `rent`."""
        with self._lock:
            self._num_rented -= 1
        self._end_when_unused()

    def retire(self) -> None:
        """End when the last request has ended."""
        with self._lock:
            self._is_retired = True
        self._end_when_unused()

    def kill(self) -> None:
        """End it now, with everything it runs."""
        with contextlib.suppress(OSError):
            self._control.sendall(END)  # it kills its children and ends
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()

    def _end_when_unused(self) -> None:
        with self._lock:
            is_over = self._is_retired and self._num_rented == 0
        if is_over:
            self.kill()


def _environment(folder: Path, also: tuple[str, ...]) -> dict[str, str]:
    """Return what the process may know: no keys, no proxies, one thread per library."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith(also)
    }
    root = str(Path(ingest.__file__ or "").resolve().parent.parent)
    return {
        **kept,
        "PYTHONPATH": root,
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
    }
