"""Every variant of the block that a config can ask for equals a plain float64 reference."""

from pathlib import Path

import pytest
import torch

from llm.checkpoints.checkpoint import load_model
from llm.errors import CheckpointError, InvalidPrompt
from llm.models import naive
from llm.models.config import ModelConfig
from tests.llm.random_checkpoint import (
    GMASK,
    MASK,
    SMASK,
    START,
    first_json,
    random_state,
    write_checkpoint,
)
from tests.llm.reference import first_logits, second_logits
from tests.llm.tiny_checkpoint import tiny_config_json

IDS = [5, 17, 3, 80, 41, 41, 9, 66, 2, 30]
LARGE = {
    "model_type": "glm-130b",
    "position_encoding_2d": False,
    "smask_token_id": SMASK,
    "tie_word_embeddings": True,
}


def assert_equal(folder: Path, ids: list[int], expected: torch.Tensor) -> None:
    model = load_model(folder, device="cpu", dtype="float32")
    (logits,) = naive.logits(model, [ids])
    scale = expected.abs().max().clamp(min=1)
    torch.testing.assert_close(logits.double() / scale, expected / scale, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rmsnorm": False},
        {"multi_query_attention": False},
        {"multi_query_attention": False, "original_rope": False, "add_bias_linear": True},
        {"add_bias_linear": True},
        {"add_qkv_bias": False},
        {"apply_residual_connection_post_layernorm": True},
        {"apply_residual_connection_post_layernorm": True, "rmsnorm": False},
        {"post_layer_norm": False},
        {"original_rope": False},
        {"fp32_residual_connection": True},
        {"multi_query_group_num": 1},
        {"multi_query_group_num": 4, "rope_ratio": 50},
        {"num_attention_heads": 6, "multi_query_group_num": 3, "kv_channels": 12},
        {"num_layers": 1, "hidden_size": 20, "ffn_hidden_size": 7},
    ],
    ids=lambda changes: ",".join(changes) or "released",
)
def test_a_switch_of_the_second_layout_equals_the_reference(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    raw = tiny_config_json(96, **changes)
    state = random_state(raw)
    folder = write_checkpoint(tmp_path / "model", raw, state)
    assert_equal(folder, IDS, second_logits(raw, state, IDS))


@pytest.mark.parametrize("mask", [MASK, GMASK])
@pytest.mark.parametrize(
    "changes",
    [{}, {"position_encoding_2d": False}, {"pre_seq_len": 3}, {"num_layers": 3}, LARGE],
    ids=["two axes", "one axis", "prefix", "three layers", "glm-130b"],
)
def test_the_first_generation_equals_the_reference(
    tmp_path: Path, changes: dict[str, object], mask: int
) -> None:
    raw = first_json(**changes)
    state = random_state(raw)
    folder = write_checkpoint(tmp_path / "model", raw, state)
    ids = [5, 17, mask, 8, 9, START, 40, 41, 42]
    assert_equal(folder, ids, first_logits(raw, state, ids))


def test_the_short_fill_mask_of_glm_130b_freezes_positions(tmp_path: Path) -> None:
    raw = first_json(**LARGE)
    state = random_state(raw)
    ids = [5, SMASK, 17, START, 40, 41]
    folder = write_checkpoint(tmp_path / "model", raw, state)
    assert_equal(folder, ids, first_logits(raw, state, ids))


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        ([5, GMASK, 7], f"lacks the start token, id {START}"),
        ([5, 7, START], f"lacks a mask; expected one of the ids {GMASK}, {MASK}"),
    ],
)
def test_a_prompt_without_its_marks_is_refused(tmp_path: Path, ids: list[int], named: str) -> None:
    folder = write_checkpoint(tmp_path / "model", first_json(), random_state(first_json()))
    model = load_model(folder, device="cpu")
    with pytest.raises(InvalidPrompt) as caught:
        model.layout(ids)
    assert named in str(caught.value)


def test_positions_are_frozen_at_the_mask_and_counted_from_the_start() -> None:
    """The example that the released tokenizer gives for a greeting of two tokens."""
    from llm.models.build import empty_model

    raw = first_json(vocab_size=130528, bos_token_id=130004, gmask_token_id=130001)
    model = empty_model(ModelConfig.from_json(raw))
    layout = model.layout([5, 74874, 130001, 130004])
    assert layout.positions(0, 6).T.tolist() == [[0, 1, 2, 2, 2, 2], [0, 0, 0, 1, 2, 3]]
    assert layout.num_bidirectional == 3


def test_a_gmask_wins_over_a_mask_before_it() -> None:
    from llm.models.build import empty_model

    layout = empty_model(ModelConfig.from_json(first_json())).layout([MASK, 7, GMASK, START])
    assert layout.positions(3, 5).tolist() == [[2, 1], [2, 2]]


def test_a_float32_residual_is_refused_in_half_precision(tmp_path: Path) -> None:
    raw = tiny_config_json(96, fp32_residual_connection=True)
    folder = write_checkpoint(tmp_path / "model", raw, random_state(raw))
    assert load_model(folder, device="cpu").dtype == torch.float32
    with pytest.raises(CheckpointError, match="supported in float32 only"):
        load_model(folder, device="cpu", dtype="bfloat16")


@pytest.mark.parametrize("raw", [first_json(), first_json(**LARGE), tiny_config_json(96)])
def test_the_number_of_weights_follows_from_the_config(raw: dict[str, object]) -> None:
    from llm.models.build import empty_model

    config = ModelConfig.from_json(raw)
    model = empty_model(config)
    assert config.num_parameters == sum(each.numel() for each in model.parameters())
