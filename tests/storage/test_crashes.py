"""kill -9 at random moments of upload, publish and delete: nothing is lost or half there."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb_service.storage.database import open_database
from kb_service.storage.jobs.rows import UNFINISHED
from kb_service.storage.statistics import Statistics
from tests.storage.world import PROFILE, World, build_world, vectors_of_keys

NUM_KILLS = 12
ROOT = Path(__file__).resolve().parents[2]

# Acknowledges each step on stdout only after storage has returned.
LOOP = """
import itertools, random, sys
from pathlib import Path
from kb_service.storage.database import open_database
from tests.storage.world import build_world, sha256
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
world = build_world(open_database(f"sqlite:///{folder / 'kb.sqlite3'}"), folder)
kb_id = world.catalog.bases.get("crash").id
draw = random.Random(seed)
print("ready", flush=True)
for step in itertools.count():
    name = f"{draw.randrange(6)}.txt"
    content = f"{seed} {step} " + "words " * draw.randrange(2000)
    world.upload(kb_id, name, content.encode())
    print("uploaded", name, sha256(content.encode()), flush=True)
    if draw.random() < 0.8:
        while claim := world.queue.claim("worker-1"):
            world.publish(claim, [f"{claim.job.blob_sha256} first", "a sentence all share"])
            print("published", claim.document_name, claim.job.blob_sha256, flush=True)
    if draw.random() < 0.3:
        document = world.catalog.documents.find(kb_id, name)
        print("deleting", name, "-", flush=True)
        world.catalog.documents.delete(kb_id, document.id)
        print("deleted", name, "-", flush=True)
"""


@pytest.mark.crash
def test_a_killed_process_loses_and_doubles_nothing(migrated_sqlite: Path, tmp_path: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "kb.sqlite3")
    world = build_world(open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}"), tmp_path)
    kb_id = world.catalog.bases.create("crash").id
    draw = random.Random(20260101)  # noqa: S311  moments to kill at, no secrets
    num_steps = 0
    for seed in range(NUM_KILLS):
        acknowledged = run_and_kill(tmp_path, seed, draw.randrange(7), draw.uniform(0.0, 0.05))
        num_steps += len(acknowledged)
        world.verifier.sweep(stale_after_s=0)
        world.assert_clean(may_wait=True)
        assert list(world.blobs.staging.glob("*")) == []
        check_acknowledged(world, kb_id, acknowledged)
        finish_all(world)
        embed_all(world)
        world.assert_clean()
    assert num_steps > NUM_KILLS


def run_and_kill(folder: Path, seed: int, num_lines: int, delay_s: float) -> list[list[str]]:
    """Run the loop, kill it a moment after so many lines, and return what it said was done.

    A time alone would be too short for any step where the machine is busy.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", LOOP, str(folder), str(seed)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    said = [child.stdout.readline() for _ in range(num_lines)]
    time.sleep(delay_s)
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    output = "".join([*said, rest])
    whole_lines = output[: output.rfind("\n") + 1].splitlines()
    return [line.split() for line in whole_lines]


def check_acknowledged(world: World, kb_id: str, acknowledged: list[list[str]]) -> None:
    """What was acknowledged holds; the one step that was under way may have been committed."""
    known = world.catalog.documents.known_hashes(kb_id)
    overtaken = []
    for name, (action, sha) in {line[1]: (line[0], line[2]) for line in acknowledged}.items():
        if action == "deleting":
            continue
        if known.get(name, "-") != sha:
            overtaken.append(name)
            assert name in known, f"{name} was acknowledged as {action} and is gone"
        if action == "published":
            document = world.catalog.documents.find(kb_id, name)
            assert document is not None
            text = world.catalog.revisions.text(kb_id, document.id, sha)[1]
            assert text.startswith(f"{sha} first")
    assert len(overtaken) <= 1, overtaken


def embed_all(world: World) -> None:
    """A restarted worker makes the vectors that a kill left out."""
    while waiting := world.embeddings.waiting(PROFILE, 0, 100):
        world.embeddings.add(PROFILE, vectors_of_keys([text.text_sha256 for text in waiting]))


def finish_all(world: World) -> None:
    """A restarted worker finishes what was under way, each job once."""
    world.queue.release("worker-1")
    while claim := world.queue.claim("worker-1"):
        world.publish(claim, [f"{claim.job.blob_sha256} first", "a sentence all share"])
    counts = Statistics(world.database).jobs_by_status()
    assert sum(counts[status] for status in UNFINISHED) == 0
