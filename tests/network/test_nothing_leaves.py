"""No door of the service, and nothing built on the model, reaches for another machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.network.doors import ELSEWHERE

WATCH = Path(__file__).parent / "watch"


@pytest.mark.parametrize(("group", "num_doors"), [("service", 30), ("model", 6)])
def test_no_door_reaches_for_another_machine(tmp_path: Path, group: str, num_doors: int) -> None:
    log = tmp_path / "asked-for"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("KB_", "HF_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.network.doors", group, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=500, check=False,
        env=environment
        | {
            "PYTHONPATH": os.pathsep.join((str(WATCH), str(ROOT))),
            "WATCH_LOG": str(log),
            "KB_DATA_DIR": str(tmp_path / "data"),
            "HF_HOME": str(tmp_path / "empty"),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("through ") >= num_doors, done.stderr
    assert log.read_text(encoding="utf-8").splitlines() == [f"socket.getaddrinfo {ELSEWHERE}"]
