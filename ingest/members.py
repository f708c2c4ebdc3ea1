"""MemberFolder: where the files inside a file are put while it is read.

Knows limits and bytes; knows no format. A file lies under its number, never under the path that its
container gives it.
"""

import io
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ingest.limits import ParseLimits
from kb_service.domain.members import Loss, Member, inner_path, own_path

MAX_MEMBERS = 2000
"""Of one container."""
_BLOCK_BYTES = 1 << 20


class MemberFolder:
    """Collects members and losses in the order of the container."""

    def __init__(self, folder: Path, limits: ParseLimits) -> None:
        self._folder = folder
        self._max_file_bytes = limits.max_file_bytes
        self._max_bytes = limits.max_decompressed_bytes
        self._num_bytes = 0
        self._num_left_out = 0
        self._taken: set[str] = set()
        self._members: list[Member] = []
        self._losses: list[Loss] = []

    @property
    def members(self) -> tuple[Member, ...]:
        """What was put here."""
        return tuple(self._members)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be, and why."""
        if not self._num_left_out:
            return tuple(self._losses)
        said = f"{self._num_left_out} more files than the {MAX_MEMBERS} that are read"
        return (*self._losses, Loss("", "too_many_members", None, said))

    def path_of(self, given: str) -> str:
        """Return the path under which the next file is known; no two have the same one."""
        path = own_path(inner_path(given), self._taken)
        self._taken.add(path)
        return path

    def add(self, path: str, source: BinaryIO | bytes) -> None:
        """Put a file here. Raises what the source raises; nothing is kept of the file then."""
        if len(self._members) >= MAX_MEMBERS:
            self._num_left_out += 1
            return
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        self._folder.mkdir(exist_ok=True)
        file = self._folder / str(len(self._members))
        try:
            is_whole = self._copied(stream, file)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        if is_whole:
            self._members.append(Member(path, file))
            return
        file.unlink()
        self.lose(path, "document_too_large", self.limits_told)

    def lose(self, path: str, code: str, reason: str) -> None:
        """Note a file that is not read."""
        self._losses.append(Loss(path, code, None, reason))

    @property
    def limits_told(self) -> str:
        """What the files of a container may hold."""
        return (
            f"at most {self._max_file_bytes} bytes a file and {self._max_bytes} bytes in all"
            " files are unpacked"
        )

    def _copied(self, stream: BinaryIO, file: Path) -> bool:
        """Copy a file; False when it passes a limit. What was unpacked counts either way."""
        size = 0
        with file.open("wb") as target:
            while block := stream.read(_BLOCK_BYTES):
                size += len(block)
                self._num_bytes += len(block)
                if size > self._max_file_bytes or self._num_bytes > self._max_bytes:
                    with suppress(OSError):
                        target.truncate(0)
                    return False
                target.write(block)
        return True
