"""Disks that are full or cannot be written, for every test that wants one: real where we may mount.

As root a small tmpfs and a read-only bind mount; without the right to mount, a test of these skips.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kb_service.storage.data_folder import free_bytes

FILLER = "filler"


@contextmanager
def small_disk(folder: Path, num_mib: int) -> Iterator[Path]:
    """Mount a disk of that size at the folder; skips the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={num_mib}m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def sealed(folder: Path) -> Iterator[Path]:
    """Let nobody write into the folder, root included; skips the test where that is not allowed."""
    if os.geteuid() != 0:
        yield from _without_the_right(folder)
        return
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,bind,ro", str(folder))
        yield folder
    finally:
        _unmount(folder)


def fill(folder: Path) -> None:
    """Take the last byte of the disk."""
    with suppress(OSError), (folder / FILLER).open("ab", buffering=0) as file:
        while True:
            file.write(bytes(max(free_bytes(folder) // 2, 1)))


def _without_the_right(folder: Path) -> Iterator[Path]:
    below = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    for path in below:
        path.chmod(0o555)
    try:
        yield folder
    finally:
        for path in below:
            path.chmod(0o755)


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


def _unmount(folder: Path) -> None:
    # Lazily: a test that failed may still hold a connection.
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
