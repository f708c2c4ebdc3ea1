"""The tokenizers of the other families: equal to the genuine ones, closed, whole."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_formats import glm4_format
from llm.chats.tool_prompts import GLM4_FIRST_NAME
from llm.errors import CheckpointError, InvalidPrompt, UnsupportedCheckpoint
from llm.tokenizers import (
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
    Detokenizer,
    GLM4Tokenizer,
    GlmTokenizer,
    Tokenizer,
)
from llm.tokenizers.byte_pairs import GLM4_CONTROL_TOKENS, read_ranks
from tests.llm.tiny_tokenizers import (
    ranks_as_tokenizer_json,
    tokenizer_json,
    write_ice_text,
    write_ranks,
    write_tokenizer_json,
)

TINY: dict[str, Callable[[Path], Tokenizer]] = {
    "chatglm": lambda folder: ChatGLMTokenizer(write_ice_text(folder / "ice_text.model")),
    "glm4": lambda folder: GLM4Tokenizer(write_ranks(folder / "tokenizer.model")),
    "glm": lambda folder: GlmTokenizer(write_tokenizer_json(folder / "tokenizer.json")),
}

any_text = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in TINY.items()}


@pytest.fixture(scope="module")
def genuine_ranks(shared_dir: Path) -> Path:
    path = shared_dir / "tokenizers" / "glm-4-9b-chat" / "tokenizer.model"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return path


@pytest.fixture(scope="module")
def genuine_json(genuine_ranks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("genuine") / "tokenizer.json"
    path.write_text(json.dumps(ranks_as_tokenizer_json(read_ranks(genuine_ranks))), "utf-8")
    return path


@pytest.mark.parametrize("name", TINY)
def test_control_tokens_are_found_by_name_and_have_no_text(
    tiny: dict[str, Tokenizer], name: str
) -> None:
    tokenizer = tiny[name]
    for control in ("[gMASK]", "<sop>", "<eop>"):
        token_id = tokenizer.control_id(control)
        assert tokenizer.is_control(token_id)
        assert tokenizer.token_name(token_id) == control
        assert tokenizer.decode([token_id]) == ""
    assert tokenizer.is_control(tokenizer.num_ids)
    assert tokenizer.token_name(tokenizer.num_ids) == f"<unused {tokenizer.num_ids}>"
    with pytest.raises(CheckpointError, match="has no control token 'sop'; it has "):
        tokenizer.control_id("sop")
    with pytest.raises(InvalidPrompt, match=r"character 2 .* lone surrogate"):
        tokenizer.encode("ab\ud800")


@pytest.mark.parametrize("name", TINY)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_streaming_any_ids_never_emits_half_a_character(
    tiny: dict[str, Tokenizer], name: str, data: st.DataObject
) -> None:
    tokenizer = tiny[name]
    ids = data.draw(st.lists(st.integers(0, tokenizer.num_ids + 3), max_size=40))
    detokenizer = Detokenizer(tokenizer)
    pieces = [*(detokenizer.feed(token_id) for token_id in ids), detokenizer.flush()]
    raw = b"".join(tokenizer.token_bytes(token_id) for token_id in ids)
    expected = raw.removeprefix(b" ") if tokenizer.blank_first else raw
    assert "".join(pieces) == tokenizer.decode(ids) == expected.decode("utf-8", "replace")


@pytest.mark.parametrize("name", ["glm4", "glm"])
@settings(max_examples=100, deadline=None)
@given(text=any_text)
def test_byte_pairs_keep_every_text(tiny: dict[str, Tokenizer], name: str, text: str) -> None:
    ids = tiny[name].encode(text)
    assert tiny[name].decode(ids) == text
    assert not any(map(tiny[name].is_control, ids))


def test_the_first_generation_has_tokens_for_breaks_tabs_and_blanks(
    tiny: dict[str, Tokenizer],
) -> None:
    tokenizer = tiny["chatglm"]
    text = "a\n\tb" + " " * 165 + "c"
    names = [tokenizer.token_name(token_id) for token_id in tokenizer.encode(text)]
    for expected in ("<n>", "<|tab|>", "<|blank_80|>", "<|blank_5|>"):
        assert expected in names
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_shifted_vocabulary_moves_every_id_and_keeps_the_text(tmp_path: Path) -> None:
    path = write_ice_text(tmp_path / "ice_text.model")
    plain, shifted = ChatGLMTokenizer(path), ChatGLMTokenizer(path, num_image_tokens=20_000)
    ids = shifted.encode("你好\nx")
    assert ids == [token_id + 20_000 for token_id in plain.encode("你好\nx")]
    assert shifted.decode(ids) == "你好\nx"
    assert shifted.eos_id == plain.eos_id + 20_000
    assert shifted.is_control(19_999)
    assert shifted.token_name(7) == "<image 7>"
    assert shifted.num_ids == plain.num_ids + 20_000


def test_the_second_generation_lacks_the_roles_of_the_third(tiny_tokenizer_file: Path) -> None:
    second, third = ChatGLM2Tokenizer(tiny_tokenizer_file), ChatGLM3Tokenizer(tiny_tokenizer_file)
    assert third.num_ids == second.num_ids + 4
    assert second.encode("你好 x") == third.encode("你好 x")
    assert second.is_control(third.control_id("<|user|>"))
    with pytest.raises(CheckpointError, match=re.escape("<|user|>")):
        second.control_id("<|user|>")


def test_the_genuine_pairs_give_the_same_ids_from_either_file(
    genuine_ranks: Path, genuine_json: Path, goldens: Path
) -> None:
    ranks, pairs = GLM4Tokenizer(genuine_ranks), GlmTokenizer(genuine_json)
    recorded = json.loads((goldens / "tokens_glm4orig.json").read_text("utf-8"))
    texts = [*recorded["encode_no_special"], *recorded["roundtrip"].values()]
    assert [pairs.encode(text) for text in texts] == [ranks.encode(text) for text in texts]
    assert pairs.num_ids == ranks.num_ids == 151_343
    for name in GLM4_CONTROL_TOKENS:
        assert pairs.control_id(name) == ranks.control_id(name)
    for chat in recorded["chat"].values():
        messages = [message_of(turn) for turn in chat["messages"]]
        chats = glm4_format(pairs, GLM4_FIRST_NAME)
        assert prompt_ids(chats.segments(messages)) == chat["input_ids"]


def message_of(turn: dict[str, Any]) -> ModelMessage:
    tools = tuple(turn.get("tools", ()))
    return ModelMessage(turn["role"], turn["content"] or "", turn.get("metadata", ""), tools)


def test_two_million_blanks_do_not_bring_the_library_down(genuine_ranks: Path) -> None:
    tokenizer = GLM4Tokenizer(genuine_ranks)
    text = " " * 2_000_000 + "x"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_control_tokens_that_the_file_lists_as_text_are_still_out_of_reach(
    tmp_path: Path,
) -> None:
    """Some files repeat control tokens in the vocabulary, where a whole match would find them."""
    raw = tokenizer_json()
    raw["model"]["vocab"] |= {each["content"]: each["id"] for each in raw["added_tokens"]}
    raw["model"]["ignore_merges"] = True
    raw["pre_tokenizer"]["use_regex"] = False
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw))
    tokenizer = GlmTokenizer(tmp_path / "tokenizer.json")
    for name in GLM4_CONTROL_TOKENS:
        ids = tokenizer.encode(name)
        assert not any(map(tokenizer.is_control, ids))
        assert tokenizer.decode(ids) == name


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (b"IQ== 0\nIg== 1\n", "no token for 254 of the 256 single bytes, first 0"),
        (b"IQ==\n", "line 1 of"),
        (b"IQ== 0\n!! 1\n", "line 2 of"),
        (b"IQ== 0\nIQ== 1\n", "not one token for each rank"),
        (b"IQ== 1\n", "not one token for each rank"),
        (b"\x0a\xff\xff", "a base64 token and its rank"),
    ],
)
def test_a_file_that_is_no_list_of_ranks_is_refused(
    tmp_path: Path, content: bytes, named: str
) -> None:
    (tmp_path / "tokenizer.model").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        GLM4Tokenizer(tmp_path / "tokenizer.model")
    assert named in str(caught.value)
    assert "tokenizer.model" in str(caught.value)


def changed(**changes: object) -> dict[str, Any]:
    return tokenizer_json() | changes


@pytest.mark.parametrize(
    ("content", "error", "named"),
    [
        ("", CheckpointError, "is empty"),
        (" ", CheckpointError, "is no JSON"),
        ("[]", CheckpointError, "no model with a vocabulary"),
        ("[" * 100_000, CheckpointError, "is no JSON"),
        (changed(model={"type": "BPE", "vocab": {"a": "0"}}), CheckpointError, "a vocabulary"),
        (changed(model={"type": "Unigram", "vocab": {}}), UnsupportedCheckpoint, "'Unigram'"),
        (changed(decoder={"type": "Metaspace"}), UnsupportedCheckpoint, "['Metaspace']"),
        (changed(added_tokens=[{"content": "x"}]), CheckpointError, "without content and id"),
        (changed(added_tokens=[]), CheckpointError, "no control token '<|endoftext|>'"),
        (changed(pre_tokenizer={"type": "Nonsense"}), CheckpointError, "cannot read"),
    ],
    ids=str,
)
def test_a_damaged_tokenizer_json_is_refused(
    tmp_path: Path, content: object, error: type[CheckpointError], named: str
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(error) as caught:
        GlmTokenizer(tmp_path / "tokenizer.json")
    assert named in str(caught.value)


@pytest.mark.parametrize("token_id", [3, -1, 10_000_000])
def test_an_id_that_is_taken_or_out_of_range_is_refused(tmp_path: Path, token_id: int) -> None:
    raw = tokenizer_json()
    raw["added_tokens"][-1]["id"] = token_id
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw))
    with pytest.raises(CheckpointError, match="two tokens of one id, or an id outside 0 to"):
        GlmTokenizer(tmp_path / "tokenizer.json")


def test_an_id_that_no_token_has_stands_for_nothing(tmp_path: Path) -> None:
    raw = tokenizer_json()
    raw["added_tokens"][-1]["id"] += 5
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw))
    tokenizer = GlmTokenizer(tmp_path / "tokenizer.json")
    hole = tokenizer.num_ids - 2
    assert tokenizer.is_control(hole)
    assert tokenizer.decode([hole]) == tokenizer.token_name(hole) == ""


def test_a_file_of_unreasonable_size_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm.tokenizers.tokenizer.MAX_FILE_BYTES", 10)
    path = write_ranks(tmp_path / "tokenizer.model")
    with pytest.raises(CheckpointError, match="of at most 10"):
        GLM4Tokenizer(path)
