"""What config.json may say, and what is refused by name."""

import pytest

from llm.config import ModelConfig, chatglm3_6b
from llm.errors import CheckpointError, UnsupportedCheckpoint
from tests.llm.tiny_checkpoint import tiny_config_json


def test_published_shape_has_the_published_number_of_weights() -> None:
    assert chatglm3_6b().num_parameters == 6_243_584_000


def test_rope_ratio_raises_the_base_for_chatglm3() -> None:
    config = ModelConfig.from_json(tiny_config_json(96, rope_ratio=50))
    assert (config.rope_base, config.rope_position_divisor) == (500_000.0, 1.0)


def test_rope_ratio_interpolates_positions_for_chatglm2() -> None:
    raw = tiny_config_json(96, rope_ratio=16, _name_or_path="THUDM/chatglm2-6b-32k")
    config = ModelConfig.from_json(raw)
    assert (config.rope_base, config.rope_position_divisor) == (10_000.0, 16.0)


def test_missing_keys_take_the_defaults_of_the_released_code() -> None:
    config = ModelConfig.from_json({"multi_query_attention": True, "rmsnorm": True})
    assert (config.num_layers, config.hidden_size, config.max_context) == (28, 4096, 2048)
    assert (config.num_kv_groups, config.qkv_bias) == (1, False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"num_layers": 0}, "num_layers = 0; expected an integer >= 1"),
        ({"num_layers": "28"}, "num_layers = '28'; expected an integer"),
        ({"hidden_size": True}, "hidden_size = True; expected an integer"),
        ({"layernorm_epsilon": 0}, "norm_eps = 0.0; expected a number > 0"),
        ({"layernorm_epsilon": None}, "layernorm_epsilon = None; expected a number"),
        ({"multi_query_group_num": 3}, "num_kv_groups = 3; expected a divisor of num_heads = 4"),
        ({"kv_channels": 6}, "rope_dim = 3; expected an even number"),
        ({"torch_dtype": "int8"}, "torch_dtype = 'int8'; expected one of"),
        ({"add_qkv_bias": 1}, "add_qkv_bias = 1; expected true or false"),
    ],
)
def test_a_bad_value_is_named_with_what_is_accepted(change: dict[str, object], named: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        ModelConfig.from_json(tiny_config_json(96, **change))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"model_type": "chatglm", "inner_hidden_size": 16384}, "first generation"),
        ({"model_type": "glm", "hidden_size": 4096}, "native GLM"),
        ({"num_key_value_heads": 2}, "native GLM"),
        ({}, "unknown model"),
        (tiny_config_json(96, quantization_bit=4), "quantization_bit = 4"),
        (tiny_config_json(96, pre_seq_len=128), "pre_seq_len = 128"),
        (tiny_config_json(96, rmsnorm=False), "rmsnorm = False"),
        (tiny_config_json(96, multi_query_attention=False), "multi_query_attention = False"),
        (tiny_config_json(96, original_rope=False), "original_rope = False"),
    ],
)
def test_other_kinds_of_checkpoint_are_refused_by_name(raw: dict[str, object], named: str) -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        ModelConfig.from_json(raw)
    assert named in str(caught.value)
    assert "supported yet" in str(caught.value)
