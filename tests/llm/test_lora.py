"""LoRA adapters in peft's format: merged, kept beside a quantised base, and refused by name."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from llm.checkpoints.checkpoint import load_model
from llm.checkpoints.lora import LoraLinear
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.models import naive
from tests.llm.random_checkpoint import (
    GMASK,
    START,
    first_json,
    native_json,
    random_state,
    write_checkpoint,
)
from tests.llm.reference import first_logits
from tests.llm.tiny_checkpoint import tiny_config_json

IDS = [5, 17, 3, 80, GMASK, START, 9]
SECOND = "transformer.encoder.layers.{i}.self_attention.query_key_value"
DENSE = "transformer.encoder.layers.{i}.mlp.dense_4h_to_h"
FIRST = "transformer.layers.{i}.attention.query_key_value"


def write_adapter(
    folder: Path,
    factors: dict[str, tuple[Tensor, Tensor]],
    *,
    plain: bool = True,
    **changes: object,
) -> Path:
    """An adapter folder; `factors` has A (r, in) and B (out, r) of each base module."""
    folder.mkdir(exist_ok=True)
    rank = next(iter(factors.values()))[0].shape[0] if factors else 2
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 6, "target_modules": ["x"]} | changes
    (folder / "adapter_config.json").write_text(json.dumps(config))
    suffix = ".weight" if plain else ".default.weight"
    tensors = {}
    for module, (down, up) in factors.items():
        tensors[f"base_model.model.{module}.lora_A{suffix}"] = down.contiguous()
        tensors[f"base_model.model.{module}.lora_B{suffix}"] = up.contiguous()
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


def random_factors(
    state: dict[str, Tensor], modules: list[str], rank: int = 2
) -> dict[str, tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(9)
    found = {}
    for module in modules:
        rows, columns = state[f"{module}.weight"].shape
        down = torch.randn(rank, columns, generator=generator)
        found[module] = (down, torch.randn(rows, rank, generator=generator))
    return found


def added(
    state: dict[str, Tensor], factors: dict[str, tuple[Tensor, Tensor]], scale: float
) -> dict[str, Tensor]:
    """The weights with every product added, as the paper has it."""
    changed = dict(state)
    for module, (down, up) in factors.items():
        changed[f"{module}.weight"] = state[f"{module}.weight"] + scale * (up @ down)
    return changed


def logits(folder: Path, lora: Path | None = None, **options: str) -> Tensor:
    model = load_model(folder, device="cpu", dtype="float32", lora=lora, **options)
    return naive.logits(model, [IDS])[0]


BASES = {
    "second layout": (
        tiny_config_json(128),
        [SECOND.format(i=0), SECOND.format(i=1), DENSE.format(i=1), "transformer.output_layer"],
    ),
    "per-head rows": (
        tiny_config_json(128, multi_query_attention=False, original_rope=False),
        [SECOND.format(i=1)],
    ),
    "first generation": (first_json(), [FIRST.format(i=0), FIRST.format(i=1)]),
    "native": (
        native_json(vocab_size=128),
        [f"model.layers.{i}.self_attn.{part}" for i in (0, 1) for part in ("q_proj", "v_proj")]
        + ["model.layers.1.self_attn.k_proj", "model.layers.0.mlp.gate_up_proj"],
    ),
}


@pytest.mark.parametrize(("raw", "modules"), BASES.values(), ids=BASES)
@pytest.mark.parametrize("plain", [True, False], ids=["saved", "in memory"])
def test_a_merged_adapter_equals_weights_with_the_product_added(
    tmp_path: Path, raw: dict[str, object], modules: list[str], plain: bool
) -> None:
    state = random_state(raw)
    factors = random_factors(state, modules)
    base = write_checkpoint(tmp_path / "base", raw, state)
    whole = write_checkpoint(tmp_path / "whole", raw, added(state, factors, 6 / 2))
    adapter = write_adapter(tmp_path / "adapter", factors, plain=plain)
    torch.testing.assert_close(logits(base, adapter), logits(whole), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(logits(base), logits(whole), atol=1e-2)


def test_a_merged_adapter_of_the_first_generation_equals_the_plain_reference(
    tmp_path: Path,
) -> None:
    raw, modules = BASES["first generation"]
    state = random_state(raw)
    factors = random_factors(state, modules)
    base = write_checkpoint(tmp_path / "base", raw, state)
    expected = first_logits(raw, added(state, factors, 3), IDS)
    found = logits(base, write_adapter(tmp_path / "adapter", factors)).double()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("raw", "modules"), BASES.values(), ids=BASES)
def test_an_adapter_beside_a_quantised_base_adds_the_same_product(
    tmp_path: Path, raw: dict[str, object], modules: list[str]
) -> None:
    """Each changed layer gives what its quantised base gives, plus the exact product."""
    state = random_state(raw)
    factors = random_factors(state, modules)
    base = write_checkpoint(tmp_path / "base", raw, state)
    adapter = write_adapter(tmp_path / "adapter", factors)
    beside = load_model(base, device="cpu", dtype="float32", quantize="int8", lora=adapter)
    merged = load_model(base, device="cpu", dtype="float32", lora=adapter)
    plain = load_model(base, device="cpu", dtype="float32")
    changed = [name for name, each in beside.named_modules() if isinstance(each, LoraLinear)]
    assert changed
    for name in changed:
        layer = beside.get_submodule(name)
        x = torch.randn(3, layer.base.in_features, generator=torch.Generator().manual_seed(1))
        product = layer(x) - layer.base(x)
        exact = merged.get_submodule(name)(x) - plain.get_submodule(name)(x)
        torch.testing.assert_close(product, exact, atol=1e-4, rtol=1e-4)
    found, expected = naive.logits(beside, [IDS])[0], naive.logits(merged, [IDS])[0]
    assert (found - expected).norm() < 0.1 * expected.norm()


def test_rank_and_alpha_patterns_and_stabilised_ranks_set_the_scale(tmp_path: Path) -> None:
    raw = tiny_config_json(128)
    state = random_state(raw)
    first, second = SECOND.format(i=0), SECOND.format(i=1)
    factors = random_factors(state, [first], rank=2) | random_factors(state, [second], rank=4)
    scales = {first: 6 / math.sqrt(2), second: 20 / math.sqrt(4)}
    whole = dict(state)
    for module, scale in scales.items():
        whole |= {f"{module}.weight": added(state, factors, scale)[f"{module}.weight"]}
    adapter = write_adapter(
        tmp_path / "adapter",
        factors,
        r=2,
        use_rslora=True,
        rank_pattern={"layers.1.self_attention.query_key_value": 4},
        alpha_pattern={f"^{second}": 20},
        fan_in_fan_out=True,  # means nothing to a linear layer
    )
    base = write_checkpoint(tmp_path / "base", raw, state)
    expected = logits(write_checkpoint(tmp_path / "whole", raw, whole))
    torch.testing.assert_close(logits(base, adapter), expected, atol=1e-5, rtol=1e-4)


def test_tensors_that_were_saved_whole_replace_the_bases(tmp_path: Path) -> None:
    raw = tiny_config_json(128)
    state = random_state(raw)
    adapter = write_adapter(tmp_path / "adapter", {}, r=2)
    head, bias = torch.randn(128, 32), torch.randn(64)
    weights = {
        "base_model.model.transformer.output_layer.modules_to_save.weight": head,
        f"base_model.model.{SECOND.format(i=0)}.base_layer.bias": bias,
        "base_model.model.classifier_head.weight": torch.ones(3, 32),
        "base_model.model.classifier_head.bias": torch.zeros(3),
    }
    torch.save(weights, adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    base = write_checkpoint(tmp_path / "base", raw, state)
    model = load_model(base, device="cpu", lora=adapter)
    assert torch.equal(model.get_parameter("head.weight"), head)
    assert torch.equal(model.get_parameter("layers.0.attention.qkv.bias"), bias)
    assert naive.classify(model, [IDS]).shape == (1, 3)


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"peft_type": "PREFIX_TUNING"}, UnsupportedCheckpoint, "expected 'LORA'"),
        ({"use_dora": True}, UnsupportedCheckpoint, "use_dora = True"),
        ({"r": 8}, CheckpointError, "gives it the rank 8"),
        ({"r": "2"}, CheckpointError, "r = '2'; expected a number above 0"),
        ({"lora_alpha": None}, CheckpointError, "lora_alpha = None"),
        ({"rank_pattern": {"(a+)+$": 2}}, UnsupportedCheckpoint, "expected a plain module name"),
    ],
)
def test_an_adapter_that_means_something_else_is_refused(
    tmp_path: Path, changes: dict[str, object], error: type[CheckpointError], named: str
) -> None:
    raw = tiny_config_json(128)
    state = random_state(raw)
    base = write_checkpoint(tmp_path / "base", raw, state)
    factors = random_factors(state, [SECOND.format(i=0)])
    adapter = write_adapter(tmp_path / "adapter", factors, **changes)
    with pytest.raises(error) as caught:
        logits(base, adapter)
    assert named in str(caught.value)


def test_a_module_that_the_base_lacks_or_has_in_another_size_is_named(tmp_path: Path) -> None:
    raw = tiny_config_json(128)
    state = random_state(raw)
    base = write_checkpoint(tmp_path / "base", raw, state)
    down, up = torch.ones(2, 32), torch.ones(64, 2)
    unknown = write_adapter(tmp_path / "unknown", {"model.layers.0.self_attn.q_proj": (down, up)})
    with pytest.raises(CheckpointError, match=r"changes 'model\.layers.*no such linear module"):
        logits(base, unknown)
    wrong = write_adapter(tmp_path / "wrong", {SECOND.format(i=0): (torch.ones(2, 31), up)})
    with pytest.raises(CheckpointError, match=r"is for a weight of \[64, 31\].* has \[64, 32\]"):
        logits(base, wrong)


def test_an_adapter_without_its_files_is_named(tmp_path: Path) -> None:
    raw = tiny_config_json(128)
    base = write_checkpoint(tmp_path / "base", raw, random_state(raw))
    with pytest.raises(CheckpointError, match=r"adapter_config\.json"):
        logits(base, tmp_path)
    adapter = write_adapter(tmp_path / "adapter", {})
    with pytest.raises(CheckpointError, match="an adapter without weights"):
        logits(base, adapter)
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"expected adapter_model\.safetensors or"):
        logits(base, adapter)
