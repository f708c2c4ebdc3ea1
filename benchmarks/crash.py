"""kill -9 of server and worker at random moments of ingest, update and delete; `kb verify`.

A model in memory knows what was acknowledged. Afterwards every acknowledged upload must be there
with its newest content, every acknowledged delete must be gone, and the storage must be clean.

    python -m benchmarks.crash --kills 50
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.service import Service

NUM_NAMES = 24
WORDS = ["泵房", "water", "pump", "泄漏", "alarm", "值班", "operator", "阀门", "pressure", "停机"]


@dataclass
class Expected:
    """Name -> SHA-256 that must be found; a set of possible ones where no answer came back."""

    contents: dict[str, set[str | None]] = field(default_factory=dict)

    def acknowledge(self, name: str, sha256: str | None) -> None:
        """The server said so: exactly this content (None: deleted)."""
        self.contents[name] = {sha256}

    def attempt(self, name: str, sha256: str | None) -> None:
        """The server died before it answered: either the old or the new content."""
        self.contents.setdefault(name, {None}).add(sha256)


def make_file(dice: random.Random, name: str) -> bytes:
    """Return a text file of random length; sometimes long enough to be killed in the middle."""
    paragraphs = [
        f"{name} 第{number}段 " + " ".join(dice.choices(WORDS, k=dice.randint(20, 120))) + "。"
        for number in range(dice.choice([3, 20, 150]))
    ]
    return "\n\n".join(paragraphs).encode()


class Trial:
    """Random work on a service that is killed again and again."""

    def __init__(self, service: Service, dice: random.Random) -> None:
        self.service = service
        self.dice = dice
        self.expected = Expected()
        self.kb = "crash"
        self.kills: dict[str, int] = {"server": 0, "worker": 0, "both": 0}

    def one_operation(self) -> None:
        """Upload, update or delete something; TransportError when the server dies meanwhile."""
        name = f"report-{self.dice.randrange(NUM_NAMES):02}.txt"
        if self.dice.random() < 0.25:
            self._delete(name)
        else:
            self._upload(name, make_file(self.dice, name))

    def _upload(self, name: str, data: bytes) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        self.expected.attempt(name, sha256)
        items = self.service.upload(self.kb, [(name, data)])
        if items[0]["outcome"] == "rejected":
            raise AssertionError(f"a good file was rejected: {items[0]}")
        self.expected.acknowledge(name, sha256)

    def _delete(self, name: str) -> None:
        found = [item for item in self.service.documents(self.kb) if item["name"] == name]
        if not found:
            return
        self.expected.attempt(name, None)
        path = f"/kb/{self.kb}/documents/{found[0]['id']}"
        if self.service.client.delete(path).status_code == httpx.codes.NO_CONTENT:
            self.expected.acknowledge(name, None)

    def work_then_kill(self) -> None:
        """Work for a random moment, kill, and start again what was killed."""
        target = self.dice.choice(["server", "worker", "both"])
        deadline = time.monotonic() + self.dice.uniform(0.02, 1.5)
        while time.monotonic() < deadline:
            self.one_operation()
        self._kill_in_flight(target)
        self.kills[target] += 1
        if target != "worker":
            self.service.start()

    def _kill_in_flight(self, target: str) -> None:
        """Kill while an upload is on its way, so that the request itself is cut too."""
        import threading

        killer = threading.Timer(self.dice.uniform(0, 0.05), self.service.kill, args=(target,))
        killer.start()
        try:
            self.one_operation()
        except httpx.TransportError:
            pass
        finally:
            killer.join()


def mismatches(trial: Trial) -> list[str]:
    """Compare what is there with what was acknowledged."""
    found = {item["name"]: item for item in trial.service.wait_idle(trial.kb)}
    wrong = []
    for name, possible in trial.expected.contents.items():
        item = found.get(name)
        sha256 = item["revision"]["sha256"] if item and item["revision"] else None
        if sha256 not in possible:
            wrong.append(f"{name}: {sha256} is not one of {sorted(map(str, possible))}")
        if item and item["status"] != "ready":
            wrong.append(f"{name}: status {item['status']} {item['error']}")
    wrong.extend(f"{name}: never sent" for name in found.keys() - trial.expected.contents.keys())
    return wrong


def run(num_kills: int, seed: int, data_dir: Path, database_url: str = "") -> dict[str, object]:
    """Run the trial and return its figures; `is_clean` is the verdict."""
    service = Service(data_dir, KB_INGEST__LEASE_S="3", KB_DATABASE_URL=database_url)
    service.start()
    started = time.monotonic()
    try:
        trial = Trial(service, random.Random(seed))
        service.create_kb(trial.kb)
        for _ in range(num_kills):
            trial.work_then_kill()
        wrong = mismatches(trial)
        service.stop()
        verified = service.cli("verify", "--json")
    finally:
        service.stop()
    report = json.loads(verified.stdout)
    return {
        "kills": trial.kills,
        "seed": seed,
        "seconds": round(time.monotonic() - started, 1),
        "mismatches": wrong,
        "verify": report,
        "is_clean": not wrong and verified.returncode == 0,
    }


def main() -> None:
    """Print the figures as JSON; exit 1 when anything was lost, doubled, orphaned or mismatched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        result = run(options.kills, options.seed, data_dir, options.database_url)
    print(json.dumps(result, indent=2, ensure_ascii=False))
    sys.exit(0 if result["is_clean"] else 1)


if __name__ == "__main__":
    main()
