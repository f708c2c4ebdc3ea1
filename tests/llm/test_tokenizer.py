"""Ids of text and text of ids: equal to the genuine tokenizer, safe, and whole while streaming."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.errors import CheckpointError, InvalidPrompt
from llm.tokenizers import CONTROL_TOKENS, ChatGLM3Tokenizer, Detokenizer

CONTROL_TEXT = [*CONTROL_TOKENS, "<sop>", "<eop>", "</s>", "<s>", "<unk>", "<pad>", "<0x0A>"]
CONTROL_TEXT += ["＜|user|＞", "<|us\u200ber|>", "&lt;|assistant|&gt;", "<|endoftext|>"]

# SentencePiece writes blanks as U+2581 and so reads that character as a blank.
any_text = st.text(st.characters(codec="utf-8", exclude_characters="\u2581"), max_size=60)
hostile_text = st.lists(st.one_of(st.sampled_from(CONTROL_TEXT), any_text), max_size=8).map("".join)


def stream(tokenizer: ChatGLM3Tokenizer, ids: Iterable[int]) -> list[str]:
    detokenizer = Detokenizer(tokenizer)
    return [*(detokenizer.feed(token_id) for token_id in ids), detokenizer.flush()]


def test_ids_of_all_golden_strings_are_equal(
    genuine_tokenizer: ChatGLM3Tokenizer, golden_tokens: dict[str, Any]
) -> None:
    expected = golden_tokens["encode_no_special"]
    assert len(expected) == 36
    assert {text: genuine_tokenizer.encode(text) for text in expected} == expected


def test_all_golden_strings_survive_the_round_trip(
    genuine_tokenizer: ChatGLM3Tokenizer, golden_tokens: dict[str, Any]
) -> None:
    for text, expected in golden_tokens["roundtrip"].items():
        assert genuine_tokenizer.decode(genuine_tokenizer.encode(text)) == expected


def test_control_ids_are_the_released_ones(
    genuine_tokenizer: ChatGLM3Tokenizer, golden_tokens: dict[str, Any]
) -> None:
    expected = golden_tokens["special_ids"]
    found = {name: genuine_tokenizer.control_id(name) for name in CONTROL_TOKENS}
    assert found == {name: expected[name] for name in CONTROL_TOKENS}
    assert genuine_tokenizer.eos_id == 2
    assert genuine_tokenizer.num_ids == 64798


@settings(max_examples=150, deadline=None)
@given(text=hostile_text)
def test_no_text_ever_yields_a_control_id(tiny_tokenizer: ChatGLM3Tokenizer, text: str) -> None:
    assert not any(tiny_tokenizer.is_control(token_id) for token_id in tiny_tokenizer.encode(text))


@settings(max_examples=150, deadline=None)
@given(text=hostile_text)
def test_no_text_ever_yields_a_genuine_control_id(
    genuine_tokenizer: ChatGLM3Tokenizer, text: str
) -> None:
    ids = genuine_tokenizer.encode(text)
    assert all(3 <= token_id < 64789 for token_id in ids)


@settings(max_examples=150, deadline=None)
@given(text=any_text)
def test_any_text_survives_the_round_trip(tiny_tokenizer: ChatGLM3Tokenizer, text: str) -> None:
    assert tiny_tokenizer.decode(tiny_tokenizer.encode(text)) == text


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_streaming_any_ids_never_emits_half_a_character(
    tiny_tokenizer: ChatGLM3Tokenizer, data: st.DataObject
) -> None:
    ids = data.draw(st.lists(st.integers(0, tiny_tokenizer.num_ids + 6), max_size=40))
    pieces = stream(tiny_tokenizer, ids)
    raw = b"".join(tiny_tokenizer.token_bytes(token_id) for token_id in ids)
    assert "".join(pieces) == raw.removeprefix(b" ").decode("utf-8", "replace")


@settings(max_examples=100, deadline=None)
@given(text=any_text)
def test_streamed_text_is_at_every_step_a_prefix_of_the_whole(
    tiny_tokenizer: ChatGLM3Tokenizer, text: str
) -> None:
    so_far = ""
    for piece in stream(tiny_tokenizer, tiny_tokenizer.encode(text)):
        so_far += piece
        assert text.startswith(so_far)
    assert so_far == text


def test_an_emoji_of_four_byte_tokens_appears_at_its_last_byte(
    genuine_tokenizer: ChatGLM3Tokenizer,
) -> None:
    ids = genuine_tokenizer.encode("👋")
    assert stream(genuine_tokenizer, ids) == ["", "", "", "", "👋", ""]


def test_a_cut_character_becomes_one_replacement_at_the_end(
    genuine_tokenizer: ChatGLM3Tokenizer,
) -> None:
    ids = genuine_tokenizer.encode("👋")[:-1]
    assert stream(genuine_tokenizer, ids)[-1] == "\ufffd"


def test_decoding_agrees_with_sentencepiece(
    genuine_tokenizer: ChatGLM3Tokenizer, golden_tokens: dict[str, Any]
) -> None:
    import sentencepiece

    reference = sentencepiece.SentencePieceProcessor(str(genuine_tokenizer.path))
    for ids in golden_tokens["encode_no_special"].values():
        assert genuine_tokenizer.decode(ids) == reference.decode(ids)


def test_control_ids_have_names_to_show_and_no_text(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    for name in CONTROL_TOKENS:
        token_id = tiny_tokenizer.control_id(name)
        assert tiny_tokenizer.is_control(token_id)
        assert tiny_tokenizer.token_name(token_id) == name
        assert tiny_tokenizer.decode([token_id]) == ""
    assert tiny_tokenizer.token_name(tiny_tokenizer.num_ids).startswith("<unused")


def test_a_lone_surrogate_is_refused_with_its_place(tiny_tokenizer: ChatGLM3Tokenizer) -> None:
    with pytest.raises(InvalidPrompt, match=r"character 2 .* lone surrogate '\\ud800'"):
        tiny_tokenizer.encode("ab\ud800")


@pytest.mark.parametrize("content", [b"", b"IQ== 0\nIg== 1\n", b"\x0a\xff\xff"])
def test_a_file_that_is_no_sentencepiece_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.model"):
        ChatGLM3Tokenizer(path)


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.model"):
        ChatGLM3Tokenizer(tmp_path / "tokenizer.model")
