"""Compile the kernels for this machine: `python -m llm.kernels.build`.

`--all` compiles for every instruction set, for an image that other machines run.

The library lies in a cache folder under a name made of its sources, options and CPU features,
with its checksum beside it. Knows compilers and files; does not load what it builds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm.errors import KernelUnavailable

_FOLDER = Path(__file__).parent / "cpu"
UNITS = tuple(_FOLDER / f"{name}.cpp" for name in ("linear", "attention", "pointwise", "sequence"))
SOURCES = (*UNITS, *(_FOLDER / f"{name}.h" for name in ("lanes", "numbers", "threads")))
CACHE_VARIABLE = "LLM_KERNEL_DIR"
TIMEOUT_S = 300

_OPTIONS = (
    "-std=c++20", "-O3", "-fPIC", "-shared", "-pthread",
    # Fused only where the source says so: all instruction sets give the same bits.
    "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """One instruction set: the CPU features it needs, as Linux names them, and its options."""

    name: str
    features: frozenset[str]
    options: tuple[str, ...]


_AVX2 = ("-mavx2", "-mfma")
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni", "-mfma")
VARIANTS = (
    Variant(
        "avx512-vnni",
        frozenset(("avx512f", "avx512bw", "avx512vl", "avx512_vnni", "fma")),
        _AVX512,
    ),
    Variant("avx-vnni", frozenset(("avx2", "avx_vnni", "fma")), (*_AVX2, "-mavxvnni")),
    Variant("avx2", frozenset(("avx2", "fma")), _AVX2),
)
# Never chosen: what the tests compare the others with.
REFERENCE = Variant("scalar", frozenset(), ())


def cpu_features() -> frozenset[str]:
    """The features of the first CPU, as Linux lists them; none on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def best_variant() -> Variant:
    """The fastest variant that this CPU runs.

    Raises:
        KernelUnavailable: another system or processor, or one without AVX2.
    """
    system = f"{platform.system()} on {platform.machine()}"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise KernelUnavailable(f"this is {system}; the kernel is for Linux on x86_64")
    features = cpu_features()
    for variant in VARIANTS:
        if variant.features <= features:
            return variant
    raise KernelUnavailable("this CPU has no AVX2 and FMA")


def library_path(variant: Variant) -> Path:
    """Where the library of this variant, these sources and options lies, built or not.

    Raises:
        KernelUnavailable: neither a cache folder nor a home is known.
    """
    digest = hashlib.sha256(" ".join((*_OPTIONS, *variant.options)).encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return _cache_folder() / f"kernels-{variant.name}-{digest.hexdigest()[:16]}.so"


def checksum_path(library: Path) -> Path:
    return library.with_suffix(".sha256")


def is_intact(library: Path) -> bool:
    """Whether the library is there with the contents that its build wrote."""
    try:
        expected = checksum_path(library).read_text("ascii")
        return hashlib.sha256(library.read_bytes()).hexdigest() == expected
    except (OSError, UnicodeDecodeError):
        return False


def build(variant: Variant) -> Path:
    """The library of a variant, compiled unless an intact one is there.

    Raises:
        KernelUnavailable: no compiler, or the compiler's first words.
    """
    library = library_path(variant)
    if is_intact(library):
        return library
    compiler = compiler_command()
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=".build-") as folder:
        made = Path(folder) / library.name
        _run([*compiler, *_OPTIONS, *variant.options, *map(str, UNITS), "-o", str(made)])
        checksum = Path(folder) / "checksum"
        checksum.write_text(hashlib.sha256(made.read_bytes()).hexdigest(), "ascii")
        # Whoever reads between the two steps sees a wrong checksum, and no half library.
        made.replace(library)
        checksum.replace(checksum_path(library))
    return library


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and say what came of it; 1 only when a compiler failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="for every instruction set")
    options = parser.parse_args(arguments)
    try:
        variants = VARIANTS if options.all else (best_variant(),)
        compiler_command()
    except KernelUnavailable as reason:
        sys.stdout.write(f"no compiled kernel: {reason}; quantised models run in torch\n")
        return 0
    return max(_report(variant) for variant in variants)


def _report(variant: Variant) -> int:
    try:
        sys.stdout.write(f"{variant.name}: {build(variant)}\n")
    except (KernelUnavailable, OSError) as error:
        sys.stderr.write(f"{variant.name}: {error}\n")
        return 1
    return 0


def _cache_folder() -> Path:
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(caches) if caches else Path.home() / ".cache") / "llm-kernels"
    except RuntimeError as error:
        raise KernelUnavailable(f"this user has no home; set {CACHE_VARIABLE}") from error


def compiler_command() -> list[str]:
    """The words of $CXX, else the first compiler on the path."""
    if words := shlex.split(os.environ.get("CXX", "")):
        if shutil.which(words[0]):
            return words
        raise KernelUnavailable(f"the compiler {words[0]!r} that CXX names is not there")
    for name in ("c++", "g++", "clang++"):
        if found := shutil.which(name):
            return [found]
    raise KernelUnavailable("no C++ compiler (c++, g++ or clang++) is on the path")


def _run(command: list[str]) -> None:
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise KernelUnavailable(f"{command[0]} took more than {TIMEOUT_S} s") from error
    if result.returncode != 0:
        raise KernelUnavailable(f"{command[0]} failed: {result.stderr.strip()[:500]}")


if __name__ == "__main__":
    sys.exit(main())
