"""Folders that survive a crash: claimed working folders, durable files, exclusive sections.

Knows the file system (fsync, flock, rename). Knows nothing of what the files mean.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ClaimedFolder:
    """A new folder that belongs to this process while it lives; `sweep` removes orphans.

    The claim is a lock on the folder itself, which the kernel drops with the process.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        """Create `<parent>/<prefix>-<random>`, creating `parent` when needed."""
        self.path, self._descriptor = _claim(parent, prefix)

    def close(self) -> None:
        """Remove the folder and what is in it; safe to call twice."""
        if self._descriptor >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            self.release()

    def release(self) -> None:
        """Give up the claim and leave the folder (if it is still there) to others."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _claim(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        parent.mkdir(parents=True, exist_ok=True)
        path = parent / f"{prefix}-{secrets.token_hex(8)}"
        try:
            path.mkdir(0o700)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # the parent, or the folder before its lock, was swept: take another
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: nothing here can be claimed
            os.close(descriptor)
            path.rmdir()
            raise
        if _is_same(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders `<prefix>-…` whose process is gone."""
    for path in parent.glob(f"{prefix}-*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone, no folder, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass  # its owner lives
        finally:
            os.close(descriptor)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder against every other process and thread that asks for it the same way."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # A folder removed while we waited is another folder now: lock that one instead.
            if _is_same(folder, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def fsync_path(path: Path) -> None:
    """Flush one file or folder to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(folder: Path) -> None:
    """Flush every file below `folder`, then every folder, the innermost first.

    A file with a second name was flushed under that one.
    """
    for root, _, names in os.walk(folder, topdown=False):
        for path in (Path(root, name) for name in names):
            if path.stat().st_nlink == 1:
                fsync_path(path)
        fsync_path(Path(root))


def replace_durably(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a crash leaves the old or the new file, whole."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    fsync_path(path.parent)
