"""A disk that fails at the N-th call of real work: nothing is lost, doubled or left half done.

A point of every kind, each in another operation; `python -m benchmarks.faults` runs as many as
asked for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.shim import KINDS, build, compiler
from tests.conftest import ROOT

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(sys.platform != "linux", reason="calls are intercepted by LD_PRELOAD"),
    pytest.mark.skipif(compiler() is None, reason="no C compiler (cc, gcc, clang)"),
]
NUM_POINTS = len(KINDS)

# Writes "ab" and "cd", makes a folder, renames; tells what each step met.
VICTIM = """
import os, sys
from pathlib import Path
from benchmarks.faults.shim import Shim
root = Path(sys.argv[1])
shim = Shim(root)
file = os.open(root / "file", os.O_CREAT | os.O_WRONLY)
shim.arm(sys.argv[2], int(sys.argv[3]))
steps = (
    lambda: os.write(file, b"ab"),
    lambda: os.write(file, b"cd"),
    lambda: (root / "folder").mkdir(),
    lambda: (root / "file").rename(root / "renamed"),
    lambda: Path(sys.argv[4]).write_bytes(b"elsewhere"),
)
for step in steps:
    try:
        print(step(), end=" ", flush=True)
    except OSError as error:
        print(error.strerror, end=" ", flush=True)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("library"))


def meet(library: Path, folder: Path, kind: str, number: int) -> tuple[str, int]:
    """Run the victim and return what it printed and how it ended."""
    root = folder / "root"
    root.mkdir()
    command = [sys.executable, "-c", VICTIM, str(root), kind, str(number), str(folder / "other")]
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    ended = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ended.stdout.strip(), ended.returncode


@pytest.mark.parametrize(
    ("kind", "number", "seen"),
    [
        ("eio", 2, "2 Input/output error None"),
        ("enospc", 3, "2 2 No space left on device"),
        ("full", 1, "No space left on device No space left on device No space left on device"),
        ("short", 2, "2 1 None"),
        ("eio", 99, "2 2 None"),
    ],
)
def test_the_call_with_that_number_meets_the_fault_and_others_pass(
    library: Path, tmp_path: Path, kind: str, number: int, seen: str
) -> None:
    printed, code = meet(library, tmp_path, kind, number)
    assert printed.startswith(seen)
    assert code == 0
    assert (tmp_path / "other").read_bytes() == b"elsewhere"


@pytest.mark.parametrize(("kind", "number", "left"), [("kill", 2, b"ab"), ("torn", 2, b"abc")])
def test_a_deadly_fault_leaves_what_was_written_before_it(
    library: Path, tmp_path: Path, kind: str, number: int, left: bytes
) -> None:
    assert meet(library, tmp_path, kind, number) == ("2", -9)
    assert (tmp_path / "root" / "file").read_bytes() == left


def test_work_of_every_kind_survives_faults_of_every_kind(tmp_path: Path) -> None:
    report = tmp_path / "outcomes.jsonl"
    command = [sys.executable, "-m", "benchmarks.faults", "--points", str(NUM_POINTS)]
    command += ["--seed", "9", "--folder", str(tmp_path), "--outcomes", str(report)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    met = [row for row in map(json.loads, report.read_text().splitlines()) if row["fired"]]
    assert {row["kind"] for row in met} == set(KINDS)
    assert len({row["operation"] for row in met}) == NUM_POINTS
