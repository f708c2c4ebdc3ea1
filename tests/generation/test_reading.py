"""The trained reader over a scripted network, and the network over a tiny random encoder."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.spans import TextSpan
from kb_service.generation.passage_reader import (
    Confidence,
    Scores,
    TrainedReader,
    best_span,
    trimmed,
)
from kb_service.generation.span_scorer import HEADS, MAX_TOKENS, load_scorer
from kb_service.generation.words_reader import WordsReader
from kb_service.language.asked import parse_question
from tests.encoder.tiny_bert import write_tiny_encoder
from tests.generation.passages import passage

ASKED = parse_question("When did the pump fail?")
PUMP = passage("The pump failed on Monday. It was mended.")
OTHER = passage("The roof leaks.", number=2, document="doc_2")


class Pointing:
    """Points at given words with a given margin; texts without them have no answer."""

    name = "pointing"
    confidence = Confidence(margin=0.2, answerable=0.05, bias=-1.5)

    def __init__(self, **margins: float) -> None:
        self._margins = margins
        self.num_read = 0

    def length(self, text: str) -> int:
        return len(text)

    def room(self, question: str, title: str) -> int:
        return 60

    def score(self, question: str, texts: Sequence[tuple[str, str]]) -> list[Scores]:
        self.num_read += len(texts)
        return [self._scores(text) for _, text in texts]

    def _scores(self, text: str) -> Scores:
        span = np.full((len(text) + 1, 2), -9.0, np.float32)
        span[0] = 0.0
        for words, margin in self._margins.items():
            start = text.find(words)
            if start >= 0:
                span[start + 1, 0] = span[start + len(words), 1] = margin / 2
        return Scores(span, 0.0, [None, *((i, i + 1) for i in range(len(text)))])


def test_the_surest_reading_comes_first_with_its_words() -> None:
    found = TrainedReader(Pointing(Monday=9.0, roof=4.0), 8).read(ASKED, [OTHER, PUMP], {})
    assert [reading.words for reading in found] == ["Monday", "roof"]
    assert found[0].confidence > found[1].confidence


def test_a_wider_margin_is_more_sure() -> None:
    found = [
        TrainedReader(Pointing(Monday=margin), 8).read(ASKED, [PUMP], {})[0].confidence
        for margin in (-8.0, 0.0, 8.0, 30.0)
    ]
    assert found == sorted(found)
    assert all(0 < confidence < 1 for confidence in found)


def test_no_more_windows_are_read_than_the_limit() -> None:
    network = Pointing(Monday=3.0)
    TrainedReader(network, 3).read(ASKED, [passage("A pump. " * 100), PUMP], {})
    assert network.num_read == 3


def test_the_likelier_half_is_read_first_and_suffices_when_it_is_sure() -> None:
    sure, unsure = Pointing(Monday=30.0), Pointing(Monday=-30.0)
    long = passage("The pump failed on Monday. " + "A pump. " * 100)
    TrainedReader(sure, 8).read(ASKED, [long], {})
    TrainedReader(unsure, 8).read(ASKED, [long], {})
    assert (sure.num_read, unsure.num_read) == (4, 8)


def test_a_short_paper_beside_a_sure_one_is_read_too() -> None:
    first = passage("The pump failed on Monday.")
    second = passage("Not on Monday: the pump failed on Tuesday.", number=2, document="doc_2")
    network = Pointing(Monday=30.0, Tuesday=40.0)
    found = TrainedReader(network, 8).read(ASKED, [first, second], {})
    assert [reading.words for reading in found] == ["Tuesday", "Monday"]
    assert network.num_read == 2


def test_of_sentences_that_say_as_much_the_surer_one_is_read() -> None:
    text = passage("The pump had failed on Sunday. The pump did fail on Monday.")
    network = Pointing(Sunday=9.5, Monday=9.0)
    assert TrainedReader(network, 8).read(ASKED, [text], {})[0].words == "Sunday"


@pytest.mark.parametrize(
    ("text", "heading", "said"),
    [
        ("# Pump failure of 3 May\nIt stopped at 09:18 that day.", "3 May", "09:18"),
        ("## Who was told\nThe shift leader was told at once.", "Who", "shift leader"),
        ("一、接警情况\n当日三时接到电话，随即出动。", "接警", "三时"),
        ("# 关于五月三日停水的通报\n四日凌晨恢复供水。", "五月三日", "四日凌晨"),
    ],
)
def test_a_heading_answers_nothing_however_surely_it_is_read(
    text: str, heading: str, said: str
) -> None:
    network = Pointing(**{heading: 30.0, said: 9.0})
    found = TrainedReader(network, 8).read(ASKED, [passage(text)], {})
    assert [reading.words for reading in found] == [said]
    alone = passage(text.partition("\n")[0] + "\n\n" + said)
    assert all(heading not in r.words for r in TrainedReader(network, 8).read(ASKED, [alone], {}))


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        ("13900020588）", "13900020588"),
        (" (Kay Osei ", "Kay Osei"),
        ("HZ-2（续）", "HZ-2（续）"),
        ("（续）", "（续）"),
        ("）", None),
    ],
)
def test_lit_words_end_without_spaces_and_without_half_a_pair_of_brackets(
    read: str, kept: str | None
) -> None:
    found = trimmed(f"他（{read}", TextSpan(2, 2 + len(read)))
    assert (found and found.of(f"他（{read}")) == kept


def test_nothing_is_read_of_nothing() -> None:
    assert TrainedReader(Pointing(), 3).read(ASKED, [], {}) == ()
    assert WordsReader().read(ASKED, [], {}) == ()


def test_an_answer_ends_behind_its_beginning() -> None:
    span = np.zeros((4, 2), np.float32)
    span[3, 0] = span[1, 1] = 9.0  # the best start stands behind the best end
    found = best_span(Scores(span, 0.0, [None, (0, 1), (1, 2), (2, 3)]))
    assert found is not None
    first, last, margin = found
    assert first <= last
    assert margin == 9.0


def test_words_alone_choose_the_unit_that_shares_most() -> None:
    (first, _) = WordsReader().read(ASKED, [OTHER, PUMP], {})
    assert first.words == "The pump failed on Monday."


def heads() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    sizes = ((2, 16), (2,), (1, 16), (1,))
    return {n: rng.normal(size=s).astype(np.float32) for n, s in zip(HEADS, sizes, strict=True)}


def test_the_network_gives_offsets_of_the_text_alone(tmp_path: Path) -> None:
    scorer = load_scorer(write_tiny_encoder(tmp_path / "tiny", heads=heads()), 1)
    text = "fire 火灾 fire"
    (scores,) = scorer.score("fire?", [("Title", text)])
    placed = [offsets for offsets in scores.offsets if offsets]
    assert len(scores.offsets) == len(scores.span) <= MAX_TOKENS
    assert placed[0][0] == 0 and placed[-1][1] == len(text)
    assert scorer.score("fire?", [("Title", text), ("", "fire")])[0].span.tobytes() == (
        scores.span.tobytes()
    )


def test_a_text_past_the_room_is_cut(tmp_path: Path) -> None:
    scorer = load_scorer(write_tiny_encoder(tmp_path / "tiny", heads=heads()), 1)
    assert len(scorer.score("fire?", [("", "fire " * 900)])[0].offsets) <= MAX_TOKENS


def test_a_long_question_keeps_what_it_asks_at_its_end(tmp_path: Path) -> None:
    scorer = load_scorer(write_tiny_encoder(tmp_path / "tiny", heads=heads()), 1)
    asked = [scorer.score(f"{'fire ' * 300}{end}", [("", "fire")])[0] for end in ("火灾", "fire")]
    assert not np.array_equal(asked[0].span, asked[1].span)


def test_a_folder_without_the_heads_is_no_reader(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lacks head\.span\.weight"):
        load_scorer(write_tiny_encoder(tmp_path / "tiny"), 1)


@pytest.mark.parametrize("told", [None, {"margin": 1.0}, {"margin": "x"}, [1.0]])
def test_a_folder_that_does_not_say_what_its_numbers_are_worth_is_no_reader(
    tmp_path: Path, told: object
) -> None:
    folder = write_tiny_encoder(tmp_path / "tiny", heads=heads())
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"confidence": told}), "utf-8")
    with pytest.raises(ConfigurationError, match="confidence with margin, answerable and bias"):
        load_scorer(folder, 1)
