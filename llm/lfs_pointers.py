"""Files that Git LFS left as pointers: three lines of text in the place of gigabytes.

Knows how a pointer begins. A folder cloned without Git LFS is full of them, and every reader of
real files has another riddle to say about them.
"""

from pathlib import Path

from llm.errors import CheckpointError

_FIRST_WORDS = b"version https://git-lfs.github.com/spec/"


def refuse_pointer(path: Path) -> None:
    """Raise CheckpointError where a file is a pointer; a file that is not there is no pointer."""
    try:
        with path.open("rb") as file:
            is_pointer = file.read(len(_FIRST_WORDS)) == _FIRST_WORDS
    except OSError:
        return  # whoever reads it says what is wrong
    if is_pointer:
        raise CheckpointError(
            f"{path} is a Git LFS pointer of {path.stat().st_size} bytes, not the file itself; "
            f"run `git lfs pull` in {path.parent}, or download the file"
        )
