"""The compiled kernels of every instruction set that this CPU has, each built once a session."""

from pathlib import Path

import pytest

from llm.errors import KernelUnavailable
from llm.kernels import build
from llm.kernels.build import Variant
from llm.kernels.cpu.native import NativeKernel

VARIANTS = (*build.VARIANTS, build.REFERENCE)


def compiled(variant: Variant, folder: Path) -> NativeKernel:
    """A variant's kernel; the test is skipped where there is no compiler, or no such CPU."""
    return NativeKernel(built(variant, folder), variant.name)


def built(variant: Variant, folder: Path) -> Path:
    """A variant's library, skipped likewise."""
    if not variant.features <= build.cpu_features():
        pytest.skip(f"this CPU lacks {', '.join(variant.features - build.cpu_features())}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(build.CACHE_VARIABLE, str(folder))
        try:
            build.best_variant()
            return build.build(variant)
        except KernelUnavailable as reason:
            pytest.skip(str(reason))
