"""An encoder with a compiled kernel: near the one of numpy, and its own bits every time."""

import numpy as np
import pytest

from kb_service.encoder.bert import Bert, BertShape
from kb_service.encoder.kernel import CompiledKernel, NumpyKernel
from kb_service.encoder.tensors import Matrix, QuantizedRows, whole
from kb_service.model_parts import encoder_kernel
from tests.encoder.tiny_bert import tiny_tensors

SHAPE = BertShape(num_layers=2, num_heads=2)
SEQUENCES = [[0, 5, 2], [0, *range(4, 40), 2], [7], [0, 9, 9, 9, 2]]


def stored(num_channels: int) -> dict[str, Matrix]:
    """The tensors of a tiny model, its layers' matrices as bytes."""
    found: dict[str, Matrix] = {}
    for name, value in tiny_tensors(num_channels=num_channels).items():
        if value.ndim == 2 and name.startswith("encoder."):
            scales = np.abs(value).max(axis=1) / np.float32(127)
            codes = np.rint(value / scales[:, None]).astype(np.int8)
            found[name] = QuantizedRows(codes, scales)
        else:
            found[name] = value
    return found


@pytest.fixture(scope="module")
def compiled() -> CompiledKernel:
    kernel = encoder_kernel()
    if kernel is None:
        pytest.skip("no compiled kernel on this machine")
    assert isinstance(kernel, CompiledKernel)
    return kernel


@pytest.mark.parametrize("num_channels", [16, 64])
def test_bytes_give_nearly_the_states_of_their_floats(
    compiled: CompiledKernel, num_channels: int
) -> None:
    tensors = stored(num_channels)
    plain = Bert({name: whole(of) for name, of in tensors.items()}, SHAPE)
    fast = Bert(tensors, SHAPE, kernel=compiled)
    for one, other in zip(plain.hidden(SEQUENCES), fast.hidden(SEQUENCES), strict=True):
        cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert cosines.min() > 0.999


def test_numpy_reads_bytes_as_the_floats_that_they_stand_for() -> None:
    tensors = stored(16)
    floats = Bert({name: whole(of) for name, of in tensors.items()}, SHAPE)
    for one, other in zip(
        floats.hidden(SEQUENCES),
        Bert(tensors, SHAPE, kernel=NumpyKernel()).hidden(SEQUENCES),
        strict=True,
    ):
        assert np.abs(one - other).max() < 1e-5


def test_float_weights_keep_their_digits_in_a_compiled_kernel(compiled: CompiledKernel) -> None:
    tensors = tiny_tensors(num_channels=64)
    plain, fast = Bert(tensors, SHAPE), Bert(tensors, SHAPE, kernel=compiled)
    for one, other in zip(plain.hidden(SEQUENCES), fast.hidden(SEQUENCES), strict=True):
        assert np.abs(one - other).max() < 1e-5


def test_states_do_not_depend_on_what_is_asked_for_beside_them(compiled: CompiledKernel) -> None:
    bert = Bert(stored(64), SHAPE, kernel=compiled)
    together = Bert(stored(64), SHAPE, num_threads=2, kernel=compiled)
    alone = [bert.hidden([ids])[0].tobytes() for ids in SEQUENCES]
    for found in (bert.hidden(SEQUENCES), together.hidden(SEQUENCES)):
        assert [states.tobytes() for states in found] == alone
    together.close()
