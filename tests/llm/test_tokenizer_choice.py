"""Which tokenizer a folder gets: by its config and files, and never one that does not fit."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llm.checkpoints.tokenizer_choice import has_prefix, load_tokenizer
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ModelConfig
from llm.tokenizers import (
    ChatGLM2Tokenizer,
    ChatGLM3Tokenizer,
    ChatGLMTokenizer,
    GLM4Tokenizer,
    GlmTokenizer,
    Tokenizer,
)
from tests.llm.tiny_checkpoint import tiny_config_json
from tests.llm.tiny_tokenizers import write_ice_text, write_ranks, write_tokenizer_json

Write = Callable[[Path], object]


@pytest.fixture
def pieces(tiny_tokenizer_file: Path) -> Write:
    return lambda folder: shutil.copyfile(tiny_tokenizer_file, folder / "tokenizer.model")


def ice_text(folder: Path) -> object:
    return write_ice_text(folder / "ice_text.model")


def ranks(folder: Path) -> object:
    return write_ranks(folder / "tokenizer.model")


def pairs(folder: Path) -> object:
    return write_tokenizer_json(folder / "tokenizer.json")


def config_of(family: str, vocab_size: int = 2000) -> ModelConfig:
    tiny = ModelConfig.from_json(tiny_config_json(vocab_size))
    return replace(tiny, family=family)


def load(folder: Path, family: str, vocab_size: int = 2000, **raw: object) -> Tokenizer:
    (folder / "config.json").write_text(json.dumps(raw))
    return load_tokenizer(folder, config_of(family, vocab_size))


@pytest.mark.parametrize(
    ("family", "write", "expected"),
    [
        ("chatglm1", ice_text, ChatGLMTokenizer),
        ("glm4", ranks, GLM4Tokenizer),
        ("glm4", pairs, GlmTokenizer),
        ("glm", pairs, GlmTokenizer),
        ("glm", ranks, GLM4Tokenizer),
    ],
)
def test_family_and_files_choose(
    tmp_path: Path, family: str, write: Write, expected: type[Tokenizer]
) -> None:
    write(tmp_path)
    assert type(load(tmp_path, family)) is expected


def test_families_that_share_a_file_are_told_apart_by_the_config(
    tmp_path: Path, pieces: Write
) -> None:
    pieces(tmp_path)
    assert type(load(tmp_path, "chatglm2", eos_token_id=2)) is ChatGLM2Tokenizer
    assert type(load(tmp_path, "chatglm3", eos_token_id=2)) is ChatGLM3Tokenizer


def test_a_vocabulary_of_the_first_checkpoints_shifts_the_ids(tmp_path: Path) -> None:
    ice_text(tmp_path)
    tokenizer = load(tmp_path, "chatglm1", vocab_size=150_528)
    assert min(tokenizer.encode("hello")) >= 20_000


@pytest.mark.parametrize("family", ["chatglm1", "chatglm2", "chatglm3", "glm4", "glm"])
def test_a_folder_without_a_tokenizer_is_told_which_it_needs(tmp_path: Path, family: str) -> None:
    with pytest.raises(CheckpointError, match=rf"has no .*\.(model|json).*{family} needs one"):
        load(tmp_path, family)


def test_another_families_file_is_a_wrong_tokenizer(tmp_path: Path, pieces: Write) -> None:
    ranks(tmp_path)
    with pytest.raises(CheckpointError, match="wrong tokenizer for the generation chatglm3"):
        load(tmp_path, "chatglm3")
    pieces(tmp_path)
    with pytest.raises(CheckpointError, match="wrong tokenizer for the generation glm4"):
        load(tmp_path, "glm4")
    shutil.copyfile(tmp_path / "tokenizer.model", tmp_path / "ice_text.model")
    with pytest.raises(CheckpointError, match=r"lacks the pieces \[MASK\], \[gMASK\]"):
        load(tmp_path, "chatglm1")
    write_ice_text(tmp_path / "tokenizer.model")
    with pytest.raises(CheckpointError, match="it is a tokenizer of the first ChatGLM"):
        load(tmp_path, "chatglm2")


def test_a_tokenizer_that_ends_texts_otherwise_is_another_models(
    tmp_path: Path, pieces: Write
) -> None:
    pieces(tmp_path)
    assert load(tmp_path, "chatglm3", eos_token_id=[7, 2])
    with pytest.raises(CheckpointError, match=r"the id 2 .* eos_token_id = \[7, 151329\]: the tok"):
        load(tmp_path, "chatglm3", eos_token_id=[7, 151329])


def test_the_first_generations_marks_must_be_the_configs(tmp_path: Path) -> None:
    ice_text(tmp_path)
    tokenizer = load(tmp_path, "chatglm1")
    right = tokenizer.control_id("[gMASK]")
    assert load(tmp_path, "chatglm1", gmask_token_id=right, bos_token_id=None)
    with pytest.raises(CheckpointError, match=f"the id {right} .* gmask_token_id = 130001"):
        load(tmp_path, "chatglm1", gmask_token_id=130001)


def test_a_tokenizer_of_more_ids_than_the_model_has_rows_is_refused(
    tmp_path: Path, pieces: Write
) -> None:
    pieces(tmp_path)
    with pytest.raises(CheckpointError, match="has room for padded_vocab_size = 96"):
        load(tmp_path, "chatglm3", vocab_size=96)


def test_an_unknown_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="chatglm9; tokenizers are known for chatglm1"):
        load(tmp_path, "chatglm9")


def native(folder: Path, *, prefix: bool) -> bool:
    write_tokenizer_json(folder / "tokenizer.json", prefix=prefix)
    (folder / "config.json").write_text("{}")
    config = config_of("glm")
    return has_prefix(folder, load_tokenizer(folder, config), config)


def test_the_chat_template_tells_whether_prompts_have_a_prefix(tmp_path: Path) -> None:
    template = {"chat_template": "[gMASK]<sop>{{ x }}"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(template))
    assert native(tmp_path, prefix=False)
    (tmp_path / "chat_template.jinja").write_text("<|user|>\n{{ x }}")
    assert not native(tmp_path, prefix=True)


def test_without_a_template_the_tokenizer_file_tells_of_the_prefix(tmp_path: Path) -> None:
    assert native(tmp_path, prefix=True)


def test_with_neither_the_rotary_rule_tells_of_the_prefix(tmp_path: Path) -> None:
    assert native(tmp_path, prefix=False)
    tokenizer = GlmTokenizer(tmp_path / "tokenizer.json")
    half = config_of("glm")
    whole = replace(half, rope_dim=half.head_dim)
    assert not has_prefix(tmp_path, tokenizer, whole)
