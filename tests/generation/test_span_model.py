"""The words inside a sentence that the model lights, and the weights it was shipped with."""

import hashlib
import json
from pathlib import Path

import pytest

from kb_service.domain.errors import ConfigurationError
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.span_features import asked_words, features_of, tokens_of
from kb_service.generation.span_model import (
    CHECKSUM,
    WEIGHTS,
    choose,
    load_weights,
    shipped_weights,
)
from kb_service.language.asked import parse_question
from kb_service.language.messages import message


def words(question: str, sentence: str, weights: dict[str, float] | None = None) -> str:
    """Return the chosen words, with the shipped weights by default."""
    used = shipped_weights() if weights is None else weights
    assert used is not None
    choice = choose(asked_words(parse_question(question)), sentence, used)
    return choice.span.of(sentence) if choice else ""


def saved(folder: Path, content: bytes, checksum: str = "") -> tuple[Path, Path]:
    path, listing = folder / "weights.json", folder / "weights.json.sha256"
    path.write_bytes(content)
    listing.write_text(f"{checksum or hashlib.sha256(content).hexdigest()}  weights.json\n")
    return path, listing


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("水厂是由谁设计的？", "水厂由陈大文设计，1990年完工。", "陈大文"),
        ("水厂在哪一年完工？", "水厂由陈大文设计，1990年完工。", "1990年"),
        ("塔楼位于哪个城市？", "塔楼位于青河市，高90米，是当地的地标。", "青河市"),
        ("塔楼有多高？", "塔楼位于青河市，高90米，是当地的地标。", "90米"),
        ("Who designed the tower?", "The tower was designed by Ann Lee in 1990.", "Ann Lee"),
        ("When was the tower designed?", "The tower was designed by Ann Lee in 1990.", "1990"),
        ("How many rooms does it have?", "It has 42 rooms and a hall.", "42"),
    ],
)
def test_the_shipped_weights_find_the_words_that_are_asked_for(
    question: str, sentence: str, expected: str
) -> None:
    assert words(question, sentence) == expected


def test_words_that_the_question_says_itself_are_never_chosen() -> None:
    weights = {"zh.person|p1=^": 5.0, "zh.person|len=3": 1.0}
    assert words("陈大文是谁？", "陈大文", weights) == ""


def test_a_word_inside_another_word_of_the_question_may_be_chosen() -> None:
    assert words("Did he count the 180 pumps?", "He counted 18.", {"en.other|f1=18": 9.0}) == "18"
    assert words("Did he count the 18 pumps?", "18", {"en.other|f1=18": 9.0}) == ""


def test_a_span_is_chosen_by_its_expected_f1_and_not_by_its_score_alone() -> None:
    # "c" scores best, but "a" and "a b" share their words and are together more probable.
    weights = {"en.other|f1=c": 3.0, "en.other|f1=a": 2.9, "en.other|len=6": -20.0}
    weights |= {f"en.other|f1={word}": -20.0 for word in "bdef"}
    weights |= {f"en.other|l1={word}": -20.0 for word in "def"}
    weights["en.other|l1=b"] = -0.1
    assert words("what", "a b d e f c", weights) == "a"


def test_a_sentence_of_marks_alone_has_no_answer() -> None:
    assert words("What is it?", "...") == ""
    assert words("？", "。") == ""


def test_features_see_how_the_sentence_lines_up_with_the_question() -> None:
    asked = asked_words(parse_question("水厂由谁设计？"))
    features = features_of(asked, "水厂由陈大文设计。")
    assert asked.wh == "谁"
    assert "zh.person|fa=3" in features.first[3]
    assert "zh.person|la=2" in features.last[5]
    assert [token.text for token in tokens_of("In 1,500 m² of U.S. land")][:3] == [
        "in",
        "1,500",
        "m2",
    ]


def test_every_span_may_be_chosen_that_a_pattern_names() -> None:
    assert (3, 5) in features_of(
        asked_words(parse_question("水厂由谁设计？")), "水厂由陈大文设计。"
    ).named


def test_the_same_question_gives_the_same_words() -> None:
    sentence = "水厂由陈大文设计，1990年完工。"
    assert words("水厂是由谁设计的？", sentence) == words("水厂是由谁设计的？", sentence)


def test_a_changed_weight_file_is_refused_with_both_checksums(tmp_path: Path) -> None:
    content = WEIGHTS.read_bytes()
    expected = CHECKSUM.read_text().split()[0]
    path, listing = saved(tmp_path, content[:-1] + b" ", expected)
    with pytest.raises(ConfigurationError, match=expected) as refused:
        load_weights(path, listing)
    assert refused.value.code == "model_corrupt"
    assert hashlib.sha256(path.read_bytes()).hexdigest() in str(refused.value)


def test_a_weight_file_without_its_checksum_is_refused(tmp_path: Path) -> None:
    path, listing = saved(tmp_path, b"{}")
    listing.unlink()
    with pytest.raises(ConfigurationError) as refused:
        load_weights(path, listing)
    assert refused.value.code == "model_missing"


def test_weights_are_read_by_feature(tmp_path: Path) -> None:
    content = json.dumps({"zh.date|p1": {"于": 1.5, "=": 0.5}}).encode()
    assert dict(load_weights(*saved(tmp_path, content))) == {
        "zh.date|p1=于": 1.5,
        "zh.date|p1==": 0.5,
    }


def test_without_weights_the_reader_goes_on_by_rules_and_says_so() -> None:
    info = ExtractiveReader(weights={}).info
    assert info.name.endswith("(rules alone)")
    assert info.notice_en.endswith(message("without_weights", "en", file="span_weights.json"))
    assert info.notice_zh.endswith(message("without_weights", "zh", file="span_weights.json"))
    assert ExtractiveReader().info.name == "extractive-reader"


CHINESE = "1990年，陈大文，著有《水厂记》，水泵、阀门和管道等。"
ENGLISH = 'It was called "Blue Book" by Ann Lee in 1990.'


@pytest.mark.parametrize(
    ("question", "text", "name", "span"),
    [
        ("建于何时？", CHINESE, "date0", "1990年"),
        ("谁设计？", CHINESE, "person2", "陈大文"),
        ("叫什么？", CHINESE, "title", "《水厂记》"),
        ("有什么？", CHINESE, "listed", "水泵、阀门和管道"),
        ("What?", ENGLISH, "quoted", '"Blue Book"'),
        ("What?", ENGLISH, "run", "Ann Lee"),
    ],
)
def test_patterns_name_the_spans_that_stand_out(
    question: str, text: str, name: str, span: str
) -> None:
    features = features_of(asked_words(parse_question(question)), text)
    tokens = features.tokens
    named = {
        text[tokens[first].span.start : tokens[last].span.end]
        for (first, last), names in features.named.items()
        if any(found.endswith(f"|is={name}") for found in names)
    }
    assert span in named
