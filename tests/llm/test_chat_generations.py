"""A folder of each family from messages to text: its tokenizer, format, model and stop ids."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_model import ChatModel
from llm.decoding import SamplingParams
from llm.errors import CheckpointError, RoleOrderError
from llm.tokenizers import ChatGLMTokenizer, GLM4Tokenizer, GlmTokenizer, Tokenizer
from tests.llm.random_checkpoint import first_json, native_json, random_state, write_checkpoint
from tests.llm.tiny_checkpoint import tiny_config_json
from tests.llm.tiny_tokenizers import write_ice_text, write_ranks, write_tokenizer_json

GREETING = [ModelMessage("user", "你好")]
SEEDED = SamplingParams(temperature=1.2, seed=5, max_tokens=12)
NUM_PADDED_ROWS = 5


def first(folder: Path) -> tuple[Tokenizer, dict[str, Any]]:
    tokenizer = ChatGLMTokenizer(write_ice_text(folder / "ice_text.model"))
    raw = first_json(
        vocab_size=tokenizer.num_ids + NUM_PADDED_ROWS,
        max_sequence_length=512,
        bos_token_id=tokenizer.control_id("<sop>"),
        eos_token_id=tokenizer.control_id("<eop>"),
        mask_token_id=tokenizer.control_id("[MASK]"),
        gmask_token_id=tokenizer.control_id("[gMASK]"),
    )
    return tokenizer, raw


def fourth(folder: Path) -> tuple[Tokenizer, dict[str, Any]]:
    tokenizer = GLM4Tokenizer(write_ranks(folder / "tokenizer.model"))
    raw = tiny_config_json(tokenizer.num_ids + NUM_PADDED_ROWS, _name_or_path="THUDM/glm-4-9b-chat")
    return tokenizer, raw | {"eos_token_id": [tokenizer.eos_id, tokenizer.control_id("<|user|>")]}


def native(folder: Path, *, prefix: bool = True) -> tuple[Tokenizer, dict[str, Any]]:
    file = write_tokenizer_json(folder / "tokenizer.json", prefix=prefix)
    tokenizer = GlmTokenizer(file)
    raw = native_json(
        vocab_size=tokenizer.num_ids + NUM_PADDED_ROWS,
        max_position_embeddings=512,
        eos_token_id=[tokenizer.eos_id],
        partial_rotary_factor=0.5 if prefix else 1.0,
    )
    return tokenizer, raw


def edge(folder: Path) -> tuple[Tokenizer, dict[str, Any]]:
    return native(folder, prefix=False)


Write = Callable[[Path], tuple[Tokenizer, dict[str, Any]]]
PROMPTS: dict[str, tuple[Write, str]] = {
    "chatglm1": (first, " 你好{[gMASK]}{<sop>}"),
    "glm4": (fourth, "{[gMASK]}{<sop>}{<|user|>}\n你好{<|assistant|>}"),
    "glm": (native, "{[gMASK]}{<sop>}{<|user|>}\n你好{<|assistant|>}"),
    "edge": (edge, "{<|user|>}\n你好{<|assistant|>}"),
}


def shown(tokenizer: Tokenizer, ids: list[int]) -> str:
    text = b"".join(
        f"{{{tokenizer.token_name(i)}}}".encode()
        if tokenizer.is_control(i)
        else tokenizer.token_bytes(i)
        for i in ids
    )
    return text.decode()


@pytest.mark.parametrize("name", PROMPTS)
def test_a_folder_of_each_family_answers_in_its_own_format(tmp_path: Path, name: str) -> None:
    write, prompt = PROMPTS[name]
    tokenizer, raw = write(tmp_path)
    write_checkpoint(tmp_path, raw, random_state(raw))
    model = ChatModel.load(tmp_path, device="cpu")
    assert type(model.tokenizer) is type(tokenizer)
    assert shown(tokenizer, prompt_ids(model.prompt_segments(GREETING))) == prompt
    replies = [model.chat(GREETING, SEEDED) for _ in range(2)]
    pieces = ["".join(reply) for reply in replies]
    assert pieces[0] == pieces[1]
    assert 1 <= replies[0].usage.completion_tokens <= 12
    assert max(replies[0].output_ids) < tokenizer.num_ids


@pytest.mark.parametrize("name", PROMPTS)
def test_the_stop_ids_are_those_of_the_family(tmp_path: Path, name: str) -> None:
    tokenizer, raw = PROMPTS[name][0](tmp_path)
    write_checkpoint(tmp_path, raw, random_state(raw))
    turns = () if name == "chatglm1" else ("<|user|>", "<|observation|>")
    expected = {tokenizer.eos_id, *map(tokenizer.control_id, turns)}
    assert ChatModel.load(tmp_path, device="cpu").format.stop_ids == expected


def test_a_family_can_be_told_where_the_folder_is_silent(tmp_path: Path, tiny_folder: Path) -> None:
    model = ChatModel.load(tiny_folder, device="cpu", family="chatglm2")
    assert model.prompt_segments(GREETING)[1].role == "rounds"
    with pytest.raises(RoleOrderError, match="ChatGLM2 calls no tools"):
        model.format.call_message("weather", "{}")


def test_a_wrong_tokenizer_is_found_before_the_weights_are_read(tmp_path: Path) -> None:
    _, raw = fourth(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(raw | {"eos_token_id": [151329]}))
    with pytest.raises(CheckpointError, match="the tokenizer is another model's"):
        ChatModel.load(tmp_path, device="cpu")
