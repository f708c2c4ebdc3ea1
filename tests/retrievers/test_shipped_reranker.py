"""The reranker in the repository: whole, small, the same in numpy as in its library, and useful."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.checksums import verify_checksums
from kb_service.settings import RerankSettings
from retrievers.cross_encoder import CrossEncoderReranker, LibraryModel, load_reranker
from retrievers.small_bert import SmallBert

FOLDER = Path(RerankSettings().model)
MAX_BYTES = 40_000_000
QUESTION = "爆炸造成多少人死亡？"
PASSAGES = [
    "爆炸发生后，当地政府召开会议，部署安全检查工作，要求企业整改。",
    "爆炸造成78人死亡，76人重伤，直接经济损失19亿元。",
    "造成爆炸的原因是硝化废料长期堆积自燃。",
]


@pytest.fixture(scope="module")
def reranker() -> Iterator[CrossEncoderReranker]:
    loaded = load_reranker(FOLDER)
    yield loaded
    loaded.close()


def test_every_file_is_listed_and_matches_its_checksum() -> None:
    files = {p.name for p in FOLDER.iterdir()}
    assert set(verify_checksums(FOLDER)) == files - {"SHA256SUMS.json"}
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) <= MAX_BYTES
    assert "CC BY-SA 4.0" in (FOLDER / "LICENSE").read_text(encoding="utf-8")


def test_the_passage_that_answers_comes_first(reranker: CrossEncoderReranker) -> None:
    scores = reranker.score(QUESTION, PASSAGES)
    assert scores.index(max(scores)) == 1
    english = ["The pilot held a licence.", "The valve failed at 14:20 because of corrosion."]
    scores = reranker.score("Why did the valve fail?", english)
    assert scores[1] > scores[0]


def test_it_scores_as_the_library_does(reranker: CrossEncoderReranker) -> None:
    assert isinstance(reranker._model, SmallBert)
    pairs = [(QUESTION, passage) for passage in [*PASSAGES, "", "长" * 900]]
    expected = LibraryModel(FOLDER).logits(pairs)
    assert reranker._model.logits(pairs) == pytest.approx(expected, abs=1e-3)
