"""What config.json may say, and what is refused by name."""

import pytest

from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models.config import ModelConfig, chatglm3_6b
from tests.llm.random_checkpoint import first_json, native_json
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
        ({}, "unknown model"),
        ({"hidden_size": 4096}, "unknown model"),
        ({"model_type": "llama", "num_key_value_heads": 2}, "model_type = 'llama'"),
        ({"model_type": "glm4"}, "model_type = 'glm4'"),
        (native_json(hidden_act="relu"), "hidden_act = 'relu'"),
        (native_json(rope_parameters={"rope_type": "yarn"}), "rope_type = 'yarn'"),
    ],
)
def test_other_kinds_of_checkpoint_are_refused_by_name(raw: dict[str, object], named: str) -> None:
    with pytest.raises(UnsupportedCheckpoint) as caught:
        ModelConfig.from_json(raw)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (first_json(bos_token_id=128), "a mask or start id = 128; expected an id below"),
        (first_json(num_attention_heads=5), "num_attention_heads = 5; expected a divisor"),
        (first_json(hidden_size=36), "rope_dim = 18; expected a multiple of 4"),
        (tiny_config_json(96, quantization_bit=3), "quantization_bit = 3; expected 0, 4 or 8"),
        (tiny_config_json(96, pre_seq_len=-1), "num_prefix_tokens = -1"),
        (native_json(rope_parameters=[]), "rope_parameters"),
        (native_json(eos_token_id="2"), "eos_token_id = '2'; expected ids"),
        (native_json(partial_rotary_factor=2.0), "rope_dim = 16"),
    ],
)
def test_a_bad_value_of_another_layout_is_named(raw: dict[str, object], named: str) -> None:
    if raw.get("rope_parameters") == []:
        raw["rope_parameters"] = [1]
    with pytest.raises(CheckpointError) as caught:
        ModelConfig.from_json(raw)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "family"),
    [
        ({"model_type": "chatglm"}, "chatglm1"),
        (first_json(), "chatglm1"),
        ({"inner_hidden_size": 16384}, "chatglm1"),
        ({"model_type": "glm-130b"}, "glm130b"),
        (tiny_config_json(96, _name_or_path="THUDM/chatglm2-6b"), "chatglm2"),
        (tiny_config_json(96, _name_or_path="", transformers_version="4.27.1"), "chatglm2"),
        (tiny_config_json(96, _name_or_path="", rope_ratio=16), "chatglm2"),
        (tiny_config_json(96, _name_or_path="", rope_ratio=50), "chatglm3"),
        (tiny_config_json(151552, _name_or_path=""), "glm4"),
        (tiny_config_json(96, _name_or_path="", eos_token_id=[1, 2]), "glm4"),
        (native_json(), "glm"),
        ({"num_key_value_heads": 2}, "glm"),
    ],
)
def test_the_family_is_told_by_content(raw: dict[str, object], family: str) -> None:
    assert ModelConfig.from_json(raw).family == family


def test_a_family_that_is_given_wins() -> None:
    raw = tiny_config_json(96, rope_ratio=50)
    assert ModelConfig.from_json(raw, "chatglm2").rope_position_divisor == 50
    with pytest.raises(CheckpointError, match="generation is 'chatglm9'; expected one of"):
        ModelConfig.from_json(raw, "chatglm9")


def test_old_and_new_vocabularies_of_the_first_generation_have_their_own_marks() -> None:
    new = ModelConfig.from_json({"model_type": "chatglm", "vocab_size": 130528})
    old = ModelConfig.from_json({"model_type": "chatglm", "vocab_size": 150528})
    assert new.prompt_marks is not None
    assert old.prompt_marks is not None
    assert (new.prompt_marks.start_id, new.prompt_marks.gmask_id, new.eos_ids) == (
        130004,
        130001,
        (130005,),
    )
    assert (old.prompt_marks.start_id, old.prompt_marks.mask_ids) == (150004, (150000,))
    assert new.num_parameters == 6_707_929_088


def test_the_depth_of_the_residual_is_fixed_for_chatglm_6b_and_not_for_130b() -> None:
    assert ModelConfig.from_json(first_json(num_layers=3)).residual_scale == 56**0.5
    large = ModelConfig.from_json(first_json(model_type="glm-130b", num_layers=8))
    assert large.residual_scale == 4.0
    assert large.activation == "geglu"


def test_rotary_values_of_a_native_config_are_read_from_either_place() -> None:
    nested = {"rope_type": "default", "rope_theta": 5e6, "partial_rotary_factor": 1.0}
    raw = native_json(rope_parameters=nested)
    del raw["rope_theta"], raw["partial_rotary_factor"]
    config = ModelConfig.from_json(raw)
    assert (config.rope_base, config.rope_dim) == (5e6, 8)
    assert ModelConfig.from_json(native_json(rope_theta=5e6)).rope_base == 5e6


def test_glm_edge_is_read_without_biases_and_with_every_dimension_turned() -> None:
    raw = native_json(attention_bias=False, partial_rotary_factor=1.0, tie_word_embeddings=True)
    config = ModelConfig.from_json(raw)
    assert (config.qkv_bias, config.rope_dim, config.tie_embeddings) == (False, 8, True)


def test_missing_keys_of_a_native_config_take_their_defaults() -> None:
    config = ModelConfig.from_json({"model_type": "glm"})
    assert (config.num_layers, config.head_dim, config.num_kv_groups) == (40, 128, 2)
    assert config.eos_ids == (151329, 151336, 151338)
    assert config.num_parameters == 9_399_951_360


def test_the_base_that_a_converter_forgot_to_raise_is_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    raw = {"model_type": "glm", "max_position_embeddings": 131072, "rope_theta": 10000.0}
    ModelConfig.from_json(raw)
    assert "rope_theta = 10000 for a context of 131072" in caplog.text
    caplog.clear()
    ModelConfig.from_json(raw | {"max_position_embeddings": 8192})
    ModelConfig.from_json(raw | {"rope_theta": 5e6})
    assert caplog.text == ""
