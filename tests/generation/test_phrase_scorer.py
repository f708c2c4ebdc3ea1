"""The judge over a tiny random encoder: what it reads of a record, and how its logits are taken."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.judged import Fit
from kb_service.encoder.folder import Encoder, open_encoder
from kb_service.generation.phrase_scorer import (
    END,
    HEADS,
    MAX_PHRASE_TOKENS,
    MAX_RECORD_TOKENS,
    RECORD_AT,
    START,
    Likelihood,
    PhraseScorer,
    load_phrase_scorer,
    phrase_ids,
    record_ids,
    windows_of,
)
from tests.encoder.tiny_bert import write_tiny_encoder

LIKELIHOOD = {"scale": 1.5, "bias": -0.5, "fits_at": 0.8, "open_at": 0.4}
PLAIN = Likelihood(1.0, 0.0, 0.8, 0.4)
RNG = np.random.default_rng(7)
WEIGHTS = dict(
    zip(HEADS, (RNG.normal(size=n).astype(np.float32) for n in ((1, 16), (1,))), strict=True)
)
PHRASES = ["fire", "火灾", "a leak of oil"]
LONG = " ".join("a" * 115 + "b" * 115)
"""A letter and the sign of a word's beginning are two tokens: 460, which are four windows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "judge"
    return write_judge(place, WEIGHTS, likelihood=LIKELIHOOD)


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return open_encoder(folder)


@pytest.fixture(scope="module")
def scorer(encoder: Encoder) -> PhraseScorer:
    return PhraseScorer(encoder, "tiny", PLAIN)


def write_judge(place: Path, heads: dict[str, np.ndarray], **entries: object) -> Path:
    folder = write_tiny_encoder(place, heads, max_tokens=RECORD_AT + MAX_RECORD_TOKENS)
    config = json.loads((folder / "config.json").read_text("utf-8")) | entries
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.mark.parametrize("num_words", [1, 190, 191, 192, 318, 319, 320, 447, 448, 1000])
def test_every_token_of_a_record_stands_in_a_window_and_no_window_is_needless(
    encoder: Encoder, num_words: int
) -> None:
    text = " ".join(["fire"] * (num_words - 1) + ["b"])
    whole = encoder.tokenizer.encode(text, add_special_tokens=False).ids
    windows = list(windows_of(text, encoder.tokenizer))
    assert all(ids[-1] == END and 1 < len(ids) <= MAX_RECORD_TOKENS for ids in windows)
    starts = [128 * number for number in range(len(windows))]
    read = [at + n for at, ids in zip(starts, windows, strict=True) for n in range(len(ids) - 1)]
    assert {*read} == {*range(len(whole))}
    for at, ids in zip(starts, windows, strict=True):
        assert ids[:-1] == whole[at : at + len(ids) - 1]
    assert all(
        at + len(ids) - 1 < len(whole) for at, ids in zip(starts[:-1], windows, strict=False)
    )


def test_a_record_of_no_words_is_read_as_its_end(encoder: Encoder) -> None:
    assert list(windows_of("", encoder.tokenizer)) == [[END]]


def test_trained_on_is_the_first_window(encoder: Encoder) -> None:
    assert record_ids(LONG, encoder.tokenizer) == next(windows_of(LONG, encoder.tokenizer))


def test_a_phrase_stands_behind_its_prompt(encoder: Encoder) -> None:
    ids = phrase_ids("fire", encoder.tokenizer)
    prompt = encoder.tokenizer.encode("query: fire", add_special_tokens=False).ids
    assert ids == [START, *prompt, END, END]


def test_a_long_phrase_is_cut_to_its_first_words(encoder: Encoder) -> None:
    long = "abcdefghijklmnopqrstuvw" * 3
    ids = phrase_ids(long, encoder.tokenizer)
    assert len(ids) == MAX_PHRASE_TOKENS == RECORD_AT
    assert (ids[0], ids[-2:]) == (START, [END, END])
    assert (
        ids
        == phrase_ids(long + "xyz", encoder.tokenizer)
        != phrase_ids("b" + long, encoder.tokenizer)
    )


def test_traditional_characters_are_read_as_simplified_ones(encoder: Encoder) -> None:
    assert phrase_ids("火災", encoder.tokenizer) == phrase_ids("火灾", encoder.tokenizer)
    assert record_ids("爆炸洩漏人員", encoder.tokenizer) == record_ids(
        "爆炸泄漏人员", encoder.tokenizer
    )


def test_the_logit_is_that_of_the_head_on_the_first_state_of_the_phrase(
    encoder: Encoder, scorer: PhraseScorer
) -> None:
    ids, asked = record_ids("oil", encoder.tokenizer), phrase_ids("fire", encoder.tokenizer)
    (states,) = encoder.bert.beside([ids], [asked], 24)
    expected = float(states[0] @ WEIGHTS["fits.weight"][0] + WEIGHTS["fits.bias"][0])
    assert scorer.logits(["fire"], ["oil"]).tolist() == [[pytest.approx(expected)]]


@pytest.mark.parametrize(("text", "is_first"), [(LONG, False), (LONG[::-1], True)])
def test_of_several_windows_the_highest_logit_counts(
    encoder: Encoder, scorer: PhraseScorer, text: str, is_first: bool
) -> None:
    windows = list(windows_of(text, encoder.tokenizer))
    asked = [phrase_ids(phrase, encoder.tokenizer) for phrase in PHRASES]
    states = np.array(encoder.bert.beside(windows, asked, RECORD_AT))  # (W, P, C)
    each = states @ WEIGHTS["fits.weight"][0] + WEIGHTS["fits.bias"][0]
    assert len(windows) == 4
    assert [n == 0 for n in each.argmax(axis=0)] == [is_first] * 3
    assert scorer.logits(PHRASES, [text])[0] == pytest.approx(each.max(axis=0))


def test_each_text_has_its_own_row_whatever_is_beside_it(scorer: PhraseScorer) -> None:
    texts = ["oil", LONG, "", "fire in b"]
    together = scorer.logits(PHRASES, texts)
    assert together.shape == (4, 3)
    for row, text in zip(together, texts, strict=True):
        alone = [scorer.logits([phrase], [text])[0, 0] for phrase in PHRASES]
        assert row == pytest.approx(alone, abs=1e-6)
    assert scorer.logits(PHRASES, []).shape == (0, 3)


def test_likelihoods_fit_from_one_threshold_and_are_open_from_another(
    encoder: Encoder, scorer: PhraseScorer
) -> None:
    likely = scorer.likelihoods(PHRASES, ["oil"])[0]
    low, middle, high = (int(n) for n in likely.argsort())
    at = replace(PLAIN, fits_at=float(likely[high]), open_at=float(likely[middle]))
    (told,) = PhraseScorer(encoder, "tiny", at).judged(PHRASES, ["oil"])
    assert [told[n] for n in (low, middle, high)] == [Fit.OTHER, Fit.OPEN, Fit.FITS]


def test_a_likelihood_is_one_of_scaled_logits() -> None:
    told = Likelihood(2.0, -1.0, 0.8, 0.4).of(np.float32([[-1e6, 0.5, 2.0, 1e6]]))
    assert told == pytest.approx(np.float32([[0, 0.5, 1 / (1 + np.exp(-3)), 1]]), abs=1e-6)


def test_a_folder_is_opened_with_what_it_says_of_its_logits(folder: Path) -> None:
    found = load_phrase_scorer(folder, 2)
    assert (found.name, found.likelihood) == ("judge", Likelihood(**LIKELIHOOD))
    raw = PhraseScorer(open_encoder(folder), "tiny", PLAIN).logits(PHRASES, ["oil", "fire"])
    assert np.array_equal(found.logits(PHRASES, ["oil", "fire"]), raw)
    assert found.likelihoods(PHRASES, ["oil"]) == pytest.approx(
        1 / (1 + np.exp(0.5 - 1.5 * raw[:1]))
    )


@pytest.mark.parametrize("head", HEADS)
def test_a_folder_without_the_head_is_refused(tmp_path: Path, head: str) -> None:
    heads = {name: value for name, value in WEIGHTS.items() if name != head}
    folder = write_judge(tmp_path / "judge", heads, likelihood=LIKELIHOOD)
    with pytest.raises(ConfigurationError, match=f"judge lacks head.{head}") as caught:
        load_phrase_scorer(folder, 1)
    assert caught.value.code == "model_corrupt"


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"likelihood": None},
        {"likelihood": 0.5},
        {"likelihood": LIKELIHOOD | {"open_at": "often"}},
        {"likelihood": {name: value for name, value in LIKELIHOOD.items() if name != "scale"}},
    ],
)
def test_a_folder_that_does_not_say_what_a_logit_is_worth_is_refused(
    tmp_path: Path, entries: dict[str, object]
) -> None:
    folder = write_judge(tmp_path / "judge", WEIGHTS, **entries)
    wanted = "likelihood with scale, bias, fits_at, open_at"
    with pytest.raises(ConfigurationError, match=wanted) as caught:
        load_phrase_scorer(folder, 1)
    assert caught.value.code == "model_corrupt"
    assert str(folder / "config.json") in str(caught.value)
