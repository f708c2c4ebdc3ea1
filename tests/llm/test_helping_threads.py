"""The kernels' helping threads, from C++: every item once, by as many threads as are asked for."""

import subprocess
from pathlib import Path

import pytest

from llm.errors import KernelUnavailable
from llm.kernels import build


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        build.best_variant()
        compiler = build.compiler_command()
    except KernelUnavailable as reason:
        pytest.skip(str(reason))
    made = tmp_path_factory.mktemp("threads") / "helping_threads"
    source = Path(__file__).with_name("helping_threads.cpp")
    headers = build.SOURCES[0].parent
    options = ("-std=c++20", "-O1", "-pthread", f"-I{headers}")
    subprocess.run([*compiler, *options, str(source), "-o", str(made)], check=True)
    return made


@pytest.mark.parametrize("check", ["once", "asked", "refused"])
def test_every_item_is_done_once_by_no_more_threads_than_asked_or_than_there_are(
    program: Path, check: str
) -> None:
    """`asked`: after a wider job; `refused`: where the system makes no more threads."""
    result = subprocess.run(
        [program, check], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
