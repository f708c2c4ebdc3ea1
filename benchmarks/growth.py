"""What indexes cost as a base grows: to publish, to open, to search, to hold.

    python -m benchmarks.growth [--chunks 1000 10000 50000 100000] [--dimension 384]

Chunks and vectors are made up (vectors in groups, as those of texts lie), the database is a
stand-in that holds nothing, the indexes are the real ones. At each size a thousand documents of ten
chunks come in, published as a worker does; bytes are those of files that no snapshot before had.
CPU is that of one process on one thread, memory that of another process which opens what was
published and searches it. Counts and ratios are worth more than milliseconds on a busy machine.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from kb_service.domain.documents import Chunk
from kb_service.domain.ports import EmbeddingProfile, IndexChange, IndexedChunk, StoredChunk
from kb_service.domain.queries import Filters
from kb_service.domain.spans import PageRegion
from retrievers.library import MAX_DELTA_REVISIONS, IndexLibrary
from retrievers.live import LiveIndex
from retrievers.snapshots import SnapshotStore

KB = "kb_growth"
CHUNKS_EACH = 10
WORDS_EACH = 60
VOCABULARY = 30_000
GROUPS = 500
NUM_CALLS = 20
NUM_HITS = 100


class MadeUp:
    """An IndexSource of `num_documents` documents, each of one revision, made when it is read."""

    def __init__(self, dimension: int, num_documents: int = 0) -> None:
        self.num_documents = num_documents
        self.profile = EmbeddingProfile("made up", dimension, "f" * 64)
        self._centres = np.random.default_rng(1).standard_normal((GROUPS, dimension))

    def vector(self, chunk_id: int) -> bytes:
        dice = np.random.default_rng(chunk_id)
        centre = self._centres[dice.integers(GROUPS)]
        row = centre + 0.8 * dice.standard_normal(self.profile.dimension)
        return bytes((row / np.linalg.norm(row)).astype("<f4").tobytes())

    def head(self, kb_id: str) -> int:
        return self.num_documents if kb_id == KB else 0

    def changes(self, kb_id: str, after: int) -> list[IndexChange]:
        return [IndexChange(n, n, is_added=True) for n in range(after + 1, self.head(kb_id) + 1)]

    def revision_chunks(self, revision_id: int, profile: EmbeddingProfile) -> list[IndexedChunk]:
        first = CHUNKS_EACH * revision_id
        owner = revision_id, f"doc_{revision_id:010}", f"report {revision_id}"
        return [
            IndexedChunk(n, *owner, words(n), self.vector(n))
            for n in range(first, first + CHUNKS_EACH)
        ]

    def live_chunks(self, kb_id: str, profile: EmbeddingProfile) -> Iterator[IndexedChunk]:
        for revision_id in range(1, self.num_documents + 1):
            yield from self.revision_chunks(revision_id, profile)

    def hydrate(self, kb_id: str, chunk_ids: Sequence[int]) -> dict[int, StoredChunk]:
        raise NotImplementedError("nothing is read back here")

    def chunk_regions(self, found: Sequence[Chunk]) -> list[tuple[PageRegion, ...]]:
        raise NotImplementedError("nothing is read back here")

    def matching_documents(self, kb_id: str, filters: Filters) -> frozenset[str]:
        raise NotImplementedError("nothing is filtered here")


def words(seed: int) -> str:
    """Return made-up words, some of them far more frequent than others, half of them Chinese."""
    dice = random.Random(seed)
    numbers = (int(VOCABULARY ** dice.random()) for _ in range(WORDS_EACH))
    return " ".join(f"w{n}" if n % 2 else chr(0x4E00 + n % 20_000) for n in numbers)


def library(source: MadeUp, folder: Path) -> IndexLibrary:
    return IndexLibrary(source, source.profile, folder / "index")


def grow(source: MadeUp, indexes: IndexLibrary, folder: Path, num_documents: int) -> dict[str, int]:
    """Bring the base to so many documents, publishing as a worker does; return bytes written."""
    written = {"words": 0, "vectors": 0, "rest": 0}
    while source.num_documents < num_documents:
        source.num_documents = min(source.num_documents + MAX_DELTA_REVISIONS, num_documents)
        for action in (indexes.refresh, indexes.tend):
            before = {path.stat().st_ino for path, _ in files(folder, source)}
            while action(KB):
                pass
            for path, kind in files(folder, source):
                if path.stat().st_ino not in before:
                    written[kind] += path.stat().st_size
    return written


def files(folder: Path, source: MadeUp) -> list[tuple[Path, str]]:
    """Return the files of the current snapshot, and what each is for."""
    store = SnapshotStore(folder / "index", KB, source.profile)
    name = store.current_name()
    found = (store.folder / name).rglob("*") if name else iter(())
    kinds = {"lexical": "words", "dense-zh": "vectors", "dense-en": "vectors"}
    return [(path, kinds.get(path.parent.name, "rest")) for path in found if path.is_file()]


def cpu_ms(action: Callable[[], object]) -> float:
    """Return the CPU of one call, the median of some, in milliseconds."""
    spent = []
    for _ in range(NUM_CALLS):
        before = time.process_time()
        action()
        spent.append(1000 * (time.process_time() - before))
    return statistics.median(spent)


def questions(source: MadeUp) -> tuple[list[dict[str, float]], list[bytes]]:
    terms = [dict.fromkeys(words(-n).split()[:8], 1.0) for n in range(1, NUM_CALLS + 1)]
    return terms, [source.vector(-n % 2**31) for n in range(1, NUM_CALLS + 1)]


def searched(source: MadeUp, index: LiveIndex) -> dict[str, float]:
    """Return the CPU of each leg, and how much of the true hits the dense one finds."""
    terms, vectors = questions(source)
    lexical, dense = iter(terms), iter(vectors)
    return {
        "lexical ms": cpu_ms(lambda: index.search_lexical(next(lexical), NUM_HITS)),
        "dense ms": cpu_ms(lambda: index.search_dense(next(dense), NUM_HITS)),
    }


def recall(source: MadeUp, index: LiveIndex) -> float:
    """Return how many of the ten nearest of all vectors the dense leg finds."""
    first, last = CHUNKS_EACH, CHUNKS_EACH * (source.num_documents + 1)
    rows = np.frombuffer(b"".join(map(source.vector, range(first, last))), dtype="<f4")
    rows = rows.reshape(last - first, -1)
    shares = []
    for vector in questions(source)[1]:
        truth = np.argsort(-(rows @ np.frombuffer(vector, dtype="<f4")))[:10] + first
        hits = index.search_dense(vector, 10).values()
        shares.append(len({hit[0] for each in hits for hit in each} & set(truth.tolist())) / 10)
    return statistics.fmean(shares)


def opened_elsewhere(folder: Path, source: MadeUp) -> dict[str, float]:
    """Return what a new process pays that opens what is published, and searches it."""
    arguments = ["--open", str(folder), "--dimension", str(source.profile.dimension)]
    command = [sys.executable, "-m", "benchmarks.growth", *arguments]
    command += ["--documents", str(source.num_documents)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(told)
    return figures


def open_here(folder: Path, source: MadeUp) -> None:
    """Print as JSON what opening and searching takes in this process."""
    before_mb, before = own_mb(), time.process_time()
    indexes = library(source, folder)
    indexes.ask(KB, lambda _: None)
    opening_s = time.process_time() - before
    told = indexes.ask(KB, lambda index: searched(source, index)) or {}
    told |= {"open CPU s": opening_s, "own MB": own_mb() - before_mb}
    told["recall@10"] = indexes.ask(KB, lambda index: recall(source, index)) or 0.0
    print(json.dumps(told))
    indexes.close()


def own_mb() -> float:
    """Return the memory that no other process can share."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if "RssAnon" in line)) / 1024


def row(
    source: MadeUp, indexes: IndexLibrary, folder: Path, num_documents: int
) -> dict[str, float]:
    """Grow to a size, then measure a thousand more documents and what a reader pays."""
    grow(source, indexes, folder, num_documents)
    written = grow(source, indexes, folder, num_documents + 1000)
    num_chunks = CHUNKS_EACH * source.num_documents
    size = sum(path.stat().st_size for path, _ in files(folder, source))
    told: dict[str, float] = {"chunks": num_chunks, "disk B/chunk": size / num_chunks}
    told |= {f"MB written, {kind}": 1e-6 * num for kind, num in written.items()}
    told |= opened_elsewhere(folder, source)
    source.num_documents += 1
    before = time.process_time()
    indexes.ask(KB, lambda _: None)
    told["add one, ms"] = 1000 * (time.process_time() - before)
    return told


def main() -> None:
    """Print one line of figures for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, nargs="*", default=[1000, 10_000, 50_000, 100_000])
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--documents", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    source = MadeUp(arguments.dimension, arguments.documents)
    if arguments.open:
        open_here(arguments.open, source)
        return
    with tempfile.TemporaryDirectory() as folder:
        indexes = library(source, Path(folder))
        for num_chunks in arguments.chunks:
            told = row(source, indexes, Path(folder), num_chunks // CHUNKS_EACH)
            print(" · ".join(f"{name} {value:.6g}" for name, value in told.items()), flush=True)
        indexes.close()


if __name__ == "__main__":
    main()
