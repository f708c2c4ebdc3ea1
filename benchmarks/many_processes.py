"""Two servers and three workers over one database, each killed again and again: nothing is lost.

    python -m benchmarks.many_processes --database-url postgresql+psycopg://… [--seconds 120]
        [--documents 10000] [--bases 1] [--pause 5]

Documents come in through both servers without a pause, until the time is over and there are as many
as wanted, into one base or several in turn; one process after another gets kill -9 and is started
again; somebody searches and asks all the time, at the other server where one does not answer.
Afterwards every acknowledged document must be there once, with its content, and `kb verify` clean.
"""

import argparse
import hashlib
import itertools
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.service import Service

NUM_SERVERS, NUM_WORKERS = 2, 3
BATCH = 5
RETRY_S = 0.2
Asked = tuple[str, dict[str, object]]
SEARCH: Asked = ("search", {"query": "pump of incident QX-3", "top_k": 3})
ASK: Asked = ("ask", {"question": "What happened in incident QX-3?"})


@dataclass
class Told:
    """What was acknowledged, by base and name, and what the searcher met."""

    sha256s: dict[tuple[str, str], str] = field(default_factory=dict)
    num_searches: int = 0
    num_asks: int = 0
    num_unanswered: int = 0
    longest_s: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)


class Processes:
    """The servers and workers of one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        settings = {"KB_DATABASE_URL": database_url, "KB_INGEST__LEASE_S": "3"}
        settings |= {"KB_RERANK__MODEL": "", "KB_RETRIEVAL__DENSE_WEIGHT": "0"}
        options = ("--no-demo", "--no-worker")
        self.servers = [
            Service(folder / "data", log=folder / f"{n}.log", options=options, **settings)
            for n in range(NUM_SERVERS)
        ]
        self._workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for server in self.servers:
            server.start()
        self._workers = [self.servers[0].start_worker() for _ in range(NUM_WORKERS)]

    def kill(self, number: int) -> str:
        """Kill a server (the first numbers) or a worker, and start it again."""
        if number < NUM_SERVERS:
            self.servers[number].kill("server")
            self.servers[number].start()
            return "server"
        worker = self._workers[number - NUM_SERVERS]
        worker.kill()
        worker.wait()
        self._workers[number - NUM_SERVERS] = self.servers[0].start_worker()
        return "worker"

    def stop(self) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.wait(60)
        for server in self.servers:
            server.stop()


def upload(processes: Processes, kbs: list[str], told: Told, ended: threading.Event) -> None:
    """Send documents to one server after the other, each until it is acknowledged."""
    for number, server in zip(itertools.count(), itertools.cycle(processes.servers), strict=False):
        if ended.is_set():
            return
        first, kb = number * BATCH, kbs[number // NUM_SERVERS % len(kbs)]
        files = [(f"{n:06}.txt", content(n)) for n in range(first, first + BATCH)]
        if send(server, kb, files, ended):
            told.sha256s |= {(kb, name): hashlib.sha256(data).hexdigest() for name, data in files}


def send(server: Service, kb: str, files: list[tuple[str, bytes]], ended: threading.Event) -> bool:
    while not ended.is_set():
        try:
            return all(item["outcome"] != "rejected" for item in server.upload(kb, files))
        except (httpx.TransportError, httpx.HTTPStatusError):
            time.sleep(RETRY_S)
    return False


def content(number: int) -> bytes:
    dice = random.Random(number)
    words = ("pump", "valve", "crane", "boiler", "hall", "shift", "crew", "leak")
    told = (" ".join(dice.choices(words, k=60)) + "." for _ in range(3))
    return f"Incident QX-{number}. ".encode() + "\n\n".join(told).encode()


def search(processes: Processes, kbs: list[str], told: Told, ended: threading.Event) -> None:
    """Search and ask in turn all the time; unanswered is what no server answers."""
    for kb, asked in zip(itertools.cycle(kbs), itertools.cycle((SEARCH, ASK)), strict=False):
        if ended.is_set():
            return
        began = time.monotonic()
        told.num_searches += asked is SEARCH
        told.num_asks += asked is ASK
        if not any(answers(server, kb, asked) for server in processes.servers):
            told.num_unanswered += 1
        told.longest_s = max(told.longest_s, time.monotonic() - began)
        time.sleep(RETRY_S)


def answers(server: Service, kb: str, asked: Asked) -> bool:
    url = f"http://127.0.0.1:{server.port}/kb/{kb}/{asked[0]}"
    try:
        answer = httpx.post(url, json=asked[1], timeout=60)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def differences(processes: Processes, kbs: list[str], told: Told) -> tuple[list[str], list[str]]:
    """Return what is lost, or other than it was sent, and what is there more than once."""
    found = [(kb, item) for kb in kbs for item in processes.servers[0].wait_idle(kb)]
    num_of = Counter((kb, item["name"]) for kb, item in found)
    doubled = [f"{name}: {num} times" for name, num in num_of.items() if num > 1]
    there = {
        (kb, item["name"]): item["revision"] for kb, item in found if item["status"] == "ready"
    }
    lost = [
        f"{name}: {there.get(name)}"
        for name, sha256 in told.sha256s.items()
        if there.get(name) is None or there[name]["sha256"] != sha256
    ]
    return lost, doubled


@dataclass(frozen=True, slots=True)
class Course:
    """How long it goes on, at least, and for how many documents; a kill every `pause_s` or so."""

    seconds: float
    pause_s: float
    seed: int
    num_documents: int = 0
    num_bases: int = 1


def run(folder: Path, database_url: str, course: Course) -> dict[str, object]:
    """Return the figures; `is_clean` is the verdict."""
    processes, told, dice = Processes(folder, database_url), Told(), random.Random(course.seed)
    ended = threading.Event()
    try:
        processes.start()
        names = (f"many-{number}" for number in range(course.num_bases))
        kbs = [processes.servers[0].create_kb(name) for name in names]
        threads = [
            threading.Thread(target=each, args=(processes, kbs, told, ended))
            for each in (upload, search)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + course.seconds
        while time.monotonic() < end or len(told.sha256s) < course.num_documents:
            time.sleep(dice.uniform(0.5, 1.5) * course.pause_s)
            told.kills[processes.kill(dice.randrange(NUM_SERVERS + NUM_WORKERS))] += 1
        ended.set()
        for thread in threads:
            thread.join()
        lost, doubled = differences(processes, kbs, told)
        verified = processes.servers[0].cli("verify", "--json")
    finally:
        ended.set()
        processes.stop()
    return {
        "kills": dict(told.kills),
        "acknowledged": len(told.sha256s),
        "lost": lost,
        "doubled": doubled,
        "searches": told.num_searches,
        "asks": told.num_asks,
        "unanswered": told.num_unanswered,
        "longest_s": round(told.longest_s, 2),
        "verify": json.loads(verified.stdout),
        "is_clean": not (lost or doubled) and verified.returncode == 0,
    }


def main() -> None:
    """Print the figures as JSON; exit 1 when anything was lost, doubled or mismatched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database-url", required=True, help="an empty PostgreSQL database")
    parser.add_argument("--seconds", type=float, default=120, help="at least so long")
    parser.add_argument("--documents", type=int, default=0, help="until so many are acknowledged")
    parser.add_argument("--bases", type=int, default=1)
    parser.add_argument("--pause", type=float, default=5, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = Course(
            options.seconds, options.pause, options.seed, options.documents, options.bases
        )
        result = run(Path(folder), options.database_url, course)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(0 if result["is_clean"] else 1)


if __name__ == "__main__":
    main()
