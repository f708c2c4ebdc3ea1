"""A model whose layers lie on several devices computes what it does on one."""

from pathlib import Path

import pytest
import torch

from llm.checkpoints.checkpoint import load_model
from llm.checkpoints.placement import spread
from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.errors import CheckpointError
from llm.models import naive
from llm.models.model import ChatGLM
from tests.llm.random_checkpoint import first_json, random_state, write_checkpoint
from tests.llm.tiny_checkpoint import tiny_config_json

IDS = [5, 17, 3, 80, 121, 124, 9]
# Device names that differ and mean the same memory: what crosses is moved, and no value changes.
MAPS = [{0: "cpu", 1: "cpu:1", 2: "cpu:1"}, {0: "cpu", 1: "cpu:1", 2: "cpu"}]


@pytest.fixture(params=["second layout", "first generation"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    first = request.param == "first generation"
    raw = first_json(num_layers=3) if first else tiny_config_json(128, num_layers=3)
    return write_checkpoint(tmp_path / "model", raw, random_state(raw))


def greedy(model: ChatGLM) -> list[int]:
    tokens = Engine(model).generate(IDS, SamplingParams(temperature=0, max_tokens=12))
    return [token.id for token in tokens]


@pytest.mark.parametrize("device_map", MAPS, ids=["one border", "there and back"])
def test_layers_on_several_devices_change_nothing(folder: Path, device_map: dict[int, str]) -> None:
    one = load_model(folder, device="cpu")
    several = load_model(folder, device_map=device_map)
    assert len(several.layers[1]._forward_pre_hooks) == 1
    assert torch.equal(naive.logits(one, [IDS])[0], naive.logits(several, [IDS])[0])
    assert greedy(several) == greedy(one)


def test_auto_takes_the_one_device_where_there_is_no_gpu(folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert load_model(folder, device_map="auto").device.type == "cpu"


def test_layers_are_spread_evenly_and_in_order() -> None:
    devices = [torch.device("cpu", number) for number in range(3)]
    layers = spread(7, devices).layers
    assert [device.index for device in layers] == [0, 0, 0, 1, 1, 2, 2]
    placement = spread(2, devices[:2])
    named = ["embedding", "layers.0.mlp.up", "layers.1.attention", "final_norm", "head"]
    assert [placement.device_of(name).index for name in named] == [0, 0, 1, 1, 1]


def test_a_layer_without_a_device_is_named(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"names the layers \[0, 2\]; expected 0 to 2"):
        load_model(folder, device_map={0: "cpu", 2: "cpu"})
    with pytest.raises(CheckpointError, match="device is 'tpu'"):
        load_model(folder, device_map=dict.fromkeys(range(3), "tpu"))


def test_gpu_and_cpu_share_the_layers_of_one_model(folder: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA")
    one = load_model(folder, device="cpu")
    several = load_model(folder, device_map={0: "cuda", 1: "cpu", 2: "cuda"})
    torch.testing.assert_close(
        naive.logits(several, [IDS])[0].cpu(), naive.logits(one, [IDS])[0], atol=1e-4, rtol=1e-4
    )
    assert greedy(several) == greedy(one)
