"""Products of activations with int8 and int4 weights: which implementation runs on this machine.

The choice is made once, at the first product, and logged. Knows what an implementation offers;
the layout is in panels.py, the two implementations in native.py and torch_kernel.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from llm import HAS_WAIT_POLICY
from llm.errors import KernelUnavailable
from llm.kernels.build import best_variant, library_path

if TYPE_CHECKING:
    from torch import Tensor

    from llm.kernels.cpu.panels import Panels

_log = logging.getLogger(__name__)


class Kernel(Protocol):
    """x (M, K) float32 or bfloat16 times a quantised weight, plus its bias: (M, N) likewise."""

    @property
    def name(self) -> str: ...

    def linear_int8(self, x: Tensor, weight: Panels) -> Tensor: ...

    def linear_int4(self, x: Tensor, weight: Panels) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """A kernel, and why it is not the compiled one (empty when it is)."""

    kernel: Kernel
    reason: str = ""


def choose_kernel() -> KernelChoice:
    """The compiled kernel where `python -m llm.kernels.build` has made one, else torch."""
    from llm.kernels.cpu.native import NativeKernel
    from llm.kernels.cpu.torch_kernel import TorchKernel

    try:
        variant = best_variant()
        return KernelChoice(NativeKernel(library_path(variant), variant.name))
    except KernelUnavailable as reason:
        return KernelChoice(TorchKernel(), str(reason))


@cache
def cpu_kernel() -> Kernel:
    """The chosen kernel; the first call logs which one it is."""
    choice = choose_kernel()
    if choice.reason:
        _log.warning(
            "quantised products run in torch, several times slower: %s"
            " (python -m llm.kernels.build compiles the kernel)",
            choice.reason,
        )
    else:
        _log.info("quantised products run in the compiled kernel %s", choice.kernel.name)
        if not HAS_WAIT_POLICY:
            _log.warning(
                "torch was imported before llm, so its idle threads slow the compiled kernel"
                " down; import llm first, or set OMP_WAIT_POLICY=PASSIVE"
            )
    return choice.kernel


def kernel_for(x: Tensor) -> Kernel:
    """The kernel for activations on their device; only the CPU has a compiled one here."""
    if x.device.type == "cpu":
        return cpu_kernel()
    from llm.kernels.cpu.torch_kernel import TorchKernel

    return TorchKernel()


def kernel_name() -> str:
    """The CPU's kernel: `avx512-vnni`, `avx-vnni`, `avx2` or `torch`."""
    return cpu_kernel().name
