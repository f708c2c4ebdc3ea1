"""Compare the released quantised format with golden values made by the official code.

Knows the arrays of quant.npz and that every one must be equal; does not know how they were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm.errors import CheckpointError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = (
    "q8_unpacked", "scale8", "dequant8", "q4_unpacked", "q4_packed", "scale4", "dequant4",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuantReport:
    """How many values were compared, and the arrays in which any differs."""

    num_values: int
    wrong_arrays: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.wrong_arrays


def quant_parity(path: Path) -> QuantReport:
    """Quantise, pack, unpack and dequantise the file's weight; compare with each of its arrays.

    Raises:
        CheckpointError: an unreadable file, or one that lacks an array.
    """
    golden = _read(path)
    computed = _computed(golden)
    wrong = tuple(
        name
        for name, values in computed.items()
        if values.dtype != golden[name].dtype or not _equal(values, golden[name])
    )
    return QuantReport(sum(golden[name].size for name in computed), wrong)


def _computed(golden: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    import torch

    from llm.kernels import quantization

    weight = torch.from_numpy(golden["weight"])
    codes8, scale8 = quantization.quantize_rows(weight, 8)
    codes4, scale4 = quantization.quantize_rows(weight, 4)
    unpacked = quantization.unpack_int4(torch.from_numpy(golden["q4_packed"]))
    tensors = {
        "q8_unpacked": codes8,
        "scale8": scale8,
        "dequant8": quantization.dequantize_rows(codes8, scale8),
        "q4_unpacked": unpacked,
        "q4_packed": quantization.pack_int4(codes4),
        "scale4": scale4,
        "dequant4": quantization.dequantize_rows(unpacked, scale4),
    }
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _equal(values: NDArray[Any], expected: NDArray[Any]) -> bool:
    import numpy as np

    return np.array_equal(values, expected)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            golden = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    missing = {"weight", *_ARRAYS} - golden.keys()
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}")
    return golden
