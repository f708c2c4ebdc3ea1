"""How long /healthz takes while connections, bodies and headers without end arrive.

    python -m benchmarks.siege
    python -m benchmarks.siege --phase half-open-1100 --seconds 40

Each phase has a server of its own that is ready before it begins, started with 1,024 descriptors
where its name says so (a hard limit: it cannot help itself to more), attackers in processes of
their own, and a probe that opens a new connection five times a second. Everything goes to 127.0.0.1
and ends with the phase. Exit code 1 when a probe took longer than a second.
"""

import argparse
import json
import multiprocessing
import os
import resource
import selectors
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.service import Service

PROBE_EVERY_S = 0.2
PROBE_TIMEOUT_S = 10.0
WANTED_S = 1.0
READY_WITHIN_S = 60.0
REOPENED_PER_S = 200
USUAL_DESCRIPTORS = 1024
GIGABYTE = 1 << 30
PIECE = b"a" * 65536
HOST = b"Host: 127.0.0.1\r\n"

Attack = Callable[[int, float], None]
"""Given a port and a moment to end at."""


@dataclass(frozen=True)
class SiegePhase:
    """Attackers that act together, and the descriptors that the server may have (0: as it is).

    With `is_lowered` they are taken from it after its start, so that it has counted on more.
    """

    name: str
    attacks: tuple[Attack, ...]
    max_descriptors: int = 0
    is_lowered: bool = False


def half_open(number: int) -> Attack:
    """That many connections that have sent half a request and wait.

    Those that the server closes are opened anew, REOPENED_PER_S a second.
    """

    def attack(port: int, until: float) -> None:
        _raise_own_limit()
        held: dict[socket.socket, bool] = {}
        waiting = selectors.DefaultSelector()
        allowed = float(number)
        last = time.monotonic()
        while time.monotonic() < until:
            now = time.monotonic()
            allowed, last = allowed + REOPENED_PER_S * (now - last), now
            num_new = min(number - len(held), int(allowed), 500)
            allowed -= num_new
            for _ in range(num_new):
                opened = _begin(port)
                held[opened] = False
                waiting.register(opened, selectors.EVENT_WRITE)
            for key, _ in waiting.select(0.05):
                _advance(key.fileobj, held, waiting)  # type: ignore[arg-type]
        for opened in held:
            opened.close()

    return attack


def _begin(port: int) -> socket.socket:
    opened = socket.socket()
    opened.setblocking(False)  # noqa: FBT003  the name of the standard library
    opened.connect_ex(("127.0.0.1", port))
    return opened


def _advance(
    opened: socket.socket, held: dict[socket.socket, bool], waiting: selectors.BaseSelector
) -> None:
    """Send the half once it can be sent; give up what the server has closed."""
    try:
        if not held[opened]:
            opened.send(b"GET /healthz HTTP/1.1\r\n" + HOST)
            held[opened] = True
            waiting.modify(opened, selectors.EVENT_READ)
        elif opened.recv(4096):
            return
        else:
            raise ConnectionResetError
    except OSError:
        waiting.unregister(opened)
        opened.close()
        del held[opened]


def _raise_own_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _again_and_again(send: Callable[[socket.socket, float], None]) -> Attack:
    """Open a connection, send until it is closed, and open the next."""

    def attack(port: int, until: float) -> None:
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
                    send(opened, until)
            except OSError:
                time.sleep(0.01)

    return attack


def _body(head: bytes) -> Attack:
    """A gigabyte of body after this head, as far as the server takes it."""

    def send(opened: socket.socket, until: float) -> None:
        opened.sendall(head)
        num_sent = 0
        while num_sent < GIGABYTE and time.monotonic() < until:
            opened.sendall(PIECE)
            num_sent += len(PIECE)

    return _again_and_again(send)


def _headers(opened: socket.socket, until: float) -> None:
    """Header lines without end."""
    opened.sendall(b"GET / HTTP/1.1\r\n" + HOST)
    number = 0
    while time.monotonic() < until:
        number += 1
        opened.sendall(b"X-%d: " % number + PIECE[:1000] + b"\r\n")


def _one_header(opened: socket.socket, until: float) -> None:
    """One header line without end."""
    opened.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X: ")
    while time.monotonic() < until:
        opened.sendall(PIECE)


def _drip(opened: socket.socket, until: float) -> None:
    """A byte of a header every half second."""
    opened.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X: ")
    while time.monotonic() < until:
        opened.sendall(b"a")
        time.sleep(0.5)


def _tags(opened: socket.socket, until: float) -> None:
    """An upload of 6,400 labels of 64 KiB."""
    head = b'--m\r\nContent-Disposition: form-data; name="tags"\r\n\r\n'
    part = head + PIECE + b"\r\n"
    opened.sendall(_upload_head(6400 * len(part)))
    for _ in range(6400):
        if time.monotonic() > until:
            return
        opened.sendall(part)


def _upload_head(length: int) -> bytes:
    return (
        b"POST /kb/siege/documents HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % length
    ) + b"Content-Type: multipart/form-data; boundary=m\r\n\r\n"


_JSON_HEAD = (
    b"POST /kb HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % GIGABYTE
)
_FILE_HEAD = (
    _upload_head(GIGABYTE)
    + b'--m\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
)
PHASES = (
    SiegePhase("half-open-1100-of-1024", (half_open(1100),), USUAL_DESCRIPTORS),
    SiegePhase(
        "half-open-1100-of-1024-lowered", (half_open(1100),), USUAL_DESCRIPTORS, is_lowered=True
    ),
    SiegePhase("half-open-10000-of-1024", (half_open(10_000),), USUAL_DESCRIPTORS),
    SiegePhase("half-open-10000", (half_open(10_000),)),
    SiegePhase("bodies-1GB", (_body(_JSON_HEAD), _body(_FILE_HEAD)) * 2),
    SiegePhase("tags", (_again_and_again(_tags),)),
    SiegePhase("headers", (_again_and_again(_headers), _again_and_again(_one_header)) * 2),
    SiegePhase("drip", (_again_and_again(_drip),) * 8),
)


@dataclass
class Probe:
    """What the liveness check of somebody else sees."""

    port: int
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def look(self) -> float:
        """Ask /healthz over a new connection; return the seconds it took, failed or not."""
        started = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", self.port), PROBE_TIMEOUT_S) as opened:
                opened.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
                opened.settimeout(PROBE_TIMEOUT_S)
                status = opened.recv(64).split(b"\r\n")[0]
                if b" 200 " not in status:
                    self.failures.append(repr(status))
        except OSError as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        self.seconds.append(time.monotonic() - started)
        return self.seconds[-1]


def besiege(phase: SiegePhase, seconds: float, folder: Path) -> dict[str, object]:
    """Run one phase against a server of its own and return its figures."""
    log = folder / f"{phase.name}.log"
    limits = (phase.max_descriptors, phase.max_descriptors)
    is_born_so = phase.max_descriptors and not phase.is_lowered
    prefix = ("prlimit", f"--nofile={limits[0]}:{limits[1]}") if is_born_so else ()
    service = Service(folder / phase.name, log=log, prefix=prefix)
    service.start()
    try:
        service.create_kb("siege")
        _wait_until_ready(service)
        if phase.is_lowered:
            resource.prlimit(service.pid, resource.RLIMIT_NOFILE, limits)
        log_before = log.stat().st_size
        until = time.monotonic() + seconds
        attackers = [
            multiprocessing.Process(target=attack, args=(service.port, until), daemon=True)
            for attack in phase.attacks
        ]
        for attacker in attackers:
            attacker.start()
        probe, peaks = Probe(service.port), _Peaks(service.pid)
        time.sleep(1)
        while time.monotonic() < until:
            time.sleep(max(PROBE_EVERY_S - probe.look(), 0))
        peaks.stop()
        for attacker in attackers:
            attacker.join(30)
        back_s = _seconds_until_back(service.port)
    finally:
        service.stop()
    ordered = sorted(probe.seconds)
    return {
        "probes": len(ordered),
        "failed": len(probe.failures),
        "failures": sorted(set(probe.failures))[:5],
        "median_s": round(ordered[len(ordered) // 2], 3),
        "worst_s": round(ordered[-1], 3),
        "within_a_second": not probe.failures and ordered[-1] <= WANTED_S,
        "back_after_s": back_s,
        "log_bytes": log.stat().st_size - log_before,
        "server_cpu_s": peaks.cpu_s,
        "most_descriptors": peaks.fds,
        "rss_mb_before_and_most": [peaks.rss_mb_before, peaks.rss_mb],
    }


def _wait_until_ready(service: Service) -> None:
    """A server that still loads has threads that compute; that is another measurement."""
    end = time.monotonic() + READY_WITHIN_S
    while service.client.get("/readyz").is_error:
        if time.monotonic() > end:
            raise TimeoutError(f"not ready after {READY_WITHIN_S} s")
        time.sleep(0.1)


class _Peaks:
    """The processor time, and the most descriptors and memory, of a process under attack."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.fds = 0
        self.rss_mb = self.rss_mb_before = self._resident_mb()
        self.cpu_s = -self._processor_s()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(0.25):
            self.fds = max(self.fds, len(os.listdir(self._folder / "fd")))  # noqa: PTH208  faster
            self.rss_mb = max(self.rss_mb, self._resident_mb())

    def _resident_mb(self) -> float:
        pages = int((self._folder / "statm").read_text(encoding="ascii").split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)

    def _processor_s(self) -> float:
        fields = (self._folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        user, system = map(int, fields[11:13])  # the 14th and 15th of proc(5)
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Take no more samples."""
        self._stopped.set()
        self._thread.join()
        self.cpu_s = round(self.cpu_s + self._processor_s(), 2)


def _seconds_until_back(port: int) -> float:
    started = time.monotonic()
    while time.monotonic() - started < 60:
        probe = Probe(port)
        probe.look()
        if not probe.failures:
            break
    return round(time.monotonic() - started, 2)


def main() -> None:
    """Print the figures of each phase as JSON; exit 1 when a probe was late or failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--phase", choices=[phase.name for phase in PHASES])
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(prefix="kb-siege-") as folder:
        for phase in PHASES:
            if options.phase in (None, phase.name):
                figures[phase.name] = besiege(phase, options.seconds, Path(folder))
                print(json.dumps({phase.name: figures[phase.name]}, indent=2), flush=True)
    sys.exit(0 if all(found["within_a_second"] for found in figures.values()) else 1)


if __name__ == "__main__":
    main()
