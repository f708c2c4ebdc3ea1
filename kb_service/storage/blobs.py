"""Original bytes in a content-addressed folder: staged, then published by one atomic rename.

Knows files and hashes only. The rule that makes it safe is the callers': `publish` and `unlink`
happen inside a database write transaction, so that an upload that refers to a blob and a sweep that
removes unreferenced ones exclude each other.
"""

import hashlib
import io
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from kb_service.domain.errors import PayloadTooLarge, StorageError
from kb_service.domain.hashing import sha256_of_file

BLOCK_BYTES = 1024 * 1024
STAGED_PREFIX = "staged-"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StagedBlob:
    """Bytes written to disk and hashed, not yet part of the store. `sha256`: hex."""

    path: Path
    sha256: str
    size_bytes: int


class BlobState(Enum):
    """What stands under the name of a blob."""

    WHOLE = "whole"
    ABSENT = "absent"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


class BlobStore:
    """Files named by the SHA-256 of their content: `root/ab/cd/<sha256>`.

    Staged files lie in `root/../tmp`, on the same file system. Folders are made when needed. What
    OCR read of a blob's pictures lies in `root/../readings/ab/<sha256>` and goes with the blob.
    """

    num_at_once = 500
    """How many are removed while nobody else may write."""

    is_far = False
    """True where the bytes lie on another machine: asking for them takes a while."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root.parent / "tmp"
        self._readings = root.parent / "readings"

    def stage(self, source: BinaryIO | bytes, max_bytes: int) -> StagedBlob:
        """Write the bytes to a temporary file, hashed on the way and flushed to disk.

        Raises PayloadTooLarge past `max_bytes` and StorageError when the disk refuses; both leave
        nothing behind.
        """
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        path = self.staging / f"{STAGED_PREFIX}{secrets.token_hex(16)}"
        with _typed_errors("stage a file"):
            self.staging.mkdir(parents=True, exist_ok=True)
            try:
                sha256, size_bytes = _copy_hashed(stream, path, max_bytes)
            except BaseException:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                raise
        return StagedBlob(path, sha256, size_bytes)

    @property
    def place(self) -> str:
        """Where the blobs are, in words."""
        return str(self.root)

    def describe(self) -> str:
        """Return where the blobs are. Raises what keeps them from being stored there."""
        return self.place

    def send(self, staged: StagedBlob) -> bool:
        """Bring staged bytes near, before the transaction that publishes them; True: they are new.

        Here `publish` does it all.
        """
        return False

    def publish(self, staged: StagedBlob, *, is_kept: bool = False) -> Path:
        """Move staged bytes into the store, durably; replaces an equal blob. Raises StorageError.

        Only inside a database write transaction. `is_kept`: they were sent, and nobody can have
        removed them since.
        """
        target = self.path(staged.sha256)
        with _typed_errors(f"store blob {staged.sha256}"):
            for folder in (self.root, target.parent.parent, target.parent):
                if not folder.is_dir():
                    folder.mkdir(parents=True, exist_ok=True)
                    sync_folder(folder.parent)
            staged.path.replace(target)
            sync_folder(target.parent)
        return target

    def discard(self, staged: StagedBlob) -> None:
        """Remove staged bytes; does nothing when they were published or discarded before."""
        with _typed_errors("discard a staged file"):
            staged.path.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where that blob is or would be; ValueError unless it is 64 hex digits."""
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 of 64 hex digits")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def readings(self, sha256: str) -> Path:
        """Return the folder for what is read of a blob's pictures; may be deleted at any time."""
        return self._readings / sha256[:2] / self.path(sha256).name

    def exists(self, sha256: str) -> bool:
        """True when the blob is in the store."""
        return self.path(sha256).is_file()

    def is_under_way(self, sha256: str) -> bool:
        """True for a blob that an upload may have stored and not referred to yet: none here."""
        return False

    def unlink(self, sha256: str) -> None:
        """Remove a blob if it is there, and what was read of it.

        Only inside a database write transaction.
        """
        with _typed_errors(f"remove blob {sha256}"):
            self._discard_readings(sha256)
            self.path(sha256).unlink(missing_ok=True)

    def discard_readings_without_blob(self) -> None:
        """Remove what a process wrote whose blob was deleted meanwhile, and that then died."""
        with _typed_errors("discard readings"):
            for folder in self._readings.glob("??/*"):
                if SHA256.fullmatch(folder.name) and not self.exists(folder.name):
                    self._discard_readings(folder.name)

    def _discard_readings(self, sha256: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.readings(sha256))

    def iter_sha256(self) -> Iterator[str]:
        """Yield the hash of every stored blob, sorted."""
        for path in sorted(self.root.glob("??/??/*")):
            if SHA256.fullmatch(path.name):
                yield path.name

    def state_of(self, sha256: str) -> BlobState:
        """Compare the stored bytes with their name; reads them all."""
        try:
            found = sha256_of_file(self.path(sha256))
        except FileNotFoundError:
            return BlobState.ABSENT
        except OSError:
            return BlobState.UNREADABLE
        return BlobState.WHOLE if found == sha256 else BlobState.CHANGED

    def whole(self, sha256: str, owner: str) -> Path:
        """Return where the blob lies, after reading all of it: other bytes are never given out.

        `owner`: whose bytes they are, for the message. Raises StorageError: blob_missing, and
        blob_damaged when they differ from their name or cannot be read.
        """
        path = self.path(sha256)
        try:
            found = sha256_of_file(path)
        except FileNotFoundError as error:
            raise _gone(sha256, owner) from error
        except OSError as error:
            found = f"unreadable ({error.strerror})"
        if found != sha256:
            raise StorageError(
                f"the stored bytes of {owner} are damaged: expected SHA-256 {sha256},"
                f" found {found}",
                code="blob_damaged",
                details={"sha256": sha256, "found": found},
            )
        return path

    def open_whole(self, sha256: str, owner: str) -> BinaryIO:
        """Open what `whole` returns: a delete from then on does not reach who reads it.

        Raises as `whole`, OSError.
        """
        path = self.whole(sha256, owner)
        try:
            return path.open("rb")
        except FileNotFoundError as error:
            raise _gone(sha256, owner) from error

    def in_use(self, path: Path) -> None:
        """Say that somebody still reads what `whole` returned; now and then, while that lasts.

        Here it stays where it is anyway.
        """

    def discard_stale(self, older_than_s: float) -> int:
        """Remove staged files that nobody has written to for that long; return how many."""
        removed = 0
        with _typed_errors("discard stale files"):
            for path in self.staging.glob(f"{STAGED_PREFIX}*"):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime >= older_than_s:
                        path.unlink()
                        removed += 1
        return removed


def _gone(sha256: str, owner: str) -> StorageError:
    return StorageError(
        f"the stored bytes of {owner} are gone; SHA-256 {sha256}",
        code="blob_missing",
        details={"sha256": sha256},
    )


def _copy_hashed(stream: BinaryIO, path: Path, max_bytes: int) -> tuple[str, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    with path.open("xb") as file:
        while block := stream.read(BLOCK_BYTES):
            size_bytes += len(block)
            if size_bytes > max_bytes:
                raise PayloadTooLarge(
                    f"the file has more than {max_bytes} bytes, the limit",
                    details={"size_bytes": size_bytes, "max_bytes": max_bytes},
                )
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size_bytes


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _typed_errors(action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError.from_os_error(action, error) from error
