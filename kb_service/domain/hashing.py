"""SHA-256 as contents are named by it: 64 hex digits."""

import hashlib
from pathlib import Path
from typing import BinaryIO

_PIECE_BYTES = 1 << 20


def sha256_of_file(path: Path) -> str:
    """Return the hash of a file's bytes. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_stream(stream: BinaryIO) -> str:
    """Return the hash of what is left of a stream. Raises what reading it raises."""
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def sha256_of_text(text: str) -> str:
    """Return the hash of a text's UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
