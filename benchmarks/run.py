"""`make bench`: every measurement whose table stands in RESULTS.md, one after the other.

Each is a module of its own; this one only names them and finds the data.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("KB_SHARED_DIR", ROOT.parent / "shared")) / "data"
MEASUREMENTS: dict[str, list[str]] = {
    "retrieval": ["--data", str(DATA)],
    "answers": ["--data", str(DATA)],
    "evaluation": ["--data", str(DATA), "--out", str(ROOT / "benchmarks" / "reports")],
    "novelty": ["--data", str(DATA)],
    "corpus": ["--data", str(DATA)],
    "sync": ["--data", str(DATA)],
    "crash": ["--kills", "50"],
    "soak": ["--minutes", "2"],
    "prefix_cache": [],
    "cpu_kernels": ["--layers", "4", "--rounds", "5"],
}


def main() -> None:
    """Run the named measurements, or all; exit 1 when one failed."""
    failed = []
    for name in chosen(sys.argv[1:]):
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *MEASUREMENTS[name]]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def chosen(arguments: Sequence[str]) -> list[str]:
    """Return the measurements that a command line names, all when it names none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # `choices` would refuse the empty list that stands for all.
    parser.add_argument("names", nargs="*", type=_measurement, metavar="NAME")
    names: list[str] = parser.parse_args(arguments).names
    return names or list(MEASUREMENTS)


def _measurement(name: str) -> str:
    if name not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"{name!r}; expected one of {', '.join(MEASUREMENTS)}")
    return name


if __name__ == "__main__":
    main()
