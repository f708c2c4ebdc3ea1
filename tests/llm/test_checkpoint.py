"""Loading released folders: every form of file, and every way a folder can be wrong."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from llm.checkpoints.checkpoint import choose_dtype, load_model
from llm.errors import CheckpointError
from llm.models.build import random_model
from llm.models.config import ModelConfig, chatglm3_6b
from tests.llm.tiny_checkpoint import released_state, tiny_config_json

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
HEAD = "transformer.output_layer.weight"


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture(scope="module")
def state(tiny_folder: Path) -> dict[str, torch.Tensor]:
    return load_file(tiny_folder / FIRST) | load_file(tiny_folder / SECOND)


def without_weights(folder: Path) -> Path:
    for path in (*folder.glob("*.safetensors"), folder / INDEX):
        path.unlink()
    return folder


def load(folder: Path) -> torch.nn.Module:
    return load_model(folder, device="cpu", dtype="float32")


def assert_same_weights(found: torch.nn.Module, expected: torch.nn.Module) -> None:
    pairs = zip(found.named_parameters(), expected.named_parameters(), strict=True)
    for (name, value), (_, wanted) in pairs:
        assert torch.equal(value, wanted), name


def write_single(folder: Path, state: dict[str, torch.Tensor]) -> None:
    save_file(state, without_weights(folder) / "model.safetensors")


def write_bin(folder: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save(state, without_weights(folder) / "pytorch_model.bin")


def write_sharded_bin(folder: Path, state: dict[str, torch.Tensor]) -> None:
    without_weights(folder)
    weight_map = {}
    for number, keys in enumerate((sorted(state)[::2], sorted(state)[1::2]), start=1):
        name = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({key: state[key] for key in keys}, folder / name)
        weight_map |= dict.fromkeys(keys, name)
    text = json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / "pytorch_model.bin.index.json").write_text(text)


@pytest.mark.parametrize("write", [write_single, write_bin, write_sharded_bin])
def test_every_released_file_form_loads_the_same_weights(
    tiny_folder: Path,
    folder: Path,
    state: dict[str, torch.Tensor],
    write: Callable[[Path, dict[str, torch.Tensor]], None],
) -> None:
    write(folder, state)
    assert_same_weights(load(folder), load(tiny_folder))


def test_stored_values_arrive_at_their_places(folder: Path, state: dict[str, torch.Tensor]) -> None:
    model = load(folder)
    stored = state["transformer.encoder.layers.1.mlp.dense_h_to_4h.weight"]
    assert torch.equal(model.get_parameter("layers.1.mlp.gate_up.weight"), stored)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_dtype_converts_and_auto_avoids_float16_on_a_cpu(tiny_folder: Path) -> None:
    assert load_model(tiny_folder, device="cpu", dtype="bfloat16").dtype == torch.bfloat16
    assert load_model(tiny_folder, device="cpu").dtype == torch.float32
    config = chatglm3_6b()
    assert choose_dtype("auto", config, torch.device("cpu")) == torch.bfloat16
    assert choose_dtype("auto", config, torch.device("cuda")) == torch.float16


def test_weights_survive_the_removal_of_their_file(folder: Path) -> None:
    model = load(folder)
    before = model.get_parameter("head.weight").clone()
    for path in folder.glob("*.safetensors"):
        path.write_bytes(b"\0" * path.stat().st_size)
    assert torch.equal(model.get_parameter("head.weight"), before)


def test_a_link_to_a_shard_elsewhere_is_followed(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / FIRST, tmp_path / "blob")
    (folder / FIRST).symlink_to(tmp_path / "blob")
    load(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../model-00001-of-00002.safetensors",
        "/etc/model.safetensors",
        "sub/model.safetensors",
        "..\\model.safetensors",
        "model.bin",
        "..",
    ],
)
def test_a_path_trick_in_the_index_is_refused(folder: Path, name: str) -> None:
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"][HEAD] = name
    (folder / INDEX).write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="expected a plain") as caught:
        load(folder)
    assert repr(name) in str(caught.value)


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


def test_a_pickle_payload_in_a_bin_is_refused_and_never_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    monkeypatch.chdir(folder)
    write_bin(folder, state | {"payload": Payload()})  # type: ignore[dict-item] -- the attack
    with pytest.raises(CheckpointError, match=r"refused .* something other than tensors"):
        load(folder)
    assert not (folder / "executed").exists()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(CheckpointError):
        load(folder)
    assert not (folder / "executed").exists()


def test_missing_and_unexpected_keys_are_named(
    folder: Path, state: dict[str, torch.Tensor]
) -> None:
    write_single(folder, {key: value for key, value in state.items() if key != HEAD})
    with pytest.raises(CheckpointError, match=f"1 keys are missing .*: {HEAD}"):
        load(folder)
    write_single_again = state | {"transformer.extra.weight": torch.zeros(2)}
    save_file(write_single_again, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"1 keys are unexpected .*: transformer\.extra"):
        load(folder)


def test_a_wrong_shape_is_named_with_key_expected_and_found(
    folder: Path, state: dict[str, torch.Tensor]
) -> None:
    rows, columns = state[HEAD].shape
    write_single(folder, state | {HEAD: torch.zeros(rows - 1, columns)})
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"key {HEAD!r} has the shape [{rows - 1}, {columns}]; config.json asks for"
        f" [{rows}, {columns}]"
    )


def test_shapes_are_checked_before_memory_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((folder / "config.json").read_text())
    # 2 * 10^12 weights: anything that allocated them would end the test run.
    config |= {"ffn_hidden_size": 10**9, "hidden_size": 1000}
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr(
        "llm.checkpoints.weight_loader.read_tensors", lambda *_: pytest.fail("weights were read")
    )
    with pytest.raises(CheckpointError, match="has the shape"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"num_layers": 10**9}, "has 1000000000 layers; the weights are only"),
        ({"hidden_size": 10**12, "ffn_hidden_size": 10**12}, "asks for the impossible"),
        ({"hidden_size": 10**30}, "asks for the impossible"),
    ],
)
def test_absurd_sizes_are_refused_at_once(folder: Path, change: dict[str, int], named: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "transformer.encoder.layers.0.self_attention.dense.weight_scale",
        "transformer.prefix_encoder.embedding.weight",
        "transformer.encoder.layers.0.self_attention.dense.bias",
    ],
)
def test_weights_that_config_json_does_not_speak_of_are_unexpected(
    folder: Path, state: dict[str, torch.Tensor], key: str
) -> None:
    write_single(folder, state | {key: torch.zeros(2)})
    with pytest.raises(CheckpointError, match=f"1 keys are unexpected .*: {key}"):
        load(folder)


def test_integer_weights_are_refused(folder: Path, state: dict[str, torch.Tensor]) -> None:
    write_single(folder, state | {HEAD: state[HEAD].to(torch.int8)})
    with pytest.raises(CheckpointError, match="has the type I8; expected float16"):
        load(folder)


def test_one_key_in_two_shards_is_refused(folder: Path, state: dict[str, torch.Tensor]) -> None:
    save_file(load_file(folder / FIRST) | {HEAD: state[HEAD]}, folder / FIRST)
    save_file(load_file(folder / SECOND) | {HEAD: state[HEAD]}, folder / SECOND)
    with pytest.raises(CheckpointError, match="stored in more than one file"):
        load(folder)


def damage_truncate(folder: Path) -> None:
    content = (folder / FIRST).read_bytes()
    (folder / FIRST).write_bytes(content[: len(content) // 2])


def damage_remove_shard(folder: Path) -> None:
    (folder / SECOND).unlink()


def damage_index(folder: Path) -> None:
    (folder / INDEX).write_text('{"weight_map": []}')


def damage_index_json(folder: Path) -> None:
    (folder / INDEX).write_text("[" * 100_000)


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff\xfe")


def damage_config_type(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def damage_all_weights(folder: Path) -> None:
    without_weights(folder)


def damage_empty_bin(folder: Path) -> None:
    (without_weights(folder) / "pytorch_model.bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (damage_truncate, FIRST),
        (damage_remove_shard, "it is not in the folder"),
        (damage_index, "expected a map"),
        (damage_index_json, "cannot read"),
        (damage_config, "config.json"),
        (damage_config_type, "holds a list; expected an object"),
        (damage_all_weights, "holds no weights; expected one of"),
        (damage_empty_bin, "pytorch_model.bin"),
    ],
)
def test_a_damaged_folder_gives_a_typed_error_that_names_the_file(
    folder: Path, damage: Callable[[Path], None], named: str
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"device": "tpu"}, "device is 'tpu'; expected one of auto, cpu, cuda, mps"),
        ({"dtype": "int4"}, "dtype is 'int4'; expected one of auto, float32"),
    ],
)
def test_an_unknown_device_or_dtype_is_named(
    tiny_folder: Path, choice: dict[str, str], named: str
) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_model(tiny_folder, **choice)
    assert named in str(caught.value)


def test_a_device_that_is_absent_is_named(tiny_folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(CheckpointError, match="this machine has no such device"):
        load_model(tiny_folder, device="cuda")


# VmHWM and not getrusage: the latter starts at the peak of the process that was forked from.
# The first load pays for code and pools that torch takes once.
LOAD_AND_REPORT = """
import json, sys
from pathlib import Path
from llm.checkpoints.checkpoint import load_model
def kib(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
load_model(Path(sys.argv[1]), device="cpu", dtype="float32")
for folder in sys.argv[2:]:
    before = kib("VmRSS")
    model = load_model(Path(folder), device="cpu", dtype="float32")
    print(json.dumps([sum(p.nbytes for p in model.parameters()) / 1024, kib("VmHWM") - before]))
    del model
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory as Linux reports it")
def test_peak_memory_of_loading_is_about_the_model(tmp_path: Path, tiny_folder: Path) -> None:
    """A single file of many layers: neither the file nor a second copy stays in memory."""
    raw = tiny_config_json(96, num_layers=12, hidden_size=512, ffn_hidden_size=2048)
    state = released_state(random_model(ModelConfig.from_json(raw)))
    folders = [tmp_path / "safetensors", tmp_path / "bin"]
    for folder in folders:
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(raw))
    save_file(state, folders[0] / "model.safetensors")
    torch.save(state, folders[1] / "pytorch_model.bin")
    command = [sys.executable, "-c", LOAD_AND_REPORT, str(tiny_folder), *map(str, folders)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    reports = [json.loads(line) for line in output.splitlines()]
    assert len(reports) == 2
    for size_kib, growth_kib in reports:
        assert 0.5 * size_kib < growth_kib < 1.15 * size_kib
