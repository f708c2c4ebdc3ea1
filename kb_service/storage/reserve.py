"""Room kept back on the disk of the data folder, so that a full disk can still be cleared.

A delete writes before it frees: about 200 KiB, and one and a half to four times what is stored of
the document (text, boxes, chunks), because the words are overwritten. 32 MiB are enough for some
2,000 pages. On a small disk an eighth of it is kept.

Knows one file and its size. Any process of the service may give the room up or take it again.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from kb_service.storage.data_folder import free_bytes, total_bytes

MAX_SHARE = 8
"""The reserve is at most one part in so many of the disk."""

MARGIN_BYTES = 64 * 1024
"""Left free when the reserve is taken again on a disk that is almost full."""

FULL_BYTES = 1024 * 1024
"""A disk with less room than this is full."""

OPENING_BYTES = 256 * 1024
"""What SQLite needs at most to open a database: its -shm file and the first pages of the log."""

_BLOCK_BYTES = 1024 * 1024


class Reserve:
    """A file of bytes that mean nothing. Every method does what the disk allows; none raises."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes

    @property
    def size_bytes(self) -> int:
        """Return the room kept back now."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def target_bytes(self) -> int:
        """Return the room that should be kept back."""
        try:
            return min(self._max_bytes, total_bytes(self._path.parent) // MAX_SHARE)
        except OSError:
            return 0

    @property
    def is_spent(self) -> bool:
        """True after it was given up, until most of it was taken again; not where it never was."""
        return self._path.exists() and self.size_bytes < self.target_bytes // 2

    def leaves_room(self, num_bytes: int) -> bool:
        """True when the disk has that many bytes and is not full, beside the reserve itself."""
        try:
            return not self.is_spent and free_bytes(self._path.parent) >= num_bytes + FULL_BYTES
        except OSError:
            return True  # then the write itself says what is wrong

    def release(self, num_bytes: int | None = None) -> bool:
        """Give up that many bytes, all by default; False when there was nothing to give."""
        size = self.size_bytes
        if size == 0:
            return False
        try:
            os.truncate(self._path, 0 if num_bytes is None else max(size - num_bytes, 0))
        except OSError:
            return False
        return True

    def restore(self) -> None:
        """Take back what is missing, as far as there is room."""
        with suppress(OSError):
            room = free_bytes(self._path.parent) - MARGIN_BYTES
            missing = min(self.target_bytes - self.size_bytes, room)
            if missing > 0:
                self._grow(missing)

    def _grow(self, num_bytes: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._path, flags, stat.S_IRUSR | stat.S_IWUSR)
        try:
            while num_bytes > 0:
                # Random: a file system that compresses would keep nothing for zeros.
                num_bytes -= os.write(descriptor, os.urandom(min(num_bytes, _BLOCK_BYTES)))
            os.fsync(descriptor)
            if os.fstat(descriptor).st_size > self.target_bytes:
                os.ftruncate(descriptor, self.target_bytes)  # another process took it as well
        finally:
            os.close(descriptor)
