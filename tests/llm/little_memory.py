"""What the compiled kernels say when memory ends: run alone, with a library as its argument.

A process of its own, because what a long one has freed and kept may be all that a kernel needs.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from llm.kernels.cpu.native import NativeKernel
from llm.kernels.quantized_linear import quantize_linear

NOT_HELD = 77  # exit status where the system does not hold a process to its limit
_NUM_TOKENS = 500_000  # beside them the kernels keep some hundred bytes each


@contextmanager
def little_more_memory() -> Iterator[None]:
    """The process may take 16 MiB more of addresses than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**24, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def is_held_to_its_limit() -> bool:
    try:
        with little_more_memory():
            bytearray(2**26)
    except MemoryError:
        return True
    return False


def outcomes(native: NativeKernel) -> Iterator[str]:
    """What each kernel that keeps memory raises, then a product made after all that."""
    x, cached = torch.ones(_NUM_TOKENS, 1), torch.ones(1, 1, 1, 1)
    lengths = torch.ones(_NUM_TOKENS, dtype=torch.int32)
    tables = 0 * lengths[:, None]
    int8, int4 = (quantize_linear(torch.ones(1, 1), None, bits).weight_panels for bits in (8, 4))
    calls = [
        lambda: native.linear_int8(x, int8),
        lambda: native.linear_int4(x, int4),
        lambda: native.attend(x[:, None], cached, cached, tables, lengths),
    ]
    for call in calls:
        try:
            with little_more_memory():
                call()
            yield "computed"
        except MemoryError as error:
            yield str(error)
    yield str(native.linear_int8(x[:2], int8).tolist())


if __name__ == "__main__":
    if not is_held_to_its_limit():
        sys.exit(NOT_HELD)
    sys.stdout.write("\n".join(outcomes(NativeKernel(Path(sys.argv[1]), "under test"))))
