"""How many questions a second are answered, by cores, answering processes and clients; how fairly.

    python -m benchmarks.many_askers --data ../shared/data --folder /tmp/askers [--seconds 10]
        [--clients 1 4 16 64] [--rounds 2]

A real `kb serve` holds the demonstration's reports. Each case has a service of its own, all of them
run at once and are asked in turn, so that what else the machine does hits all alike; the one that
is not asked rests. A case is pinned to its cores. Told: questions a second of the wall and of the
CPU that the service took (`cores`: how many it kept busy), latency, the least and most answers of a
client, and whether every case answered every question alike. Ratios within a run are worth more
than its figures.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.memory_base import load_corpus
from benchmarks.same_answers import kept
from benchmarks.service import Service

SETS = ("demo/en_ntsb_qa", "demo/zh_synth_incident_qa")
READY = "an answering process is ready"
WAIT_S = 300
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Case:
    """A service on some cores with some answering processes, and what it answered so far."""

    num_cores: int
    num_answerers: int
    service: Service
    log: Path
    kb: str = ""
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.num_cores} cores, {self.num_answerers} answerers"

    def start(self) -> None:
        """Start on the cores of the case, and wait until everything is there."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, set(sorted(before)[: self.num_cores]))
        try:
            self.service.start()
        finally:
            os.sched_setaffinity(0, before)
        _until(lambda: self.service.client.get("/readyz").status_code == httpx.codes.OK)
        _until(lambda: self.log.read_text().count(READY) >= self.num_answerers)
        _until(lambda: bool(self.service.client.get("/kb").json()["items"]))
        self.kb = str(self.service.client.get("/kb").json()["items"][0]["id"])
        self.service.wait_idle(self.kb)
        _until(lambda: all(d["vectors"] == "ready" for d in self.service.documents(self.kb)))


@dataclass
class Turn:
    """What one turn of a case gave: answers by client, seconds of each, CPU of the service."""

    counts: list[int]
    seconds: list[float]
    cpu_s: float
    wall_s: float
    num_refused: int


def main() -> None:
    """Ask every case by turns and print a line for each number of clients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--cases", nargs="+", default=["1:0", "2:0", "2:1"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    questions = [q.text for name in SETS for q in load_corpus(options.data, name).questions]
    cases = [_case(options.folder, *map(int, told.split(":"))) for told in options.cases]
    try:
        for case in cases:
            case.start()
        for num_clients in options.clients:
            _compare(cases, questions, num_clients, options.rounds, options.seconds)
        _compare_answers(cases)
        for case in cases:
            print(f"{case.name}: {_memory(case.service.pid)}", flush=True)
    finally:
        for case in cases:
            case.service.stop()


def _case(folder: Path, num_cores: int, num_answerers: int) -> Case:
    place = folder / f"{num_cores}-{num_answerers}"
    log = place.with_suffix(".log")
    log.write_bytes(b"")
    number = str(num_answerers)
    service = Service(place, log=log, options=(), KB_SERVER__ANSWERERS=number)
    return Case(num_cores, num_answerers, service, log)


def _compare(
    cases: Sequence[Case], questions: Sequence[str], num_clients: int, rounds: int, seconds: float
) -> None:
    turns: dict[str, list[Turn]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            turns[case.name].append(_asked(case, questions, num_clients, seconds))
    first: float | None = None
    for name, found in turns.items():
        rate = sum(len(t.seconds) for t in found) / sum(t.wall_s for t in found)
        first = first or rate
        print(f"{num_clients} clients, {name}: {_told(found, rate, first)}", flush=True)


def _told(found: Sequence[Turn], rate: float, first: float) -> str:
    seconds = [one for turn in found for one in turn.seconds]
    cpu, wall = sum(turn.cpu_s for turn in found), sum(turn.wall_s for turn in found)
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    counts = [sum(of) for of in zip(*(turn.counts for turn in found), strict=True)]
    return (
        f"{rate:.2f} a second ({rate / first:.2f} x), {1000 * cpu / len(seconds):.0f} ms of CPU "
        f"each, {cpu / wall:.2f} cores, p50 {1000 * statistics.median(seconds):.0f} ms, "
        f"p95 {1000 * p95:.0f} ms, a client {min(counts)} to {max(counts)}, "
        f"{sum(turn.num_refused for turn in found)} refused"
    )


def _asked(case: Case, questions: Sequence[str], num_clients: int, seconds: float) -> Turn:
    turn = Turn([0] * num_clients, [], 0.0, 0.0, 0)
    shared, lock = itertools.cycle(questions), threading.Lock()
    until = time.monotonic() + seconds

    def ask(number: int) -> None:
        url = f"http://127.0.0.1:{case.service.port}/kb/{case.kb}/ask"
        with httpx.Client(timeout=WAIT_S) as client:
            while time.monotonic() < until:
                with lock:
                    question = next(shared)
                began = time.perf_counter()
                reply = client.post(url, json={"question": question})
                if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    turn.num_refused += 1
                    time.sleep(float(reply.headers["retry-after"]))
                    continue
                reply.raise_for_status()
                turn.seconds.append(time.perf_counter() - began)
                turn.counts[number] += 1
                case.answers.setdefault(question, kept(reply.json()))

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(num_clients)]
    before, began = _cpu_s(case.service.pid), time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    turn.wall_s = time.monotonic() - began
    turn.cpu_s = _cpu_s(case.service.pid) - before
    return turn


def _compare_answers(cases: Sequence[Case]) -> None:
    first = cases[0]
    for case in cases[1:]:
        both = first.answers.keys() & case.answers.keys()
        alike = sum(first.answers[q] == case.answers[q] for q in both)
        print(f"{alike} of {len(both)} answers of {case.name} as of {first.name}", flush=True)


def _family(pid: int) -> list[tuple[int, str]]:
    """Return the processes that answer: the server and its answerers."""
    command = ["ps", "-o", "pid=,args=", "--ppid", str(pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = [line.split(None, 1) for line in listing.splitlines()]
    children = [(int(number), "answerer") for number, line in found if " answerer " in line]
    return [(pid, "server"), *children]


def _cpu_s(pid: int) -> float:
    fields = [_stat(one) for one, _ in _family(pid)]
    return sum(int(user) + int(system) for user, system in fields) / TICKS


def _stat(pid: int) -> tuple[str, str]:
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return parts[11], parts[12]


def _memory(pid: int) -> str:
    told = []
    for one, name in _family(pid):
        rolled = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
        told.append(f"{name} {int(rolled.split('Pss:')[1].split()[0]) // 1024} MiB")
    return json.dumps(told)


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > end:
            sys.exit(f"not so after {WAIT_S} s")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
