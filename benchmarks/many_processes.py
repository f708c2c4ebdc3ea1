"""Two servers and three workers over one database, each killed again and again: nothing is lost.

    python -m benchmarks.many_processes --database-url postgresql+psycopg://… [--seconds 120]

Documents come in through both servers without a pause; one process after another gets kill -9 and
is started again; somebody searches all the time, at the other server where one does not answer.
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


@dataclass
class Told:
    """What was acknowledged, by name, and what the searcher met."""

    sha256s: dict[str, str] = field(default_factory=dict)
    num_searches: int = 0
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


def upload(processes: Processes, kb: str, told: Told, ended: threading.Event) -> None:
    """Send documents to one server after the other, each until it is acknowledged."""
    for first, server in zip(
        itertools.count(step=BATCH), itertools.cycle(processes.servers), strict=False
    ):
        if ended.is_set():
            return
        files = [(f"{n:06}.txt", content(n)) for n in range(first, first + BATCH)]
        if send(server, kb, files, ended):
            told.sha256s |= {name: hashlib.sha256(data).hexdigest() for name, data in files}


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


def search(processes: Processes, kb: str, told: Told, ended: threading.Event) -> None:
    """Search all the time; unanswered is what no server answers."""
    while not ended.is_set():
        began = time.monotonic()
        told.num_searches += 1
        if not any(answers(server, kb) for server in processes.servers):
            told.num_unanswered += 1
        told.longest_s = max(told.longest_s, time.monotonic() - began)
        time.sleep(RETRY_S)


def answers(server: Service, kb: str) -> bool:
    url = f"http://127.0.0.1:{server.port}/kb/{kb}/search"
    try:
        answer = httpx.post(url, json={"query": "pump of incident QX-3", "top_k": 3}, timeout=60)
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK


def differences(processes: Processes, kb: str, told: Told) -> list[str]:
    """Return what is lost, doubled or other than it was sent."""
    found = processes.servers[0].wait_idle(kb)
    num_of = Counter(item["name"] for item in found)
    wrong = [f"{name}: there {num} times" for name, num in num_of.items() if num > 1]
    there = {item["name"]: item["revision"] for item in found if item["status"] == "ready"}
    for name, sha256 in told.sha256s.items():
        revision = there.get(name)
        if revision is None or revision["sha256"] != sha256:
            wrong.append(f"{name}: {revision}")
    return wrong


def run(
    folder: Path, database_url: str, seconds: float, pause_s: float, seed: int
) -> dict[str, object]:
    """Return the figures; `is_clean` is the verdict."""
    processes, told, dice = Processes(folder, database_url), Told(), random.Random(seed)
    ended = threading.Event()
    try:
        processes.start()
        kb = processes.servers[0].create_kb("many")
        given = (processes, kb, told, ended)
        threads = [threading.Thread(target=each, args=given) for each in (upload, search)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.5, 1.5) * pause_s)
            told.kills[processes.kill(dice.randrange(NUM_SERVERS + NUM_WORKERS))] += 1
        ended.set()
        for thread in threads:
            thread.join()
        wrong = differences(processes, kb, told)
        verified = processes.servers[0].cli("verify", "--json")
    finally:
        ended.set()
        processes.stop()
    return {
        "kills": dict(told.kills),
        "documents": len(told.sha256s),
        "searches": told.num_searches,
        "unanswered": told.num_unanswered,
        "longest_s": round(told.longest_s, 2),
        "differences": wrong,
        "verify": json.loads(verified.stdout),
        "is_clean": not wrong and verified.returncode == 0,
    }


def main() -> None:
    """Print the figures as JSON; exit 1 when anything was lost, doubled or mismatched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database-url", required=True, help="an empty PostgreSQL database")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pause", type=float, default=5, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(
            Path(folder), options.database_url, options.seconds, options.pause, options.seed
        )
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(0 if result["is_clean"] else 1)


if __name__ == "__main__":
    main()
