"""The gate of a reranker on a tiny set: both ends of its weight, and each pair read once."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.fusion import LEXICAL
from benchmarks.memory_base import Corpus, corpus_of_rows
from benchmarks.reranking import Remembered, measure, measure_all, named
from kb_service.evaluation.questions import Row

FIRST, SECOND = "the valve the valve leaked at noon", "the valve of hall 3 was shut by night"


class KnowsTheAnswer:
    """Scores what was shut above everything else."""

    name = "knows"

    def __init__(self) -> None:
        self.num_calls = 0

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.num_calls += 1
        return [9.0 if "shut" in text else 0.0 for text in texts]

    def close(self) -> None:
        pass


def corpus() -> Corpus:
    """Two documents; the words of the question find the wrong one first."""
    texts = (FIRST, SECOND)
    rows: list[Row] = [
        {
            "id": f"q{number}",
            "lang": "en",
            "title": "",
            "context": text,
            "question": "the valve the valve leaked or what",
            "answers": [{"text": "hall 3", "start": text.find("hall 3")}],
            "answerable": "hall 3" in text,
        }
        for number, text in enumerate(texts)
    ]
    return corpus_of_rows("dev/tiny", rows)


def test_the_order_of_the_reranker_is_measured_and_each_pair_is_read_once() -> None:
    model = KnowsTheAnswer()
    column = measure(corpus(), Remembered(model), [1.0, 0.001])
    [words], [alone], [hardly] = (column[name] for name in (LEXICAL, named(1.0), named(0.001)))
    assert alone == 1.0
    assert hardly == words < 1.0
    assert model.num_calls <= 2, "the warm-up and the question"


def test_every_set_has_a_row_and_the_mean_stands_below() -> None:
    lines: list[str] = []
    sets = [corpus(), replace(corpus(), name="dev/other")]
    measured = measure_all(sets, KnowsTheAnswer(), [1.0], lines.append)
    assert list(measured) == ["dev/tiny", "dev/other"]
    assert lines[2].startswith("| dev/tiny (1) | 63.09 | +36.91 ")
    assert lines[-1].startswith("| mean of 2 sets | | +36.91 ")
