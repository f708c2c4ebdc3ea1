"""How much of the nearest texts do lists of vectors find, of real sentences and real questions?

    python -m benchmarks.real_vectors --data DATA --folder FOLDER [--questions 500]

The sentences of the reading sets are embedded once (kept in FOLDER, resumable, on lowest priority)
and searched twice by the sets' questions: all compared, and by lists. Told: the CPU of a search in
milliseconds of both, the share of the ten nearest that the lists find (recall@10), and of how many
questions they find less than half.
"""

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.memory_base import reading_rows
from kb_service.domain.ports import Vector
from kb_service.evaluation.resampling import FloatArray
from kb_service.language.text import sentence_spans
from kb_service.model_parts import encoder_kernel
from kb_service.services.keeping import step_back
from kb_service.settings import EmbeddingSettings
from retrievers.embedding import load_embedder
from retrievers.engine import single_thread
from retrievers.vector_segment import VectorSegment, in_memory, merged

SETS = ("zh_cmrc2018", "zh_drcd", "zhHant_drcd", "en_squad", "en_covidqa")
FOLDERS = ("train", "dev")
LEAST_CHARS, MOST_CHARS = 8, 600
BATCH = 512
NUM_HITS = 10


def texts_of(data: Path) -> tuple[list[str], list[str]]:
    """Return the sentences of all texts and the questions, each once, in a fixed order."""
    sentences: dict[str, None] = {}
    questions: dict[str, None] = {}
    for path in sorted(data / part / f"{name}.jsonl.gz" for part in FOLDERS for name in SETS):
        for row in reading_rows(path) if path.exists() else ():
            text = str(row["context"])
            found = (span.of(text).strip() for span in sentence_spans(text))
            sentences |= dict.fromkeys(s for s in found if LEAST_CHARS <= len(s) <= MOST_CHARS)
            questions[str(row["question"])] = None
    return list(sentences), list(questions)


class Kept:
    """Vectors of texts, in files of `BATCH` each; those that are there are not computed again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = EmbeddingSettings()
        self._embedder = load_embedder(
            settings.model, allow_download=False, num_threads=1, kernel=encoder_kernel()
        )
        folder.mkdir(parents=True, exist_ok=True)

    def passages(self, texts: Sequence[str]) -> FloatArray:
        """Return the rows of the passages, (n, dimension)."""
        rows = []
        for first in range(0, len(texts), BATCH):
            path = self._folder / f"{first:08}.npy"
            if not path.exists():
                vectors = self._embedder.embed_passages(list(texts[first : first + BATCH]))
                unfinished = path.with_suffix(".part")
                with unfinished.open("wb") as file:
                    np.save(file, rows_of(vectors))
                unfinished.rename(path)
            rows.append(np.load(path, allow_pickle=False))
        return np.concatenate(rows)

    def questions(self, texts: Sequence[str]) -> FloatArray:
        return rows_of([self._embedder.embed_query(text) for text in texts])


def rows_of(vectors: Sequence[Vector]) -> FloatArray:
    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])


def searched(segment: VectorSegment, questions: FloatArray) -> tuple[list[set[int]], float]:
    """Return the ids that each question finds, and the CPU of one search in milliseconds."""
    found, spent = [], []
    with single_thread():
        for row in questions:
            before = time.process_time()
            ids, _ = segment.search(row, NUM_HITS, None)
            spent.append(1000 * (time.process_time() - before))
            found.append(set(ids.tolist()))
    return found, statistics.median(spent)


def compared(rows: FloatArray, questions: FloatArray, folder: Path) -> str:
    """Return a row of the table: both kinds of segment over the same vectors."""
    whole = in_memory(np.arange(len(rows), dtype=np.int64), rows.astype(np.float32))
    found, spent = {}, {}
    for kind in ("flat", "ivf"):
        name = merged([whole], folder, rows.shape[1], kind)
        segment = VectorSegment.open(folder, name, rows.shape[1])
        found[kind], spent[kind] = searched(segment, questions)
        segment.discard()
    recalls = [len(a & b) / NUM_HITS for a, b in zip(found["flat"], found["ivf"], strict=True)]
    low = statistics.fmean(share < 0.5 for share in recalls)
    return (
        f"| {len(rows):,} | {spent['flat']:.2f} | {spent['ivf']:.2f} "
        f"| {statistics.fmean(recalls):.3f} | {100 * low:.1f} % |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=500)
    arguments = parser.parse_args()
    step_back(19)
    sentences, questions = texts_of(arguments.data)
    asked = random.Random(2026).sample(questions, arguments.questions)
    kept = Kept(arguments.folder / "vectors")
    print(
        f"{len(sentences):,} sentences, {len(asked):,} of {len(questions):,} questions", flush=True
    )
    rows, queries = kept.passages(sentences), kept.questions(asked)
    mixed = np.random.default_rng(2026).permutation(len(rows))
    print(
        "| vectors | all compared, ms | lists, ms | recall@10 | under half |\n|---|---|---|---|---|"
    )
    for share in (4, 2, 1):
        print(compared(rows[mixed[: len(rows) // share]], queries, arguments.folder), flush=True)


if __name__ == "__main__":
    main()
