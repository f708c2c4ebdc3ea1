"""Checkpoints beyond plain weights: quantised, with a prefix, a classifier, or a shared head."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from llm.checkpoints.checkpoint import load_model
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.kernels.quantization import dequantize_rows, pack_int4, quantize_rows
from llm.kernels.quantized_linear import Int4Linear, Int8Linear
from llm.models import naive
from llm.models.config import ModelConfig
from llm.parity.logits import parity
from tests.llm.random_checkpoint import (
    GMASK,
    START,
    first_json,
    native_json,
    random_state,
    write_checkpoint,
)
from tests.llm.reference import first_logits, second_logits
from tests.llm.test_parity import copy_of
from tests.llm.tiny_checkpoint import tiny_config_json

IDS = [5, 17, 3, 80, GMASK, START, 9]
PREFIX = "transformer.prefix_encoder"
LINEAR = ("query_key_value.weight", "dense.weight", "h_to_4h.weight", "4h_to_h.weight")


def logits(folder: Path, **options: object) -> Tensor:
    model = load_model(folder, device="cpu", **({"dtype": "float32"} | options))  # type: ignore[arg-type] -- any options
    return naive.logits(model, [IDS])[0]


def quantised_state(state: dict[str, Tensor], bits: int, *also: str) -> dict[str, Tensor]:
    """The released form: integers and scales of the layers' linear weights (and of `also`)."""
    found = dict(state)
    for key, value in state.items():
        if key.endswith((*LINEAR, *also)):
            codes, scale = quantize_rows(value, bits)
            found[key] = codes if bits == 8 else pack_int4(codes)
            found[f"{key}_scale"] = scale
    return found


def dequantised_state(state: dict[str, Tensor], bits: int, *also: str) -> dict[str, Tensor]:
    return {
        key: dequantize_rows(*quantize_rows(value, bits))
        if key.endswith((*LINEAR, *also))
        else value
        for key, value in state.items()
    }


RELEASED = {"second": (tiny_config_json(128), second_logits), "first": (first_json(), first_logits)}


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("kind", RELEASED)
def test_a_released_quantised_checkpoint_holds_its_dequantised_weights(
    tmp_path: Path, kind: str, bits: int
) -> None:
    raw, reference = RELEASED[kind]
    state = random_state(raw)
    changed = raw | {"quantization_bit": bits}
    folder = write_checkpoint(tmp_path / "model", changed, quantised_state(state, bits))
    exact = reference(raw, dequantised_state(state, bits), IDS)
    found = logits(folder, dequantize=True).double()
    torch.testing.assert_close(found, exact, atol=1e-4, rtol=1e-5)
    model = load_model(folder, device="cpu", dtype="float32")
    qkv = model.get_submodule("layers.0.attention.qkv")
    assert isinstance(qkv, Int8Linear if bits == 8 else Int4Linear)
    (near,) = naive.logits(model, [IDS])
    assert (near - exact).norm() < 0.05 * exact.norm()


def test_quantised_embeddings_of_the_first_generation_are_read(tmp_path: Path) -> None:
    raw = first_json()
    state = random_state(raw)
    embedding = "word_embeddings.weight"
    state["lm_head.weight"] = state[f"transformer.{embedding}"]
    also = (embedding, "lm_head.weight")
    changed = raw | {"quantization_bit": 4, "quantization_embeddings": True}
    folder = write_checkpoint(tmp_path / "model", changed, quantised_state(state, 4, *also))
    exact = first_logits(raw, dequantised_state(state, 4, *also), IDS)
    found = logits(folder, dequantize=True).double()
    torch.testing.assert_close(found, exact, atol=1e-4, rtol=1e-5)
    model = load_model(folder, device="cpu")
    assert model.head.weight is model.embedding.weight


def test_a_quantised_folder_can_be_golden(goldens: Path, tmp_path: Path) -> None:
    """Parity looks at what is stored, not at how a kernel rounds activations."""
    folder = copy_of(goldens / "tiny-v3", tmp_path / "model")
    raw = json.loads((folder / "config.json").read_text()) | {"quantization_bit": 8}
    write_checkpoint(folder, raw, quantised_state(load_file(folder / "model.safetensors"), 8))
    report = parity(folder)
    differences = {each.name: each.difference for each in report.comparisons}
    assert 1e-5 < differences["logits"] < 0.1  # int8 weights are near the golden float ones
    assert differences["rope_cache"] < 1e-6


@pytest.mark.parametrize("bits", [8, 4])
def test_quantising_at_load_makes_layers_and_head_quantised(tmp_path: Path, bits: int) -> None:
    raw = tiny_config_json(128, hidden_size=64)
    folder = write_checkpoint(tmp_path / "model", raw, random_state(raw))
    model = load_model(folder, device="cpu", dtype="float32", quantize=f"int{bits}")
    kinds = [type(each) for each in model.modules() if isinstance(each, Int8Linear | Int4Linear)]
    assert len(kinds) == 4 * 2 + 1
    assert kinds.count(Int8Linear if bits == 8 else Int4Linear) == (9 if bits == 8 else 8)
    plain, near = logits(folder), naive.logits(model, [IDS])[0]
    assert (near - plain).norm() < (0.1 if bits == 8 else 0.6) * plain.norm()


@pytest.mark.parametrize(
    ("changes", "quantize", "named"),
    [
        ({"quantization_bit": 8}, None, "query_key_value.weight_scale"),
        ({"quantization_bit": 8}, "int4", "quantised already"),
        ({}, "int5", "quantize is 'int5'; expected one of int8, int4"),
    ],
)
def test_a_quantisation_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict[str, object], quantize: str | None, named: str
) -> None:
    raw = tiny_config_json(128)
    folder = write_checkpoint(tmp_path / "model", raw | changes, random_state(raw))
    with pytest.raises(CheckpointError) as caught:
        logits(folder, quantize=quantize)
    assert named in str(caught.value)


def test_float_values_under_a_quantised_key_are_refused(tmp_path: Path) -> None:
    raw = tiny_config_json(128, quantization_bit=8)
    state = quantised_state(random_state(tiny_config_json(128)), 8)
    key = "transformer.encoder.layers.0.mlp.dense_4h_to_h.weight"
    folder = write_checkpoint(tmp_path / "model", raw, state | {key: state[key].float()})
    with pytest.raises(CheckpointError, match="has the type F32; expected int8"):
        logits(folder)


def prefix_state(raw: dict[str, object], num_tokens: int, hidden: int = 0) -> dict[str, Tensor]:
    """A prefix encoder; with `hidden` it is the two-layer network of the given inner size."""
    config = ModelConfig.from_json(raw)
    outputs = 2 * config.num_layers * config.num_kv_groups * config.head_dim
    generator = torch.Generator().manual_seed(4)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) / 2

    if not hidden:
        return {f"{PREFIX}.embedding.weight": random(num_tokens, outputs)}
    inputs = config.hidden_size if config.layout == "chatglm1" else outputs
    return {
        f"{PREFIX}.embedding.weight": random(num_tokens, inputs),
        f"{PREFIX}.trans.0.weight": random(hidden, inputs),
        f"{PREFIX}.trans.0.bias": random(hidden),
        f"{PREFIX}.trans.2.weight": random(outputs, hidden),
        f"{PREFIX}.trans.2.bias": random(outputs),
    }


def projected(prefix: dict[str, Tensor]) -> dict[str, Tensor]:
    """The plain form of a prefix encoder with a projection."""
    at = f"{PREFIX}.trans"
    inner = prefix[f"{PREFIX}.embedding.weight"] @ prefix[f"{at}.0.weight"].T
    inner = (inner + prefix[f"{at}.0.bias"]).tanh()
    plain = inner @ prefix[f"{at}.2.weight"].T + prefix[f"{at}.2.bias"]
    return {f"{PREFIX}.embedding.weight": plain}


@pytest.mark.parametrize("raw", [tiny_config_json(128), first_json()], ids=["second", "first"])
def test_a_projected_prefix_equals_the_plain_one_it_computes(
    tmp_path: Path, raw: dict[str, object]
) -> None:
    state = random_state(raw)
    prefix = prefix_state(raw, 3, hidden=32)
    with_network = raw | {"pre_seq_len": 3, "prefix_projection": True}
    found = logits(write_checkpoint(tmp_path / "network", with_network, state | prefix))
    plain = raw | {"pre_seq_len": 3}
    expected = logits(write_checkpoint(tmp_path / "plain", plain, state | projected(prefix)))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    without = logits(write_checkpoint(tmp_path / "base", raw, state))
    assert not torch.allclose(found, without, atol=1e-2)


@pytest.mark.parametrize("hidden", [0, 32], ids=["plain", "projected"])
def test_a_prefix_in_a_folder_of_its_own_is_laid_over_a_base(tmp_path: Path, hidden: int) -> None:
    raw = first_json()
    state = random_state(raw)
    prefix = prefix_state(raw, 4, hidden)
    base = write_checkpoint(tmp_path / "base", raw, state)
    own = tmp_path / "own"
    own.mkdir()
    torch.save(prefix, own / "pytorch_model.bin")
    plain = prefix if not hidden else projected(prefix)
    expected = first_logits(raw | {"pre_seq_len": 4}, state | plain, IDS)
    found = logits(base, prefix=own).double()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)


def test_a_prefix_that_does_not_fit_is_named(tmp_path: Path) -> None:
    raw = tiny_config_json(128)
    state = random_state(raw)
    base = write_checkpoint(tmp_path / "base", raw, state)
    own = write_checkpoint(tmp_path / "own", raw, {f"{PREFIX}.embedding.weight": torch.ones(3, 5)})
    with pytest.raises(CheckpointError, match=r"has the shape \[3, 5\]"):
        logits(base, prefix=own)
    with pytest.raises(CheckpointError, match=r"holds no key transformer\.prefix_encoder"):
        logits(base, prefix=base)
    longer = write_checkpoint(tmp_path / "longer", raw | {"pre_seq_len": 3}, state)
    with pytest.raises(CheckpointError, match=r"1 keys are missing .*prefix_encoder\.embedding"):
        logits(longer)
    native = native_json()
    folder = write_checkpoint(tmp_path / "native", native, random_state(native))
    with pytest.raises(UnsupportedCheckpoint, match="have no prefix encoder"):
        logits(folder, prefix=own)


def test_a_classifier_reads_the_last_token_of_each_sequence(tmp_path: Path) -> None:
    raw = native_json(num_labels=3)
    state = random_state(native_json())
    score = torch.randn(3, 32, generator=torch.Generator().manual_seed(5))
    del state["lm_head.weight"]
    folder = write_checkpoint(tmp_path / "model", raw, state | {"score.weight": score})
    model = load_model(folder, device="cpu", dtype="float32")
    sequences = [[5, 17, 3, 80], [9, 66]]
    states = naive.hidden_states(model, sequences)
    expected = torch.stack([each[-1] @ score.T for each in states])
    torch.testing.assert_close(naive.classify(model, sequences), expected, atol=1e-6, rtol=1e-5)
    with pytest.raises(UnsupportedCheckpoint, match="it has no output layer"):
        naive.logits(model, [[5, 17]])


def test_labels_that_no_head_belongs_to_are_overlooked_and_wrong_ones_named(
    tmp_path: Path,
) -> None:
    raw = tiny_config_json(128, id2label={"0": "no", "1": "yes"})
    state = random_state(tiny_config_json(128))
    assert load_model(write_checkpoint(tmp_path / "a", raw, state)).config.num_labels == 0
    head = {"classifier_head.weight": torch.ones(3, 32), "classifier_head.bias": torch.ones(3)}
    with pytest.raises(CheckpointError, match=r"has 3 rows; config\.json has num_labels = 2"):
        load_model(write_checkpoint(tmp_path / "b", raw, state | head))


@pytest.mark.parametrize("stored", [True, False], ids=["head stored", "head absent"])
def test_a_tied_head_is_the_embedding_whatever_else_is_stored(tmp_path: Path, stored: bool) -> None:
    raw = native_json(tie_word_embeddings=True, attention_bias=False, partial_rotary_factor=1.0)
    state = random_state(raw)
    if stored:
        state["lm_head.weight"] = torch.ones(96, 32)
    model = load_model(write_checkpoint(tmp_path / "model", raw, state), device="cpu")
    assert model.head.weight is model.embedding.weight
    assert torch.equal(model.embedding.weight, state["model.embed_tokens.weight"])


def test_an_equal_head_shares_the_memory_of_the_embedding(tmp_path: Path) -> None:
    raw = first_json()
    state = random_state(raw)
    other = load_model(write_checkpoint(tmp_path / "other", raw, state), device="cpu")
    assert other.head.weight is not other.embedding.weight
    state["lm_head.weight"] = state["transformer.word_embeddings.weight"].clone()
    same = load_model(write_checkpoint(tmp_path / "same", raw, state), device="cpu")
    assert same.head.weight is same.embedding.weight


def test_a_missing_head_that_is_not_tied_is_named(tmp_path: Path) -> None:
    raw = native_json()
    state = random_state(raw)
    del state["lm_head.weight"]
    with pytest.raises(CheckpointError, match=r"1 keys are missing .* lm_head\.weight"):
        load_model(write_checkpoint(tmp_path / "model", raw, state))


def test_the_rotary_base_can_be_put_right(tmp_path: Path) -> None:
    right = native_json(vocab_size=128, rope_theta=5e6)
    wrong = right | {"rope_theta": 1e4}
    state = random_state(right)
    expected = logits(write_checkpoint(tmp_path / "right", right, state))
    folder = write_checkpoint(tmp_path / "wrong", wrong, state)
    assert not torch.allclose(logits(folder), expected, atol=1e-4)
    assert torch.equal(logits(folder, rope_theta=5e6), expected)
    model = load_model(folder, device="cpu", rope_theta=5e6)
    assert model.config == ModelConfig.from_json(right)


def test_wrong_frequencies_that_a_file_stores_are_ignored(tmp_path: Path) -> None:
    raw = first_json()
    state = random_state(raw)
    expected = logits(write_checkpoint(tmp_path / "plain", raw, state))
    folder = tmp_path / "plain"
    stored = {"transformer.layers.0.attention.rotary_emb.inv_freq": torch.zeros(4)}
    save_file(state | stored, folder / "model.safetensors")
    assert torch.equal(logits(folder), expected)
