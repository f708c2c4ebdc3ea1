"""How much later a question is answered while files come into the same base, and how many come in.

    python -m benchmarks.beside_ingest --data ../shared/data --folder /tmp/beside
        [--trees . ../before] [--rounds 3] [--asks 40] [--seconds 10] [--pdf]

A real `kb serve` a source tree, each over the demonstration's reports, by turns: what else the
machine does hits all alike. A turn asks a few questions while the queue stands still, a few while
it runs, and so on, and at last lets files come in alone. Files are texts of an encyclopaedia, or
with `--pdf` reports of the demonstration, no two alike. Words only: vectors, which would follow
while the queue stands still, are not made. Ratios within a run are worth more than its figures.
"""

import argparse
import itertools
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.asking import passages
from benchmarks.beside_ocr import DEMO, asked, questions
from benchmarks.service import Service

AHEAD = 24
"""Files that wait, so that the worker never does."""

WORDS_ONLY = {"KB_RETRIEVAL__DENSE_WEIGHT": "0"}
BLOCK = 4
"""Questions between two changes of the queue."""


@dataclass
class Case:
    """A service from one source tree, and what it took so far."""

    name: str
    service: Service
    kb: str = ""
    idle: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    alone: list[tuple[int, float]] = field(default_factory=list)
    meanwhile: list[tuple[int, float]] = field(default_factory=list)

    def start(self) -> None:
        """Start, and wait until the demonstration can be asked."""
        self.service.start()
        client = self.service.client
        while client.get("/readyz").status_code != httpx.codes.OK or not _bases(client):
            time.sleep(0.1)
        self.kb = str(_bases(client)[0]["id"])
        self.service.wait_idle(self.kb)


def _bases(client: httpx.Client) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/kb").json()["items"]
    return found


def texts(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield text files that differ, again and again."""
    for number in itertools.count():
        for name, text in passages(data, "zh_wiki_passages"):
            yield f"{number} {name}.txt", f"{number}\n\n{text}".encode()


def reports() -> Iterator[tuple[str, bytes]]:
    """Yield the demonstration's reports, each time with other bytes behind the end."""
    for number in itertools.count():
        for path in sorted(DEMO.glob("*.pdf")):
            yield f"{number} {path.name}", path.read_bytes() + f"\n% {number}\n".encode()


@contextmanager
def coming_in(case: Case, files: Iterator[tuple[str, bytes]]) -> Iterator[None]:
    """Send files while the block runs, so that some always wait."""
    ended, url = threading.Event(), str(case.service.client.base_url)

    def send() -> None:
        with httpx.Client(base_url=url, timeout=120) as client:
            while not ended.is_set():
                if case.service.totals(case.kb).get("pending", 0) < AHEAD:
                    parts = [("files", one) for one in itertools.islice(files, AHEAD)]
                    client.post(f"/kb/{case.kb}/documents", files=parts).raise_for_status()
                ended.wait(0.5)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def _num_read(case: Case) -> int:
    totals = case.service.totals(case.kb)
    return sum(totals.values()) - totals.get("pending", 0) - totals.get("processing", 0)


def turn(
    case: Case, files: Iterator[tuple[str, bytes]], asks: Iterator[str], num: int, seconds: float
) -> None:
    """Ask while the queue stands still and while it runs, a few questions each, by turns.

    Then let files come in alone, and remove what came in.
    """
    kept = {item["id"] for item in case.service.documents(case.kb)}
    client = case.service.client
    with coming_in(case, files):
        for _ in range(0, num, BLOCK):
            client.post(f"/kb/{case.kb}/queue/pause").raise_for_status()
            while case.service.totals(case.kb).get("processing", 0):
                time.sleep(0.1)
            case.idle += asked(case.service, case.kb, asks, lambda done: done < BLOCK)
            before, began = _num_read(case), time.monotonic()
            client.post(f"/kb/{case.kb}/queue/resume").raise_for_status()
            case.beside += asked(case.service, case.kb, asks, lambda done: done < BLOCK)
            case.meanwhile.append((_num_read(case) - before, time.monotonic() - began))
        before, began = _num_read(case), time.monotonic()
        time.sleep(seconds)
        case.alone.append((_num_read(case) - before, time.monotonic() - began))
    case.service.wait_idle(case.kb)
    for item in case.service.documents(case.kb):
        if item["id"] not in kept:
            client.delete(f"/kb/{case.kb}/documents/{item['id']}").raise_for_status()


def row(case: Case) -> str:
    """Return a line of the table."""
    idle, beside = (statistics.quantiles(of, n=20) for of in (case.idle, case.beside))
    rates = [sum(n for n, _ in of) / sum(s for _, s in of) for of in (case.alone, case.meanwhile)]
    return (
        f"| {case.name} | {1000 * idle[9]:.0f}, {1000 * idle[18]:.0f} | {1000 * beside[9]:.0f},"
        f" {1000 * beside[18]:.0f} | {beside[9] / idle[9]:.2f}, {beside[18] / idle[18]:.2f} |"
        f" {rates[0]:.2f} | {rates[1]:.2f} |"
    )


def main() -> None:
    """Print a line for each source tree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--trees", type=Path, nargs="+", default=[Path()])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--asks", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pdf", action="store_true", help="reports instead of texts")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cases = [
        Case(str(tree), Service(options.folder / f"{n}", options=(), folder=tree, **WORDS_ONLY))
        for n, tree in enumerate(options.trees)
    ]
    files, asks = reports() if options.pdf else texts(options.data), itertools.cycle(questions())
    try:
        for case in cases:
            case.start()
            asked(case.service, case.kb, asks, lambda done: done < options.asks)
        print("| | idle: median, p95, ms | beside | ratios | files a second alone | beside asks |")
        print("|---|---|---|---|---|---|", flush=True)
        for number in range(options.rounds):
            for case in cases if number % 2 == 0 else reversed(cases):
                turn(case, files, asks, options.asks, options.seconds)
        for case in cases:
            print(row(case), flush=True)
    finally:
        for case in cases:
            case.service.stop()


if __name__ == "__main__":
    main()
