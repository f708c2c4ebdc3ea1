"""The dense leg: exact search and search in lists, removal, filters, segments and their merging."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.errors import StorageError
from retrievers import dense, partition, vector_segment
from retrievers.dense import DenseIndex, kind_for, tier_of

DIMENSION = 16
RNG = np.random.default_rng(7)
ROWS = RNG.standard_normal((300, DIMENSION)).astype("<f4")
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)
VECTORS = [row.tobytes() for row in ROWS]
IDS = list(range(1000, 1300))
KINDS = pytest.mark.parametrize("kind", ["flat", "ivf", "memory"])

Filled = Callable[[str], DenseIndex]


@pytest.fixture
def filled(tmp_path: Path) -> Filled:
    """Make an index of all vectors: in one file, in lists in one file, or in memory."""

    def make(kind: str) -> DenseIndex:
        folder = None if kind == "memory" else tmp_path / f"work-{kind}"
        index = DenseIndex(DIMENSION, folder, flat_limit=0 if kind == "ivf" else 300)
        for first in range(0, 300, 75):
            index.add(IDS[first : first + 75], VECTORS[first : first + 75])
            index.seal()
        merge_all(index)
        assert index.kind == ("ivf" if kind == "ivf" else "flat")
        return index

    return make


def merge_all(index: DenseIndex) -> None:
    while merge := index.due():
        assert index.adopt(merge, merge.run())


def nearest(query: int, allowed: set[int], limit: int) -> list[int]:
    """Return the truth: allowed chunk ids by inner product, positive ones only."""
    scores = {chunk_id: float(ROWS[chunk_id - 1000] @ ROWS[query]) for chunk_id in allowed}
    ranked = sorted(scores, key=lambda chunk_id: -scores[chunk_id])
    return [chunk_id for chunk_id in ranked if scores[chunk_id] > 0][:limit]


@KINDS
def test_it_finds_the_nearest_chunks(kind: str, filled: Filled) -> None:
    hits = filled(kind).search(VECTORS[5], 10)
    assert [chunk_id for chunk_id, _ in hits] == nearest(5, set(IDS), 10)
    assert hits[0][1] == pytest.approx(1.0, abs=1e-5)


@KINDS
def test_removed_chunks_neither_appear_nor_take_a_place(kind: str, filled: Filled) -> None:
    index = filled(kind)
    gone = nearest(5, set(IDS), 8)
    index.remove([*gone, 999_999])
    found = [chunk_id for chunk_id, _ in index.search(VECTORS[5], 10)]
    assert found == nearest(5, set(IDS) - set(gone), 10)
    assert (index.num_chunks, index.num_removed) == (292, 8)


@KINDS
@pytest.mark.parametrize("exact_limit", [0, 5000])
def test_a_filter_is_applied_before_the_best_are_taken(
    kind: str, exact_limit: int, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_segment, "EXACT_LIMIT", exact_limit)
    allowed = set(IDS[::3])
    index = filled(kind)
    hits = index.search(VECTORS[4], 10, allowed)
    assert [chunk_id for chunk_id, _ in hits] == nearest(4, allowed, 10)
    assert index.search(VECTORS[4], 10, {5}) == []


@KINDS
def test_what_was_saved_is_loaded(kind: str, filled: Filled, tmp_path: Path) -> None:
    index = filled(kind)
    index.remove(IDS[:5])
    (tmp_path / "saved").mkdir()
    index.save(tmp_path / "saved")
    loaded = DenseIndex.load(tmp_path / "saved")
    assert loaded.kind == index.kind
    assert loaded.search(VECTORS[9], 10) == index.search(VECTORS[9], 10)
    assert (loaded.num_chunks, loaded.num_removed) == (295, 5)


def test_a_question_without_known_words_finds_nothing_by_vector(filled: Filled) -> None:
    assert filled("flat").search(bytes(4 * DIMENSION), 10) == []


def test_a_vector_of_another_size_is_refused_by_name() -> None:
    with pytest.raises(StorageError, match="chunk 3 has 8 bytes, not 64"):
        DenseIndex(DIMENSION).add([3], [bytes(8)])


def test_the_kind_follows_the_number_of_vectors() -> None:
    assert (kind_for(50_000), kind_for(50_001)) == ("flat", "ivf")
    assert [tier_of(number) for number in (0, 3, 4, 15, 16)] == [0, 0, 1, 1, 2]


def test_searching_gives_the_thread_setting_back(filled: Filled) -> None:
    import faiss

    faiss.omp_set_num_threads(2)
    filled("flat").search(VECTORS[0], 3)
    assert faiss.omp_get_max_threads() == 2


@KINDS
def test_a_chunk_scores_the_same_whatever_segment_it_lies_in(kind: str, filled: Filled) -> None:
    alone = DenseIndex(DIMENSION)
    alone.add(IDS[7:8], VECTORS[7:8])
    assert alone.search(VECTORS[5], 1)[0] in filled(kind).search(VECTORS[5], 300)


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 64), lambda p: os.utime(p)])
def test_vectors_that_were_changed_in_place_are_not_searched(
    change: Callable[[Path], None], filled: Filled, tmp_path: Path
) -> None:
    index = filled("flat")
    for path in tmp_path.rglob("*.vectors"):
        change(path)
    with pytest.raises(OSError, match="was changed while it was open"):
        index.search(VECTORS[0], 3)


def test_vectors_whose_file_is_removed_stay_readable(filled: Filled, tmp_path: Path) -> None:
    index = filled("ivf")
    for path in tmp_path.rglob("*.vectors"):
        path.unlink()
    assert [hit[0] for hit in index.search(VECTORS[5], 10)] == nearest(5, set(IDS), 10)


def num_open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are listed on Linux")
@pytest.mark.parametrize(("num_vectors", "num_held"), [(64, 0), (65, 1)])
def test_a_small_segment_holds_no_file_open(
    num_vectors: int, num_held: int, tmp_path: Path
) -> None:
    before = num_open_files()
    index = DenseIndex(DIMENSION, tmp_path)
    index.add(IDS[:num_vectors], VECTORS[:num_vectors])
    index.seal()
    assert num_open_files() == before + num_held
    assert index.search(VECTORS[5], 1)[0][0] == 1005
    del index
    assert num_open_files() == before


def test_what_goes_while_segments_are_merged_is_not_in_the_merged_one(tmp_path: Path) -> None:
    index = DenseIndex(DIMENSION, tmp_path, flat_limit=10)
    for first in range(0, 300, 75):
        index.add(IDS[first : first + 75], VECTORS[first : first + 75])
        index.seal()
    merge = dense.Merge(index, tuple(index._segments), tmp_path, "ivf")
    name = merge.run()
    index.remove([1005])
    index.add([2000], [VECTORS[5]])
    assert index.adopt(merge, name)
    assert index.search(VECTORS[5], 1)[0][0] == 2000
    assert (index.num_chunks, index.num_removed) == (300, 1)
    assert not index.adopt(merge, name)  # its parts are here no more


def test_lists_find_what_is_nearest_of_what_lies_in_groups(tmp_path: Path) -> None:
    """As vectors of texts do: few of the lists have to hold nearly all that counts."""
    centres = RNG.standard_normal((200, 64))
    rows = centres[RNG.integers(0, 200, 20_000)] + 0.6 * RNG.standard_normal((20_000, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")
    flat, lists = DenseIndex(64), DenseIndex(64, tmp_path, flat_limit=4000)
    for index in (flat, lists):
        index.add(range(20_000), [row.tobytes() for row in rows])
        index.seal()
    whole = dense.Merge(lists, tuple(lists._segments), tmp_path, "ivf")
    assert lists.adopt(whole, whole.run())
    (segment,) = lists._segments
    assert segment.lists is not None
    ranges = segment.lists.ranges(rows[0], 10, None)
    assert sum(end - start for start, end in ranges) < 20_000 / 6
    shares = []
    for query in rows[:50]:
        truth = {chunk_id for chunk_id, _ in flat.search(query.tobytes(), 10)}
        found = {chunk_id for chunk_id, _ in lists.search(query.tobytes(), 10)}
        shares.append(len(truth & found) / 10)
    assert np.mean(shares) >= 0.95


def test_partitioning_needs_no_more_lists_than_rows() -> None:
    lists, order = partition.partition(1, lambda rows: ROWS[rows])
    assert (lists.starts[-1], order.tolist()) == (1, [0])


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "seal", "merge", "save"]), st.integers(0, 299)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_an_index_that_grew_finds_what_one_made_at_once_finds(steps: list[tuple[str, int]]) -> None:
    live: set[int] = set()
    with tempfile.TemporaryDirectory() as place:
        index = DenseIndex(DIMENSION, Path(place, "work"), flat_limit=6)
        for number, (verb, row) in enumerate(steps):
            if verb == "add":
                new = {*range(row, min(row + 5, 300))} - live
                index.add([1000 + r for r in sorted(new)], [VECTORS[r] for r in sorted(new)])
                live |= new
            elif verb == "remove":
                index.remove([1000 + row])
                live -= {row}
            elif verb == "seal":
                index.seal()
            elif verb == "merge":
                merge_all(index)
            else:
                Path(place, str(number)).mkdir()
                index.save(Path(place, str(number)))
                index = DenseIndex.load(Path(place, str(number)), Path(place, f"w{number}"), 6)
        at_once = DenseIndex(DIMENSION)
        at_once.add([1000 + row for row in sorted(live)], [VECTORS[row] for row in sorted(live)])
        assert index.num_chunks == at_once.num_chunks == len(live)
        for query in VECTORS[:3]:
            assert index.search(query, 10) == at_once.search(query, 10)
        assert {1000 + row for row in live} == {i for i in IDS if i in index}
