"""CPU of bringing files in, beside a LangChain pipeline: same files, same encoder, same size.

    python -m benchmarks.langchain_ingest --data ../shared/data --folder /tmp/langchain
        [--texts 300] [--pdf 40] [--rounds 3] [--words] [--trees . ../before]

Ours is `kb ingest --wait` into an empty data folder: durable, each file read in a process with
limits, words and vectors indexed, facts told. Theirs is `benchmarks.langchain_subject` (needs
pypdf: `pip install pypdf`, for this alone). CPU of the whole process with its children, start
included, by turns; `--words`: without vectors in both.
"""

import argparse
import itertools
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.corpus import demo_pdfs
from benchmarks.memory_base import load_corpus, read_rows

TEXT_SETS = ("demo/zh_synth_incident_qa", "demo/en_ntsb_qa")
WORDS_ONLY = {"KB_RETRIEVAL__DENSE_WEIGHT": "0"}


def write_texts(data: Path, folder: Path, num: int) -> None:
    """Write so many reports and post-mortems of the demonstration's sets as text files."""
    folder.mkdir(parents=True)
    sets = [[text for _, text in load_corpus(data, name).documents.values()] for name in TEXT_SETS]
    rows = read_rows(data / "demo" / "en_wikitech_docs.jsonl.gz")
    sets.append([f"{row['title']}\n\n{row['text']}" for row in rows])
    for number, text in enumerate(itertools.islice(itertools.chain(*sets), num)):
        (folder / f"{number:04}.txt").write_text(text, encoding="utf-8")


def write_pdfs(data: Path, folder: Path, num: int) -> None:
    """Copy so many PDF files, evenly chosen."""
    folder.mkdir(parents=True)
    paths = list(demo_pdfs(data).values())
    for path in paths[:: max(1, len(paths) // num)][:num]:
        shutil.copy(path, folder / path.name)


def cpu(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> tuple[float, str]:
    """Run a command; return its CPU seconds with those of its children, and what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-1000:]} {done.stderr[-2000:]}")
    said = done.stdout + done.stderr
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return taken, ", ".join(re.findall(r"\d+ (?:chunks?|texts?)\b", said))


def compare(name: str, files: Path, options: argparse.Namespace) -> None:
    """Print a line for each way that a folder was brought in."""
    out = options.folder / "out"
    settings = WORDS_ONLY if options.words else {}
    words = ["--words"] if options.words else []
    here = Path.cwd()
    runs: dict[str, Callable[[], tuple[float, str]]] = {
        f"ours, {tree}": lambda tree=tree: cpu(  # type: ignore[misc]
            ["kb_service.cli", "ingest", str(files), "--kb", "base", "--wait"],
            tree,
            settings | {"KB_DATA_DIR": str(out)},
        )
        for tree in options.trees
    }
    subject = ["benchmarks.langchain_subject", str(files), str(out), *words]
    runs["LangChain"] = lambda: cpu(subject, here, settings)
    taken: dict[str, list[float]] = {way: [] for way in runs}
    said: dict[str, str] = {}
    for _ in range(options.rounds):
        for way, run in runs.items():
            shutil.rmtree(out, ignore_errors=True)
            seconds, said[way] = run()
            taken[way].append(seconds)
    theirs = statistics.median(taken["LangChain"])
    for way, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"{name}, {way}: {middle:.1f} s ({middle / theirs:.2f} x; {min(seconds):.1f} to"
              f" {max(seconds):.1f}), {said[way]}", flush=True)  # fmt: skip


def main() -> None:
    """Compare texts, then PDF files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--pdf", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--words", action="store_true", help="without vectors")
    parser.add_argument("--trees", type=Path, nargs="+", default=[Path.cwd()])
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.trees = [tree.resolve() for tree in options.trees]
    shutil.rmtree(options.folder, ignore_errors=True)
    if options.texts:
        write_texts(options.data, options.folder / "texts", options.texts)
        compare("texts", options.folder / "texts", options)
    if options.pdf:
        write_pdfs(options.data, options.folder / "pdf", options.pdf)
        compare("PDF", options.folder / "pdf", options)


if __name__ == "__main__":
    main()
