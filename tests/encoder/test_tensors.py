"""Tensors of a file: bytes with a scale a row among them, and files that are not whole."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from kb_service.domain.errors import ConfigurationError
from kb_service.encoder.tensors import QuantizedRows, open_tensors
from training.encoder.package import quantized

MATRIX = np.random.default_rng(2).standard_normal((7, 5), dtype=np.float32)


def written(path: Path, **tensors: np.ndarray) -> Path:
    save_file(tensors, path)
    return path


def test_bytes_and_scales_become_the_matrix_they_were_made_of(tmp_path: Path) -> None:
    codes, scales = quantized(MATRIX)
    path = written(
        tmp_path / "a",
        odd=np.ones(3, np.int8)[:, None],
        **{"odd.scale": scales[:3]},
        m=codes,
        **{"m.scale": scales},
    )
    tensors = open_tensors(path)
    assert set(tensors) == {"m", "odd"}
    assert len(tensors) == 2
    largest = np.abs(MATRIX).max(axis=1, keepdims=True)
    assert (np.abs(tensors["m"] - MATRIX) <= largest / 254 + 1e-6).all()


def test_single_rows_are_those_of_the_whole(tmp_path: Path) -> None:
    codes, scales = quantized(MATRIX)
    tensors = open_tensors(written(tmp_path / "a", **{"m": codes, "m.scale": scales}))
    rows = tensors.rows("m")
    assert isinstance(rows, QuantizedRows)
    assert rows.shape == (7, 5)
    assert np.array_equal(rows[np.array([3, 0, 3])], tensors["m"][[3, 0, 3]])


def test_a_row_of_nothing_stays_nothing() -> None:
    codes, scales = quantized(np.zeros((2, 3), np.float32))
    assert not codes.any()
    assert np.isfinite(scales).all()


def test_halves_become_float32(tmp_path: Path) -> None:
    found = open_tensors(written(tmp_path / "a", h=MATRIX.astype(np.float16)))["h"]
    assert found.dtype == np.float32
    assert np.array_equal(found, MATRIX.astype(np.float16))


def test_bytes_without_their_scales_are_refused(tmp_path: Path) -> None:
    tensors = open_tensors(written(tmp_path / "a", m=quantized(MATRIX)[0]))
    with pytest.raises(ConfigurationError, match="no scale for each row") as caught:
        tensors["m"]
    assert caught.value.code == "model_corrupt"


def header(**of: object) -> bytes:
    text = json.dumps({"m": of}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(16)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        b"\xff" * 8 + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{x",
        header(dtype="F32", shape=[4], data_offsets=[0, 12]),
        header(dtype="F32", shape=[8], data_offsets=[0, 32]),
        header(dtype="F32", shape=[-4], data_offsets=[16, 0]),
        header(dtype="U64", shape=[2], data_offsets=[0, 16]),
        header(shape=[4]),
    ],
)
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="weights cannot be read") as caught:
        open_tensors(path)
    assert caught.value.code == "model_corrupt"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent cannot be read"):
        open_tensors(tmp_path / "absent")
