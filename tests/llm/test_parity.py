"""Golden values: the supported families match, and a single wrong weight does not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from llm.__main__ import main
from llm.checkpoints.checkpoint import load_model
from llm.errors import CheckpointError
from llm.models import naive
from llm.models.rope import rotation
from llm.parity.logits import TOLERANCE, parity

# Folder, arrays and values that are compared there.
FOLDERS = [
    ("tiny-v1", 16, 7775),
    ("tiny-v1-ptuning", 9, 4681),
    ("tiny-v2", 12, 7363),
    ("tiny-v2-ptuning", 12, 7683),
    ("tiny-v3", 12, 7363),
    ("tiny-v3_32k", 12, 7363),
    ("tiny-glm4", 12, 7363),
    ("tiny-glm4-seqcls", 2, 19),
    ("tiny-hf-glm-4.57.1", 4, 1814),
]


def copy_of(folder: Path, target: Path) -> Path:
    target.mkdir()
    for name in ("config.json", "model.safetensors", "io.npz"):
        shutil.copyfile(folder / name, target / name)
    return target


@pytest.mark.parametrize(("name", "num_arrays", "num_values"), FOLDERS)
def test_every_recorded_array_of_every_family_is_equal(
    goldens: Path, name: str, num_arrays: int, num_values: int
) -> None:
    report = parity(goldens / name)
    assert report.failed == ()
    assert report.unknown == ()
    assert report.largest_difference <= TOLERANCE
    assert (len(report.comparisons), report.num_values) == (num_arrays, num_values)


@pytest.mark.parametrize(
    "key",
    [
        "transformer.encoder.layers.1.self_attention.query_key_value.bias",
        "transformer.encoder.layers.2.mlp.dense_4h_to_h.weight",
        "transformer.output_layer.weight",
    ],
)
def test_one_corrupt_weight_fails_parity(goldens: Path, tmp_path: Path, key: str) -> None:
    folder = copy_of(goldens / "tiny-v3", tmp_path / "corrupt")
    state = load_file(folder / "model.safetensors")
    state[key].view(-1)[7] += 0.05
    save_file(state, folder / "model.safetensors")
    report = parity(folder)
    assert not report.passed
    assert report.largest_difference > TOLERANCE
    assert main(["parity", str(folder)]) == 1


def test_a_weight_that_is_not_a_number_fails_parity(goldens: Path, tmp_path: Path) -> None:
    folder = copy_of(goldens / "tiny-v3", tmp_path / "nan")
    state = load_file(folder / "model.safetensors")
    state["transformer.encoder.final_layernorm.weight"][0] = torch.nan
    save_file(state, folder / "model.safetensors")
    assert not parity(folder).passed


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("tiny-v1", "transformer.layers.0.attention.query_key_value.weight"),
        ("tiny-v1-ptuning", "transformer.prefix_encoder.embedding.weight"),
        ("tiny-glm4-seqcls", "classifier_head.bias"),
        ("tiny-hf-glm-4.57.1", "model.layers.2.self_attn.k_proj.weight"),
    ],
)
def test_one_corrupt_weight_fails_the_command_for_every_kind(
    goldens: Path, tmp_path: Path, name: str, key: str
) -> None:
    folder = copy_of(goldens / name, tmp_path / "corrupt")
    state = load_file(folder / "model.safetensors")
    state[key].view(-1)[-1] += 0.05
    save_file(state, folder / "model.safetensors")
    assert main(["parity", str(goldens / name)]) == 0
    assert main(["parity", str(folder)]) == 1


def with_arrays(folder: Path, **changes: object) -> Path:
    with np.load(folder / "io.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(folder / "io.npz", **(arrays | changes))
    return folder


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("tiny-v1", "mask_position_ids"),
        ("tiny-v1", "batch_mask"),
        ("tiny-v1", "key0"),
        ("tiny-v2", "batch_greedy_ids"),
        ("tiny-v2-ptuning", "value0"),
        ("tiny-glm4", "rope_cache"),
        ("tiny-glm4", "chunk_logits"),
        ("tiny-hf-glm-4.57.1", "hidden_1"),
    ],
)
def test_a_difference_in_any_recorded_array_is_found(
    goldens: Path, tmp_path: Path, name: str, array: str
) -> None:
    folder = copy_of(goldens / name, tmp_path / "changed")
    with np.load(folder / "io.npz") as archive:
        changed = archive[array].copy()
    changed.reshape(-1)[-1] = changed.reshape(-1)[-1] == 0
    report = parity(with_arrays(folder, **{array: changed}))
    assert report.failed == (array,)


def test_an_array_that_nothing_is_known_of_is_named(goldens: Path, tmp_path: Path) -> None:
    folder = copy_of(goldens / "tiny-v3", tmp_path / "more")
    report = parity(with_arrays(folder, surprise=np.zeros(3)))
    assert report.passed
    assert report.unknown == ("surprise",)


def test_an_array_of_another_shape_differs(goldens: Path, tmp_path: Path) -> None:
    folder = copy_of(goldens / "tiny-v3", tmp_path / "cut")
    report = parity(with_arrays(folder, logits=np.zeros((1, 8, 159), np.float32)))
    assert report.failed == ("logits",)


def test_interpolated_positions_are_told_by_the_family_that_is_given(
    goldens: Path, tmp_path: Path
) -> None:
    folder = copy_of(goldens / "tiny-v3_32k", tmp_path / "second")
    assert main(["parity", str(folder)]) == 0
    assert main(["parity", str(folder), "--generation", "chatglm2"]) == 1


def test_a_recorded_rotary_table_tells_interpolated_positions(
    goldens: Path, tmp_path: Path
) -> None:
    folder = copy_of(goldens / "tiny-v3_32k", tmp_path / "second")
    model = load_model(folder, device="cpu", family="chatglm2")
    table = torch.stack(rotation(torch.arange(64)[:, None], model.config), dim=-1)[:, 0]
    logits = naive.logits(model, [[5, 6, 7]])[0][None].numpy()
    arrays = {"input_ids": np.array([[5, 6, 7]]), "logits": logits}
    np.savez(folder / "io.npz", **arrays, rope_cache=table.numpy())
    assert parity(folder).passed
    np.savez(folder / "io.npz", **arrays)
    assert parity(folder).failed == ("logits",)


def test_the_command_goes_through_a_folder_of_golden_values(
    goldens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["parity", str(goldens)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(lines) - 1} passed, 0 failed"
    assert any("quant.npz: ok: 444 quantised values" in line for line in lines)
    assert any("tokens_v3.json: ok" in line for line in lines)


def test_the_command_fails_for_what_is_not_there(
    goldens: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "absent", tmp_path / "absent.npz", tmp_path / "absent.json"]
    assert main(["parity", str(goldens / "tiny-v1"), *map(str, paths)]) == 1
    assert "1 passed, 3 failed" in capsys.readouterr().out


def test_a_folder_without_golden_values_is_an_error(tiny_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"io\.npz"):
        parity(tiny_folder)
