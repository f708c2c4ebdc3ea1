"""Files that are there by name only: Git LFS pointers, web pages of an error, downloads cut short.

Knows how such a file begins. A folder cloned without Git LFS, or fetched through a proxy that asks
for a login, is full of them, and every reader of real files has another riddle to say about them.
"""

from pathlib import Path

from llm.errors import CheckpointError

_POINTER = b"version https://git-lfs.github.com/spec/"
_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_HEAD_BYTES = 256


def refuse_absent(path: Path) -> None:
    """Raise CheckpointError where a file stands for one that was never fetched.

    A file that is not there at all is left to whoever reads it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        what = _what_it_is(head, path.stat().st_size)
    except OSError:
        return  # whoever reads it says what is wrong
    if what:
        raise CheckpointError(f"{path} is {what}")


def unfinished_downloads(folder: Path) -> str:
    """Name what a download that broke off has left in a folder, empty when there is nothing."""
    endings = (".incomplete", ".part", ".crdownload", ".aria2", ".tmp")
    found = [path for path in sorted(folder.rglob("*")) if path.name.endswith(endings)]
    return f"; {found[0]} is a download that broke off" if found else ""


def _what_it_is(head: bytes, size: int) -> str:
    if head.startswith(_POINTER):
        return (
            f"a Git LFS pointer of {size} bytes, not the file itself; "
            "run `git lfs pull` in its folder, or download the file"
        )
    if head.lstrip().lower().startswith(_PAGES):
        return f"a web page of {size} bytes, not the file itself; download the file again"
    return "" if head else "empty; download the file again"
