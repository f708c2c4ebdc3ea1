"""A real service for measurements: `kb serve` as a subprocess on a free port and a data folder.

Knows processes and HTTP; knows nothing of the code inside.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

READY_TIMEOUT_S = 60.0


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """One `kb serve` process; `client` speaks to it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        log: Path | None = None,
        prefix: Sequence[str] = (),
        options: Sequence[str] = ("--no-demo",),
        folder: Path | None = None,
        **settings: str,
    ) -> None:
        """`prefix`: a command that starts the server in its own place, such as `prlimit`.

        `options`: of `kb serve`. `folder`: of the source tree, None: where this process runs.
        """
        self._folder = folder
        self.data_dir = data_dir
        self.port = free_port()
        self._prefix = prefix
        self._options = options
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KB_")},
            "KB_DATA_DIR": str(data_dir),
            "KB_PORT": str(self.port),
            **settings,
        }
        self._log = log or data_dir.parent / f"{data_dir.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)

    def start(self) -> float:
        """Start the server and return the seconds until it answered /healthz."""
        started = time.monotonic()
        with self._log.open("ab") as log:
            serve = [sys.executable, "-m", "kb_service.cli", "serve", *self._options]
            command = [*self._prefix, *serve]
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        while time.monotonic() - started < READY_TIMEOUT_S:
            try:
                if self.client.get("/healthz").status_code == httpx.codes.OK:
                    return time.monotonic() - started
            except httpx.TransportError:
                pass
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        raise TimeoutError(f"not ready after {READY_TIMEOUT_S} s: {self._log.read_text()[-2000:]}")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run one `kb` command on the same data folder."""
        command = [sys.executable, "-m", "kb_service.cli", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, check=False)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker of its own beside the server; the caller ends it."""
        command = [sys.executable, "-m", "kb_service.cli", "worker"]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        """Process id of the server, 0 while it is stopped."""
        return self._process.pid if self._process else 0

    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers of this server."""
        listing = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        return [int(line.split()[0]) for line in listing.splitlines() if " worker " in f"{line} "]

    def kill(self, target: str) -> None:
        """Send SIGKILL to the `server`, the `worker` or `both`."""
        workers = self.worker_pids()
        if target in ("worker", "both"):
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
        if target in ("server", "both") and self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server in good order."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)
        self._process = None

    def create_kb(self, name: str) -> str:
        """Create a base and return its id."""
        response = self.client.post("/kb", json={"name": name})
        response.raise_for_status()
        return str(response.json()["id"])

    def upload(self, kb: str, files: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
        """Upload files and return the items of the answer."""
        parts = [("files", (name, data)) for name, data in files]
        response = self.client.post(f"/kb/{kb}/documents", files=parts)
        if response.status_code not in (202, 422):
            response.raise_for_status()
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    def documents(self, kb: str) -> list[dict[str, Any]]:
        """Return every document of a base."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            page = self.client.get(f"/kb/{kb}/documents", params=query).raise_for_status().json()
            found.extend(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def totals(self, kb: str) -> dict[str, int]:
        """Return how many documents of a base there are by status."""
        listed = self.client.get(f"/kb/{kb}/documents", params={"limit": 1}).raise_for_status()
        counts: dict[str, int] = listed.json()["totals"]
        return counts

    def wait_idle(self, kb: str, timeout_s: float = 900) -> list[dict[str, Any]]:
        """Wait until no document is pending or processing and return all documents."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            documents = self.documents(kb)
            if all(item["status"] not in ("pending", "processing") for item in documents):
                return documents
            time.sleep(0.25)
        raise TimeoutError(f"documents still in work after {timeout_s} s")


@contextmanager
def running_service(data_dir: Path, **settings: str) -> Iterator[Service]:
    """Start a service and stop it at the end."""
    service = Service(data_dir, **settings)
    service.start()
    try:
        yield service
    finally:
        service.stop()
