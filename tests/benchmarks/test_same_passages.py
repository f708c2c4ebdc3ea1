"""The comparison of both indexes on some reports of the demonstration, with all its questions."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.same_passages import SAME, asked, compared, difference
from kb_service.domain.queries import ScoredChunk
from kb_service.services.demo import DEMO_FOLDER
from tests.retrievers.engines import NO_MILVUS
from tests.retrievers.memory_source import MemorySource, stored


def test_the_demonstration_finds_the_same_in_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymilvus", reason=NO_MILVUS)
    pytest.importorskip("milvus_lite", reason=NO_MILVUS)
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    monkeypatch.setenv("KB_RETRIEVAL__DENSE_WEIGHT", "0.5")
    # The shipped encoder: a random one finds most passages equally near, and ties may fall any way.
    monkeypatch.delenv("KB_EMBEDDING__MODEL")
    names = ("SG-2024", "wikitech-2017", "ntsb-20080108")
    reports = [path for path in sorted(DEMO_FOLDER.glob("*.pdf")) if path.name.startswith(names)]
    assert len(reports) == 5
    questions = asked()
    assert compared(tmp_path, reports, questions, 20) == {SAME: len(questions)}


def test_a_difference_is_named() -> None:
    source = MemorySource()
    source.put("a", "one", "two", "three")
    one, two, three = (
        ScoredChunk(stored(chunk).chunk, "", 1.0, {"lexical": 1}, {"lexical": 2.0})
        for chunk in source.live["a"]
    )
    louder = replace(one, scores={"lexical": 2.1})
    assert difference((one, two), (one, two)) == SAME
    assert difference((one, two), (louder, two)) == "the same, with other scores"
    assert difference((one, two), (two, one)) == "the same passages in another order"
    assert difference((one, two), (one, three)) == "other passages"
