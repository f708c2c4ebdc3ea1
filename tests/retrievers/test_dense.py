"""The dense leg: exact and graph search, removal, filters, and vectors of the wrong size."""

from pathlib import Path

import numpy as np
import pytest

from kb_service.domain.errors import StorageError
from retrievers import dense
from retrievers.dense import DenseIndex, kind_for

DIMENSION = 16
RNG = np.random.default_rng(7)
ROWS = RNG.standard_normal((300, DIMENSION)).astype("<f4")
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)
VECTORS = [row.tobytes() for row in ROWS]
IDS = list(range(1000, 1300))
KINDS = pytest.mark.parametrize("kind", ["flat", "hnsw"])


def filled(kind: str) -> DenseIndex:
    """Return an index of all vectors."""
    index = DenseIndex(DIMENSION, kind)
    index.add(IDS[:200], VECTORS[:200])
    index.add(IDS[200:], VECTORS[200:])
    return index


def nearest(query: int, allowed: set[int], limit: int) -> list[int]:
    """Return the truth: allowed chunk ids by inner product, positive ones only."""
    scores = {chunk_id: float(ROWS[chunk_id - 1000] @ ROWS[query]) for chunk_id in allowed}
    ranked = sorted(scores, key=lambda chunk_id: -scores[chunk_id])
    return [chunk_id for chunk_id in ranked if scores[chunk_id] > 0][:limit]


@KINDS
def test_it_finds_the_nearest_chunks(kind: str) -> None:
    hits = filled(kind).search(VECTORS[5], 10)
    assert [chunk_id for chunk_id, _ in hits] == nearest(5, set(IDS), 10)
    assert hits[0][1] == pytest.approx(1.0, abs=1e-5)


@KINDS
def test_removed_chunks_neither_appear_nor_take_a_place(kind: str) -> None:
    index = filled(kind)
    gone = nearest(5, set(IDS), 8)
    index.remove([*gone, 999_999])
    found = [chunk_id for chunk_id, _ in index.search(VECTORS[5], 10)]
    assert found == nearest(5, set(IDS) - set(gone), 10)
    assert (index.num_chunks, index.num_removed) == (292, 8)


@KINDS
@pytest.mark.parametrize("exact_limit", [0, 5000])
def test_a_filter_is_applied_before_the_best_are_taken(
    kind: str, exact_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "EXACT_LIMIT", exact_limit)
    allowed = set(IDS[::3])
    hits = filled(kind).search(VECTORS[4], 10, allowed)
    assert [chunk_id for chunk_id, _ in hits] == nearest(4, allowed, 10)
    assert filled(kind).search(VECTORS[4], 10, {5}) == []


@KINDS
def test_what_was_saved_is_loaded(kind: str, tmp_path: Path) -> None:
    index = filled(kind)
    index.remove(IDS[:5])
    index.save(tmp_path)
    loaded = DenseIndex.load(tmp_path)
    assert loaded.kind == kind
    assert loaded.search(VECTORS[9], 10) == index.search(VECTORS[9], 10)
    assert (loaded.num_chunks, loaded.num_removed) == (295, 5)


def test_a_question_without_known_words_finds_nothing_by_vector() -> None:
    assert filled("flat").search(bytes(4 * DIMENSION), 10) == []


def test_a_vector_of_another_size_is_refused_by_name() -> None:
    with pytest.raises(StorageError, match="chunk 3 has 8 bytes, not 64"):
        DenseIndex(DIMENSION).add([3], [bytes(8)])


def test_the_kind_follows_the_number_of_vectors() -> None:
    assert (kind_for(50_000), kind_for(50_001)) == ("flat", "hnsw")


def test_searching_gives_the_thread_setting_back() -> None:
    import faiss

    faiss.omp_set_num_threads(2)
    filled("flat").search(VECTORS[0], 3)
    assert faiss.omp_get_max_threads() == 2
