"""`make bench`: every measurement whose table stands in RESULTS.md, one after the other.

Each is a module of its own; this one only names them and finds the data.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("KB_SHARED_DIR", ROOT.parent / "shared")) / "data"
MEASUREMENTS: dict[str, list[str]] = {
    "retrieval": ["--data", str(DATA)],
    "answers": ["--data", str(DATA)],
    "corpus": ["--data", str(DATA)],
    "sync": ["--data", str(DATA)],
    "crash": ["--kills", "50"],
}


def main() -> None:
    """Run the named measurements, or all; exit 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=list(MEASUREMENTS), default=list(MEASUREMENTS))
    names = parser.parse_args().names
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *MEASUREMENTS[name]]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
