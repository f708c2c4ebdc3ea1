"""Golden values: the supported generations match, and a single wrong weight does not."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from llm.__main__ import main
from llm.errors import CheckpointError, UnsupportedCheckpoint
from llm.parity import TOLERANCE, parity

SUPPORTED = ["tiny-v3", "tiny-v3_32k", "tiny-v2", "tiny-glm4"]
NOT_YET = ["tiny-v1", "tiny-v1-ptuning", "tiny-v2-ptuning", "tiny-glm4-seqcls"]


def copy_of(folder: Path, target: Path) -> Path:
    target.mkdir()
    for name in ("config.json", "model.safetensors", "io.npz"):
        shutil.copyfile(folder / name, target / name)
    return target


@pytest.mark.parametrize("name", SUPPORTED)
def test_logits_and_greedy_ids_equal_the_golden_ones(goldens: Path, name: str) -> None:
    report = parity(goldens / name)
    assert report.num_values == (8 + 10 + 2 * 6 + 3) * 160
    assert report.largest_difference <= TOLERANCE
    assert report.wrong_ids == ()
    assert report.passed


@pytest.mark.parametrize("name", NOT_YET)
def test_other_generations_are_named_as_not_supported(goldens: Path, name: str) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="supported yet"):
        parity(goldens / name)


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


def test_the_command_counts_unsupported_folders_apart(
    goldens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["parity", str(goldens / "tiny-v3"), str(goldens / "tiny-v1")]) == 0
    assert "1 passed, 0 failed, 1 not supported yet" in capsys.readouterr().out


def test_the_command_fails_when_nothing_could_run(
    goldens: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["parity", str(goldens / "tiny-v1")]) == 1
    assert main(["parity", str(tmp_path / "absent")]) == 1
    assert "is not a folder" in capsys.readouterr().out


def test_a_folder_without_golden_values_is_an_error(tiny_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"io\.npz"):
        parity(tiny_folder)
