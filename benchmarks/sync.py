"""`kb sync` on a folder of 200 files: what a change of one paragraph costs.

python -m benchmarks.sync --data DIR
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.corpus import read_rows
from benchmarks.service import Service

NUM_FILES = 200


def write_folder(data: Path, folder: Path) -> None:
    """Write 200 incident reports as text files, one paragraph a line pair."""
    rows = read_rows(data / "demo" / "en_wikitech_docs.jsonl.gz")[:NUM_FILES]
    for number, row in enumerate(rows):
        (folder / f"{number:03}.txt").write_text(row["text"], encoding="utf-8")


def change_one_paragraph(path: Path) -> None:
    """Replace the middle paragraph of a file."""
    paragraphs = path.read_text(encoding="utf-8").split("\n\n")
    paragraphs[len(paragraphs) // 2] = "At 03:17 UTC the spare pump was switched to manual control."
    path.write_text("\n\n".join(paragraphs), encoding="utf-8")


def sync(service: Service, folder: Path, *options: str) -> dict[str, Any]:
    """Run the command and return its figures with exit code and seconds."""
    started = time.monotonic()
    done = service.cli("sync", str(folder), "--kb", "folder", "--json", *options)
    if not done.stdout:
        raise RuntimeError(done.stderr.decode())
    result: dict[str, Any] = json.loads(done.stdout)
    plan = {
        name: value if isinstance(value, int) else len(value)
        for name, value in result["plan"].items()
    }
    run = result.get("run") or {}
    return {
        "exit": done.returncode,
        "seconds": round(time.monotonic() - started, 2),
        "plan": plan,
        "chunks": run.get("num_chunks", 0),
    }


def main() -> None:
    """Print the figures of each run as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with demo/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "reports"
        folder.mkdir()
        write_folder(options.data, folder)
        service = Service(Path(place) / "data")
        steps = {"first": sync(service, folder), "again": sync(service, folder)}
        change_one_paragraph(folder / "100.txt")
        steps["dry run after one change"] = sync(service, folder, "--dry-run")
        steps["one paragraph changed"] = sync(service, folder)
        (folder / "007.txt").unlink()
        steps["one file removed, no prune"] = sync(service, folder)
        steps["one file removed, prune"] = sync(service, folder, "--prune")
        steps["last"] = sync(service, folder, "--prune")
        verified = service.cli("verify", "--json")
    steps["verify"] = {"exit": verified.returncode}
    print(json.dumps(steps, indent=2))
    sys.exit(verified.returncode)


if __name__ == "__main__":
    main()
