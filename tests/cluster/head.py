"""A cluster of Ray on this machine that tests start, look into and kill. Needs the extra `ray`."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

START_S = 120


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Head:
    """One node with room for four actors; `address` reaches it from outside."""

    def __init__(self) -> None:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        self._ports = (_free_port(), _free_port())
        self.address = f"ray://127.0.0.1:{self._ports[1]}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, or start again under the same address."""
        port, client_port = self._ports
        command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"]
        options = ["--head", "--block", "--disable-usage-stats", "--num-cpus=4", f"--port={port}",
                   f"--ray-client-server-port={client_port}", "--include-dashboard=false",
                   "--object-store-memory=268435456", "--node-ip-address=127.0.0.1"]  # fmt: skip
        self._process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KB_API_KEYS__X": "not for actors"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", client_port)) == 0:
                    return
            time.sleep(0.2)
        raise TimeoutError("Ray did not start")

    def kill(self) -> None:
        """Kill every process of the cluster."""
        if self._process is None:
            return
        for pid in [*descendants(self._process.pid), self._process.pid]:
            _kill(pid)
        self._process.wait()
        self._process = None

    def actors(self) -> list[int]:
        """The processes that are actors of ours."""
        if self._process is None:
            return []
        return [pid for pid in descendants(self._process.pid) if _title(pid).startswith("ray::Act")]


def descendants(root: int) -> list[int]:
    """Every process under one, the youngest last."""
    parents = dict(_parents())
    found = [root]
    for parent in found:
        found += [pid for pid, its in parents.items() if its == parent]
    return found[1:]


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            yield int(folder.name), int(stat.rpartition(")")[2].split()[1])


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
