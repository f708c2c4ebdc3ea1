"""Building the kernel: once, into a cache that is never trusted blindly, or not at all."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from llm.errors import KernelUnavailable
from llm.kernels import build
from llm.kernels.cpu import selection
from llm.kernels.cpu.native import NativeKernel
from llm.kernels.quantized_linear import quantize_linear


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path / "cache"))
    selection.cpu_kernel.cache_clear()
    yield
    selection.cpu_kernel.cache_clear()


@pytest.fixture
def library() -> Path:
    try:
        return build.build(build.best_variant())
    except KernelUnavailable as reason:
        pytest.skip(str(reason))


def test_the_built_kernel_is_chosen_and_named_in_the_log(
    library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "llm.kernels"):
        assert selection.kernel_name() == build.best_variant().name
        selection.kernel_name()
    assert [r.message for r in caplog.records] == [
        f"quantised products run in the compiled kernel {build.best_variant().name}"
    ]


def test_a_second_build_compiles_nothing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "false")
    assert build.build(build.best_variant()) == library


def test_no_half_made_file_stays_in_the_cache(library: Path) -> None:
    assert sorted(library.parent.iterdir()) == sorted((library, build.checksum_path(library)))


@pytest.mark.parametrize("damage", ["contents", "length", "checksum"])
def test_a_changed_library_is_not_loaded_but_built_again(library: Path, damage: str) -> None:
    intact = library.read_bytes()
    if damage == "checksum":
        build.checksum_path(library).unlink()
    else:
        library.write_bytes(intact[:1000] if damage == "length" else intact[:-1] + b"!")
    with pytest.raises(KernelUnavailable, match="not built, or changed"):
        NativeKernel(library, "damaged")
    assert selection.kernel_name() == "torch"
    assert build.build(build.best_variant()) == library
    assert NativeKernel(library, "rebuilt").name == "rebuilt"


def test_a_library_without_the_functions_is_refused(tmp_path: Path, library: Path) -> None:
    source = tmp_path / "other.cpp"
    source.write_text('extern "C" int other() { return 0; }\n')
    copy = tmp_path / "other.so"
    compiler = build.compiler_command()
    subprocess.run([*compiler, "-shared", "-fPIC", str(source), "-o", str(copy)], check=True)
    build.checksum_path(copy).write_text(_sha256(copy))
    with pytest.raises(KernelUnavailable, match="cannot load"):
        NativeKernel(copy, "other")


def test_without_a_build_products_run_in_torch_and_say_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = quantize_linear(torch.ones(3, 32), None, 8)
    with caplog.at_level(logging.WARNING, "llm.kernels"):
        result = module(torch.ones(2, 32))
    assert torch.allclose(result, torch.full((2, 3), 32.0))
    assert selection.kernel_name() == "torch"
    assert len(caplog.records) == 1
    assert "python -m llm.kernels.build" in caplog.text


def test_a_user_without_a_home_and_a_cache_runs_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is started under a number without a name."""
    for variable in (build.CACHE_VARIABLE, "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**30)
    choice = selection.choose_kernel()
    assert choice.kernel.name == "torch"
    assert build.CACHE_VARIABLE in choice.reason


def test_without_a_compiler_the_command_succeeds_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "best_variant", lambda: build.VARIANTS[-1])
    assert build.main([]) == 0
    assert "no C++ compiler" in capsys.readouterr().out


def test_a_compiler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -x")
    with pytest.raises(KernelUnavailable, match="'no-such-compiler' that CXX names"):
        build.build(build.REFERENCE)


def test_a_failing_compiler_is_an_error_with_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "compiler"
    script.write_text("#!/bin/sh\necho 'cannot do this' >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("CXX", str(script))
    monkeypatch.setattr(build, "best_variant", lambda: build.VARIANTS[-1])
    assert build.main([]) == 1
    assert "cannot do this" in capsys.readouterr().err
    assert not build.is_intact(build.library_path(build.VARIANTS[-1]))


def test_other_processors_and_systems_use_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.platform, "machine", lambda: "aarch64")
    with pytest.raises(KernelUnavailable, match="Linux on aarch64"):
        build.best_variant()


@pytest.mark.parametrize(
    ("features", "name"),
    [
        ("avx2 fma avx_vnni avx512f avx512bw avx512vl avx512_vnni", "avx512-vnni"),
        ("avx2 fma avx512f avx512bw avx512vl", "avx2"),
        ("avx2 fma avx_vnni", "avx-vnni"),
    ],
)
def test_the_variant_follows_the_features_of_the_cpu(
    monkeypatch: pytest.MonkeyPatch, features: str, name: str
) -> None:
    monkeypatch.setattr(build.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(build.platform, "system", lambda: "Linux")
    monkeypatch.setattr(build, "cpu_features", lambda: frozenset(features.split()))
    assert build.best_variant().name == name


def test_a_cpu_without_avx2_uses_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(build.platform, "system", lambda: "Linux")
    monkeypatch.setattr(build, "cpu_features", lambda: frozenset(("sse2",)))
    with pytest.raises(KernelUnavailable, match="no AVX2"):
        build.best_variant()


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_all_variants_are_built_for_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path))
    assert build.main(["--all"]) == 0
    if "no compiled kernel" in capsys.readouterr().out:
        pytest.skip("no C++ compiler is on the path")
    assert all(build.is_intact(build.library_path(variant)) for variant in build.VARIANTS)
