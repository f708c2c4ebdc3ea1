"""Judging the pocket reader: the rule of the gate, the record, the ways to use it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.memory_base import Corpus
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.judging import Outcome
from kb_service.evaluation.questions import Question
from kb_service.evaluation.resampling import Resampling
from kb_service.generation.pocket import PocketGenerator, best_words, candidates, is_readable
from kb_service.generation.pocket_model import Reading
from kb_service.generation.pocket_prompt import ReaderTokenizer
from kb_service.generation.reading import Quotation
from llm.models.build import random_model
from tests.training.reader_data import EN, ZH
from training.reader.copy_circuit import wire
from training.reader.curve_picture import curve_svg
from training.reader.gate import EXTRACTIVE, ask_set, reworded, verdicts
from training.reader.readers import CopyReader, SpanReader
from training.reader.reading import CopyingReader
from training.reader.recipe import TINY, model_config
from training.reader.record import Asked, Recorder, read_record, write_record
from training.reader.tokens import train_tokenizer

DOCUMENTS = {f"doc_{n}": (f"文件{n}", text) for n, text in enumerate((*ZH, *EN))}
QUESTIONS = [
    Question("q1", "长江大桥什么时候建成通车？", ("1957年10月15日",)),
    Question("q2", "李明在哪所大学取得博士学位？", ("剑桥大学",)),
    Question("q3", "When did the Panama Canal open?", ("1914",)),
    Question("q4", "月球背面的温度是多少？", is_answerable=False),
]
QUOTED = "长江大桥位于武汉市，于1957年10月15日建成通车，全长1670米。"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> CopyingReader:
    path = tmp_path_factory.mktemp("reader") / "tokenizer.model"
    tokenizer = ReaderTokenizer(train_tokenizer([*ZH, *EN] * 4, path, TINY.tokenizer))
    model = random_model(model_config(TINY.size, tokenizer.plain.num_ids))
    wire(model, seed=0)
    return CopyingReader(model, tokenizer)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus("some", DOCUMENTS, QUESTIONS, {})


def quotation(text: str = QUOTED, words: str = "1957年10月15日") -> Quotation:
    passage = Passage(1, 1, "d", 1, "0" * 64, "题", TextSpan(0, len(text)), text, 1.0)
    return Quotation(passage, TextSpan(0, len(text)), text, words, 1.0)


def outcomes(f1: float, num: int = 40, status: str = "answered") -> list[Outcome]:
    asked = [Question(f"q{n}", "?", ("a",)) for n in range(num)]
    jitter = [f1 + 0.01 * (n % 2) for n in range(num)]
    return [
        Outcome(q, status, None, "a", "a", 0.1, {"f1": score, "cites_answer": f1})
        for q, score in zip(asked, jitter, strict=True)
    ]


def test_the_gate_opens_for_five_points_more_and_nothing_lost() -> None:
    base = {"one": outcomes(0.40), "two": outcomes(0.30)}
    better = {"one": outcomes(0.47), "two": outcomes(0.37)}
    (found,) = verdicts({EXTRACTIVE: base, "new": better}, Resampling())
    assert found.passes
    assert found.gain.difference.value == pytest.approx(0.07)
    assert "new passes: F1 +7.0" in found.line()


def test_the_gate_stays_shut_below_five_points_or_for_a_lost_citation() -> None:
    base = {"one": outcomes(0.40)}
    (little,) = verdicts({EXTRACTIVE: base, "new": {"one": outcomes(0.43)}}, Resampling())
    assert not little.passes
    uncited = [replace(each, scores={**each.scores, "cites_answer": 0.1}) for each in outcomes(0.6)]
    (lost,) = verdicts({EXTRACTIVE: base, "new": {"one": uncited}}, Resampling())
    assert not lost.passes
    assert "cites_answer 40.0 -> 10.0" in lost.line()


def test_choosing_other_words_of_a_quotation_equals_asking_the_service(
    corpus: Corpus, reader: CopyingReader
) -> None:
    recorder = Recorder()
    asked = recorder.beside(ask_set(corpus, recorder))
    assert sum(each.quotation is not None for each in asked) >= 3
    for use in (SpanReader(reader), PocketGenerator(reader)):
        served = ask_set(corpus, use)
        for ours, theirs in zip(reworded(asked, use), served, strict=True):
            assert ours.answer == theirs.answer
            assert ours.status == theirs.status
            assert ours.scores == theirs.scores


def test_a_record_gives_back_what_was_asked(corpus: Corpus, tmp_path: Path) -> None:
    recorder = Recorder()
    asked = recorder.beside(ask_set(corpus, recorder))
    write_record(tmp_path / "record.json", asked)
    again = read_record(tmp_path / "record.json", corpus.questions)
    assert [each.outcome for each in again] == [each.outcome for each in asked]
    texts = [each.quotation.text for each in again if each.quotation]
    assert texts == [each.quotation.text for each in asked if each.quotation]
    with pytest.raises(ValueError, match="other questions"):
        read_record(tmp_path / "record.json", corpus.questions[:2])


def test_the_copying_reader_answers_with_cited_sentences(
    corpus: Corpus, reader: CopyingReader
) -> None:
    found = ask_set(corpus, CopyReader(reader))
    for each in found:
        assert each.status in ("answered", "partial", "refused")
        if not each.is_refused:
            assert each.scores["quotes_hold"] == 1.0
            assert each.words in each.answer


def test_fields_and_refusals_keep_their_words(reader: CopyingReader) -> None:
    field = replace(quotation("发生时间：1957年"), is_field=True)
    assert not is_readable(field)
    assert not is_readable(quotation("长" * 400))
    (outcome,) = outcomes(0.5, 1)
    refused = replace(outcome, status="refused")
    kept = reworded([Asked(outcome, field), Asked(refused, quotation())], SpanReader(reader))
    assert kept == [outcome, refused]


def test_candidates_are_stretches_of_the_quotation_with_the_rules_words_first() -> None:
    spans = candidates("长江大桥什么时候建成通车？", quotation())
    assert spans[0].of(QUOTED) == "1957年10月15日"
    assert len(spans) == len(set(spans))
    assert all(span.of(QUOTED).strip() == span.of(QUOTED) != "" for span in spans)
    assert "1957年10月15日建成通车" in [span.of(QUOTED) for span in spans]
    assert "武汉市" not in [span.of(QUOTED) for span in spans]


def test_the_bonus_decides_between_the_rules_words_and_likelier_ones() -> None:
    rule, other = TextSpan(11, 22), TextSpan(6, 9)
    words = rule.of(QUOTED)
    readings = [Reading(1, rule, -3.0, 1.0, 1), Reading(1, other, -1.0, 1.0, 1)]
    assert best_words(QUOTED, words, readings, bonus=0.0) == other.of(QUOTED)
    assert best_words(QUOTED, words, readings, bonus=2.5) == words
    assert best_words(QUOTED, words, [], bonus=0.0) == words


def test_a_greedy_reading_has_the_probability_of_its_words(reader: CopyingReader) -> None:
    question = "长江大桥什么时候建成通车？"
    reading = reader.read(question, [QUOTED], forced=1)
    assert reading.span is not None
    with torch.inference_mode():
        (scored,) = reader.score(question, [QUOTED], 1, [reading.span])
    # Where the words end at the sentence's end, greedy reading does not ask for the end.
    assert scored.log_probability <= reading.log_probability + 1e-3


def test_the_picture_of_a_curve_has_a_line_for_each_loss() -> None:
    curve = [
        {"step": n, "tokens": n * 1000, "seconds": n, "citation": 1 / n, "citation_hits": 0.5}
        for n in range(1, 9)
    ]
    picture = curve_svg(curve, "A run")
    assert picture.count("<polyline") == 2
    assert "0.01 M tokens" in picture
    with pytest.raises(ValueError, match="0 lines"):
        curve_svg([], "None")


def test_a_record_is_plain_json(corpus: Corpus, tmp_path: Path) -> None:
    (outcome,) = outcomes(0.5, 1)
    write_record(tmp_path / "r.json", [Asked(outcome, quotation())])
    row = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert row["quotation"]["words"] == "1957年10月15日"
